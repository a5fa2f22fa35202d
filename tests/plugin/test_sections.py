"""What the report of a failed test says of its relay."""

import pytest

from .conftest import Project

FAILING = """
    def test_relay(fakerelay):
        fakerelay.start("rtmp://cdn.example.com/live/a?key=s3cret", taskid="main")
        fakerelay.start("rtmp://cdn.example.com/live/a?key=s3cret", uid="anna")
        assert len(fakerelay.tasks()) == 2
"""
SECTION = [
    "*- fakerelay -*",
    "World *",
    "*1 task running at the end:*",
    "  mixed task 'main' of room 'room-1': rtmp://cdn.example.com/live/a?key=[*][*][*] pushing*",
    "*startrtmp*mixed task 'main'*",
    "*startrtmp*source task 'anna'*",
    "*address-unique*",
]


@pytest.mark.parametrize("args", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_failed_test_tells_what_happened_in_its_relay(
    project: Project, args: tuple[str, ...]
) -> None:
    result = project(FAILING, *args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(SECTION)
    section = result.stdout.str().partition("- fakerelay -")[2]
    assert "s3cret" not in section


def test_passed_test_tells_nothing(project: Project) -> None:
    result = project(FAILING.replace("== 2", "== 1"), "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*- fakerelay -*")


def test_complaint_at_the_end_of_a_test_comes_with_what_happened(project: Project) -> None:
    result = project(
        """
        def test_relay(fakerelay):
            fakerelay.faults.add("reset")
            fakerelay.clock.freeze()
        """
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["Fault plan 'fault-1' was not met:*", "*- fakerelay -*", "World *"]
    )


def test_relay_that_its_test_has_closed_does_not_hide_the_failure(project: Project) -> None:
    result = project(
        """
        def test_relay(fakerelay):
            fakerelay.close()
            assert 1 == 2
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2*"])
