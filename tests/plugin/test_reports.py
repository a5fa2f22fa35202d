"""What the report of a failed test tells of the relays that there were."""

import pytest

from .conftest import Project

OPEN = {
    "of the test's own": """
        from fakerelay import FakeRelay

        def test_relay():
            with FakeRelay() as relay:
                relay.start("rtmp://h/a", roomid="story")
                assert False
    """,
    "in a coroutine": """
        from fakerelay import FakeRelay

        async def test_relay():
            async with FakeRelay() as relay:
                await relay.client.start_source("story", "u", "rtmp://h/a")
                assert False
    """,
    "closed by pytest.fail": """
        import pytest
        from fakerelay import FakeRelay

        def test_relay():
            with FakeRelay() as relay:
                relay.start("rtmp://h/a", roomid="story")
                pytest.fail("so")
    """,
    "of the session": """
        import pytest
        from fakerelay import FakeRelay

        @pytest.fixture(scope="session")
        def relay(fakerelay_server):
            with FakeRelay(server=fakerelay_server) as relay:
                yield relay

        def test_relay(relay):
            relay.start("rtmp://h/a", roomid="story")
            assert False
    """,
    "of an asynchronous fixture": """
        import pytest_asyncio
        from fakerelay import FakeRelay

        @pytest_asyncio.fixture
        async def relay():
            async with FakeRelay() as relay:
                yield relay

        async def test_relay(relay):
            await relay.client.start_source("story", "u", "rtmp://h/a")
            assert False
    """,
}


@pytest.mark.parametrize("tests", OPEN.values(), ids=OPEN.keys())
def test_every_relay_of_a_failed_test_has_its_section(project: Project, tests: str) -> None:
    result = project(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- fakerelay -*", "World *", "*room 'story'*"])


def test_sections_of_several_relays_are_told_apart_by_their_apps(project: Project) -> None:
    result = project(
        """
        from fakerelay import FakeRelay

        def test_relay(fakerelay, fakerelay_server):
            with FakeRelay(server=fakerelay_server, appid=77) as other:
                assert fakerelay.appid == 0
        """
    )
    result.stdout.fnmatch_lines(["*- fakerelay: app 77 -*", "*- fakerelay: app *"])


def test_relay_whose_error_was_expected_is_not_told_of(project: Project) -> None:
    result = project(
        """
        import pytest
        from fakerelay import FakeRelay

        def test_expected():
            with pytest.raises(ZeroDivisionError), FakeRelay():
                1 / 0

        def test_other():
            assert False
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*- fakerelay*")


def test_errors_of_the_control_plane_come_without_inner_frames(project: Project) -> None:
    result = project(
        """
        def test_faults(fakerelay):
            fakerelay.faults.add("hnag")

        def test_tasks(fakerelay):
            fakerelay.tasks(room="r")

        def test_push(fakerelay):
            fakerelay.start("rtmp://h/a")
            fakerelay.push_status("rtmp://h/a", "failed")

        def test_clock(fakerelay):
            fakerelay.clock.advance(1)

        async def test_aclock(fakerelay):
            await fakerelay.clock.aadvance(1)
        """
    )
    result.assert_outcomes(failed=5)
    result.stdout.no_fnmatch_line("*.py:*: in *")
    result.stdout.no_fnmatch_line("*fakerelay/*.py:*")
    result.stdout.no_fnmatch_line("*During handling*")
