"""How a relay begins and ends, in threads and loops."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakerelay.errors import FakerelayError
from fakerelay.hosts.errands import RUNS_ALREADY
from fakerelay.relay import FakeRelay


class Caller(threading.Thread):
    """Waits for a task that never comes, until the relay's side has begun to."""

    def __init__(self, relay: FakeRelay) -> None:
        super().__init__(daemon=True)
        self.relay = relay
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.relay.control("tasks", wait_seconds=60)
        except Exception as error:
            self.error = error


def test_relay_leaves_no_thread_behind() -> None:
    with FakeRelay() as relay:
        assert any(thread.name == "fakerelay" for thread in threading.enumerate())
        assert relay.tasks() == []
    relay.close()
    with relay:
        assert relay.tasks() == []


async def test_relay_can_be_entered_by_with_inside_a_coroutine() -> None:
    with FakeRelay() as relay:
        assert relay.control("health")["status"] == "ok"
        assert (await relay.acontrol("health"))["status"] == "ok"


async def test_relay_in_a_thread_can_be_closed_from_a_coroutine() -> None:
    relay = FakeRelay().__enter__()
    await relay.aclose()


@pytest.mark.parametrize("enter", ["with", "async with"])
async def test_closing_relay_calls_off_who_waits_in_another_thread(enter: str) -> None:
    relay = FakeRelay()
    if enter == "with":
        relay.__enter__()
    else:
        await relay.__aenter__()
    caller = Caller(relay)
    caller.start()
    while not relay._host._calls:
        await asyncio.to_thread(threading.Event().wait, 0.001)
    await relay.aclose() if enter == "async with" else relay.close()
    await asyncio.to_thread(caller.join, 10)
    assert str(caller.error) == "The relay was closed before this was done"
    assert isinstance(caller.error, FakerelayError)


async def test_closing_relay_calls_off_who_waits_in_another_loop() -> None:
    with FakeRelay() as relay:
        waiting = asyncio.create_task(relay.acontrol("tasks", wait_seconds=60))
        await asyncio.sleep(0)
    with pytest.raises(FakerelayError, match="closed before this was done"):
        await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize("turns", range(0, 14, 2))
async def test_entering_that_is_cancelled_leaves_nothing_open(turns: int) -> None:
    gc.collect()  # what others have left is not meant
    with warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        entering = asyncio.create_task(FakeRelay().__aenter__())
        for _turn in range(turns):
            await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        del entering
        gc.collect()
    assert [str(each.message) for each in unclosed] == []


async def test_who_is_cancelled_while_waiting_for_a_relay_is_cancelled() -> None:
    with FakeRelay() as relay:
        waiting = asyncio.create_task(relay.acontrol("tasks", wait_seconds=60))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


def test_relay_that_is_not_running_says_so() -> None:
    with pytest.raises(FakerelayError, match="The relay is not running"):
        FakeRelay().control("health")


def test_relay_that_was_closed_says_so() -> None:
    with FakeRelay() as relay:
        pass
    with pytest.raises(FakerelayError, match="The relay was closed"):
        relay.tasks()


async def test_relay_that_was_closed_twice_says_so_too() -> None:
    async with FakeRelay() as relay:
        await relay.aclose()
    with pytest.raises(FakerelayError, match="The relay was closed"):
        relay.tasks()


def test_relay_is_entered_once_whoever_tries() -> None:
    relay = FakeRelay()
    with ThreadPoolExecutor(5) as pool:
        tries = [pool.submit(relay.__enter__) for _ in range(5)]
        errors = [each.exception() for each in tries]
        assert errors.count(None) == 1
        assert {str(error) for error in errors if error is not None} == {RUNS_ALREADY}
        endings = [pool.submit(relay.close) for _ in range(5)]
        assert [each.exception() for each in endings] == [None] * 5


async def test_relay_of_this_loop_is_closed_by_awaiting() -> None:
    async with FakeRelay() as relay:
        with pytest.raises(FakerelayError, match=r"await relay\.aclose"):
            relay.close()
        assert relay.tasks() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
def test_forked_process_is_told_that_the_relay_is_elsewhere() -> None:
    command = [sys.executable, "-c", "import os; from fakerelay import FakeRelay\n" + FORKING]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "forked from" in ran.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
def test_forked_process_does_not_wait_for_a_thread_that_closes_the_relay_elsewhere() -> None:
    command = [sys.executable, "-c", CLOSING]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "0\n"


CLOSING = """
import os, signal
from fakerelay import FakeRelay
with FakeRelay() as relay:
    with relay._ending:  # as of another thread
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            relay.close()
            os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
FORKING = """
with FakeRelay() as relay:
    if os.fork() == 0:
        try:
            relay.start("rtmp://h/a")
        except Exception as error:
            print(error, flush=True)
        os._exit(0)
    os.wait()
"""


def test_script_that_fails_keeps_no_report_for_nobody() -> None:
    script = (
        "from fakerelay import FakeRelay, reports\n"
        "try:\n"
        "    with FakeRelay():\n"
        "        1 / 0\n"
        "except ZeroDivisionError:\n"
        "    print(reports.list_reports())"
    )
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
