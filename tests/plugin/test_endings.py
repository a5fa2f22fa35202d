"""How a test with a relay ends: what fails it, what is ended for it, and that nothing is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SETTINGS, Project

UNMET = """
    import pytest

    {marker}
    def test_relay(fakerelay):
        fakerelay.faults.add("delay", seconds=1, match={{"operation": "stoprtmp"}})
        assert fakerelay.start("rtmp://h/a").is_accepted
        {more}
"""


def test_fault_that_was_never_met_fails_a_test(project: Project) -> None:
    result = project(UNMET.format(marker="", more=""))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["Fault plan 'fault-1' was not met: step 0 (delay) never acted: match operation=*"]
    )


def test_fault_plans_may_be_left_unmet_where_the_marker_says_so(project: Project) -> None:
    marker = "@pytest.mark.fakerelay(check_faults=False)"
    project(UNMET.format(marker=marker, more="")).assert_outcomes(passed=1)


def test_test_that_fails_is_not_blamed_for_faults_too(project: Project) -> None:
    result = project(UNMET.format(marker="", more="assert False"))
    result.assert_outcomes(failed=1)


UNJUDGED = {
    "skipped": ("pytest.skip('so')", {"skipped": 1}),
    "expected to fail": ("pytest.xfail('so')", {"xfailed": 1}),
    "closed": ("fakerelay.close()", {"passed": 1}),
}


@pytest.mark.parametrize(("body", "outcomes"), UNJUDGED.values(), ids=UNJUDGED.keys())
def test_only_tests_that_passed_with_their_relay_are_judged(
    project: Project, body: str, outcomes: dict[str, int]
) -> None:
    result = project(
        f"""
        import pytest

        @pytest.mark.fakerelay(strict=True)
        def test_relay(fakerelay):
            fakerelay.faults.add("reset", match={{"operation": "stoprtmp"}})
            fakerelay.start("rtmp://h/a")
            {body}
        """
    )
    assert result.parseoutcomes() == outcomes


def test_interrupted_test_is_not_judged(project: Project) -> None:
    result = project(
        """
        import pytest

        @pytest.mark.fakerelay(strict=True)
        def test_relay(fakerelay):
            fakerelay.start("rtmp://h/a")
            pytest.exit("enough", returncode=7)
        """
    )
    assert result.ret == 7
    result.stdout.no_fnmatch_line("*still runs*")


def test_test_that_is_run_again_is_judged_again(project: Project) -> None:
    result = project(
        """
        tries = []

        def test_relay(fakerelay):
            tries.append(1)
            fakerelay.faults.add("reset")
            assert len(tries) > 1
        """,
        conftest="""
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for _ in range(2):
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    item.ihook.pytest_runtest_logreport(report=report)
            return True
        """,
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(["Fault plan 'fault-1' was not met:*"])


LEFTOVERS = {
    "running task": ('fakerelay.start("rtmp://h/a"); fakerelay.callbacks.wait_for()', "rtmp://h/a"),
    "callback nobody looked for": (
        'fakerelay.start("rtmp://h/a"); fakerelay.stop();'
        " fakerelay.callbacks.wait_for(status='stopped')",
        "pushing",
    ),
}


@pytest.mark.parametrize(("body", "told"), LEFTOVERS.values(), ids=LEFTOVERS.keys())
@pytest.mark.parametrize("strict", [False, True], ids=["usual", "strict"])
def test_what_is_left_fails_strict_tests_only(
    project: Project, body: str, told: str, *, strict: bool
) -> None:
    result = project(
        f"""
        import pytest

        @pytest.mark.fakerelay(strict={strict})
        def test_relay(fakerelay):
            {body}
        """
    )
    result.assert_outcomes(passed=1, errors=int(strict))
    if strict:
        assert told in result.stdout.str()


def test_strict_test_that_leaves_nothing_passes(project: Project) -> None:
    project(
        """
        import pytest

        @pytest.mark.fakerelay(strict=True)
        def test_relay(fakerelay):
            fakerelay.start("rtmp://h/a")
            fakerelay.stop()
            assert len(fakerelay.callbacks.wait_for(2)) == 2
        """
    ).assert_outcomes(passed=1)


def test_callbacks_that_are_pending_or_hang_end_with_their_test(project: Project) -> None:
    result = project(
        """
        import pytest

        @pytest.mark.fakerelay(quota=0)
        def test_hanging(fakerelay):
            fakerelay.callbacks.hang()
            for number in range(40):
                fakerelay.start(f"rtmp://h/{number}", uid=f"u{number}")
            fakerelay.callbacks.wait_for(16)

        def test_next(fakerelay, fakerelay_server):
            fakerelay.start("rtmp://h/a")
            fakerelay.callbacks.wait_for()
            assert len(fakerelay.callbacks) == 1
            assert len(list(fakerelay_server.server.tenants)) == 2
        """,
    )
    result.assert_outcomes(passed=2)


def test_plugin_costs_a_project_without_relays_next_to_nothing() -> None:
    """What it imports besides pytest is of the standard library, and hardly any of that."""
    script = (
        "import sys, pytest; before = set(sys.modules); import fakerelay.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["fakerelay", "fakerelay.pytest_plugin"]


MANY = """
import pytest

@pytest.mark.fakerelay(appid=1234, certificate_id="own", certificate_key="key")
@pytest.mark.parametrize("number", range({count}))
def test_relay(fakerelay, number):
    assert fakerelay.start("rtmp://cdn.example.com/live/a", taskid="main").is_accepted
    assert not fakerelay.start("rtmp://cdn.example.com/live/a", uid="anna").is_accepted
    assert len(fakerelay.callbacks.wait_for(status="pushing")) == 1
"""


@pytest.mark.slow
def test_thousand_tests_with_the_same_names_never_clash_in_two_processes(project: Project) -> None:
    result = project(MANY.format(count=1000), "-n", "2")
    result.assert_outcomes(passed=1000)


def run_apart(folder: Path, tests: str, *args: str) -> subprocess.Popen[str]:
    """pytest in a process of its own, where Python tells of all that is left open."""
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_it.py").write_text(tests)
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", *args]
    return subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_session_leaves_nothing_open(tmp_path: Path) -> None:
    tests = MANY.format(count=3) + (
        "\n@pytest.mark.fakerelay(tls=True)\n"
        "async def test_tls(fakerelay):\n"
        "    assert (await fakerelay.client.start_source('r', 'u', 'rtmp://h/a')).is_accepted\n"
        "    assert await fakerelay.callbacks.await_for(status='pushing')\n"
    )
    with run_apart(tmp_path, tests) as process:
        told, errors = process.communicate()
    assert (process.returncode, errors) == (0, ""), told
    assert "4 passed" in told


def test_interrupted_session_leaves_nothing_open(tmp_path: Path) -> None:
    tests = """
import sys
from threading import Event, Thread

def tell_once_waiting(relay):
    while not relay._host._calls:
        Event().wait(0.001)
    print("waiting", file=sys.stderr, flush=True)

def test_relay(fakerelay):
    fakerelay.callbacks.hang()
    fakerelay.start("rtmp://h/a")
    fakerelay.callbacks.wait_for()
    Thread(target=tell_once_waiting, args=(fakerelay,)).start()
    fakerelay.callbacks.wait_for(2, timeout_seconds=60)
"""
    with run_apart(tmp_path, tests, "-s") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate()
    assert (process.returncode, errors) == (pytest.ExitCode.INTERRUPTED, ""), told
    assert "KeyboardInterrupt" in told
    assert not Path(f"/proc/{process.pid}").exists() or os.name == "nt"
