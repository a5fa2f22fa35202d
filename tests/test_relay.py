"""A relay inside a process: entered in every way, called from everywhere, closed while in use."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.hosts import RUNS_ALREADY
from fakerelay.relay import FakeRelay


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """None but that of the relays of the session, where other tests have asked for one."""
    before = _list_threads()
    yield
    assert _list_threads() == before


def _list_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fakerelay")]


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


async def test_relay_in_the_callers_loop_does_verbs_at_once() -> None:
    async with FakeRelay() as relay, relay.client as client:
        await client.start_source("r", "u", "rtmp://h/a")
        assert len(relay.tasks()) == 1
        assert relay.control("reset", all=True)["tasks"] == 1
        assert relay.tasks() == []
        with pytest.raises(FakerelayError, match="acontrol"):
            relay.control("tasks", wait_seconds=1)


async def test_reset_in_the_callers_loop_is_whole_while_a_callback_is_in_flight() -> None:
    came, ends = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as receiver:
        url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/cb"
        async with FakeRelay(callback_url=url) as relay, relay.client as client:
            await client.start_source("r", "u", "rtmp://h/a")
            await came.wait()
            done = relay.control("reset", all=True)
            assert (done["tasks"], done["requests"], done["callbacks"]) == (1, 1, 1)
            assert (relay.tasks(), relay.requests(), relay.notifications()) == ([], [], [])
        ends.set()


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


PLANS = (
    {"steps": [{"fault": "problem", "name": "internal_error"}]},
    {"id": "tls", "on": "tls", "steps": [{"fault": "untrusted"}]},
)


async def test_relay_begins_with_its_plans_and_a_reset_brings_them_back() -> None:
    async with FakeRelay(faults=PLANS) as relay, relay.client as client:
        before = relay.control("faults")["items"]
        assert [plan["id"] for plan in before] == ["fault-1", "tls"]
        for _ in range(2):
            started = [await client.start_source("r", "u", "rtmp://h/a") for _ in range(2)]
            assert [reply.is_accepted for reply in started] == [False, True]
            relay.control("create_fault", steps=[{"fault": "hang"}])
            relay.control("delete_fault", fault_id="tls")
            assert relay.control("reset", all=True)["faults"] == 2
        again = relay.control("faults")["items"]
        assert [plan["id"] for plan in again] == ["fault-1", "tls"]
        assert (again[0]["unmet"], again[1]["url"] is None) == ([0], False)


async def test_plan_said_by_the_relay_keeps_its_port_over_a_reset() -> None:
    async with FakeRelay(faults=PLANS) as relay:
        before = relay.control("faults")["items"]
        relay.control("reset", all=True)
        assert relay.control("faults")["items"][1]["url"] == before[1]["url"]


async def test_reset_of_an_app_brings_back_its_plans_only() -> None:
    steps = [{"fault": "pass"}]
    plans: list[dict[str, Any]] = [
        {"id": "all", "steps": steps},
        {"id": "its", "appid": 7, "steps": steps},
    ]
    async with FakeRelay(appid=7, faults=plans) as relay:
        relay.control("clear_faults", all=True)
        relay.control("reset", appid=7)
        assert [plan["id"] for plan in relay.control("faults")["items"]] == ["its"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"steps": [{"fault": "hnag"}]}, "did you mean 'hang'.*/fault/0/steps/0/fault"),
        ({"appid": 123456788, "steps": [{"fault": "hang"}]}, "'fault-1'.*did you mean '123456789'"),
        ("hang", "/fault/0"),
    ],
    ids=["unknown fault", "unknown app", "no plan"],
)
async def test_relay_with_a_plan_of_no_use_does_not_start(plan: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await FakeRelay(faults=[plan]).__aenter__()


async def test_relay_whose_plan_wants_a_taken_port_does_not_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plan = {"on": "tls", "steps": [{"fault": "untrusted", "port": port}]}
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*choose another 'port'"):
            await FakeRelay(faults=[plan]).__aenter__()


async def _play(relay: FakeRelay) -> None:
    async with relay.client as client:
        await client.start_source("r", "u", "rtmp://h/a")


@pytest.mark.parametrize("as_file", [False, True], ids=["value", "file"])
async def test_relay_begins_with_a_snapshot(tmp_path: Path, *, as_file: bool) -> None:
    async with FakeRelay(settings={"concurrent_pushes": 1}) as relay:
        await _play(relay)
        snapshot = relay.control("snapshot")
    path = tmp_path / "world.json"
    path.write_text(json.dumps(snapshot))
    async with FakeRelay(snapshot=str(path) if as_file else snapshot) as relay:
        assert [task["uid"] for task in relay.tasks()] == ["u"]
        assert relay.control("profile")["profile"]["concurrent_pushes"] == 1
        async with relay.client as client:
            assert (await client.start_source("r", "v", "rtmp://h/b")).code == 42901


async def test_snapshot_is_restored_at_once_inside_the_loop() -> None:
    async with FakeRelay() as relay:
        before = relay.control("snapshot")
        await _play(relay)
        relay.control("put_snapshot", body=before)
        assert relay.tasks() == []


def test_callback_url_that_is_given_wins_over_the_snapshots() -> None:
    with FakeRelay(callback_url="http://127.0.0.1:1/old") as relay:
        snapshot = relay.control("snapshot")
    with FakeRelay(snapshot=snapshot, callback_url="http://127.0.0.1:1/new") as relay:
        assert relay.control("apps")["items"][0]["callback_url"] == "http://127.0.0.1:1/new"
    with FakeRelay(snapshot=snapshot) as relay:
        assert relay.control("apps")["items"][0]["callback_url"] == "http://127.0.0.1:1/old"


@pytest.mark.parametrize(
    ("own", "complaint"),
    [({"appid": 5}, "app 5"), ({"certificate_key": "other"}, "does not open")],
    ids=["another app", "another key"],
)
def test_snapshot_that_does_not_know_the_relays_app_is_refused(
    own: dict[str, Any], complaint: str
) -> None:
    with FakeRelay() as relay:
        snapshot = relay.control("snapshot", keys=True)
    with pytest.raises(ConfigError, match=complaint):
        FakeRelay(snapshot=snapshot, **own).__enter__()


@pytest.mark.parametrize(
    "own",
    [{"clock": "frozen"}, {"now": 5.0}, {"settings": {"concurrent_pushes": 1}}, {"profile": "x"}],
    ids=["clock", "now", "settings", "profile"],
)
def test_what_a_snapshot_brings_is_not_given_beside_it(own: dict[str, Any]) -> None:
    (key,) = own
    with pytest.raises(ConfigError, match=f"Can't use {key} together with snapshot"):
        FakeRelay(snapshot={}, **own).__enter__()


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


def test_settings_may_have_dots_in_their_keys() -> None:
    settings = {"callback.timeout_seconds": 1, "callback": {"product": 4}}
    with FakeRelay(settings=settings) as relay:
        callback = relay.control("profile")["profile"]["callback"]
        assert (callback["timeout_seconds"], callback["product"]) == (1, 4)


def test_profile_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text('{"concurrent_pushes": 1}')
    with FakeRelay(profile=path) as relay:
        assert relay.control("profile")["profile"]["concurrent_pushes"] == 1


def test_callbacks_that_are_off_are_said_to_be() -> None:
    with (
        FakeRelay(callback_url=None) as relay,
        pytest.raises(FakerelayError, match="Callbacks are off"),
    ):
        len(relay.callbacks)


def test_client_without_an_asyncio_loop_does_nothing() -> None:
    with FakeRelay() as relay:
        call = relay.client.start_source("r", "u", "rtmp://h/a")
        with pytest.raises(FakerelayError, match="needs a running asyncio loop"):
            call.send(None)
        assert relay.requests() == []


def test_relay_tells_what_and_where_it_is() -> None:
    relay = FakeRelay(appid=77)
    assert repr(relay) == "<FakeRelay app 77, not running>"
    with relay:
        assert repr(relay) == f"<FakeRelay app 77 at {relay.url}, world default>"
        relay.start("rtmp://h/a", roomid="story")
        assert "room 'story'" in relay.report()


def test_addresses_may_be_asserted_as_a_list() -> None:
    with FakeRelay() as relay:
        relay.start(["rtmp://h/a", "rtmp://h/b"])
        relay.assert_pushing(["rtmp://h/a", "rtmp://h/b"])
        relay.stop()
        relay.assert_stopped(["rtmp://h/a", "rtmp://h/b"])


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


def test_server_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="Can't use server='x': expected a Host"):
        FakeRelay(server="x")  # type: ignore[arg-type]  # a mistake


def test_certificate_key_that_is_no_text_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="Can't use certificate_key: expected text"):
        FakeRelay(certificate_key=["s3cret"])  # type: ignore[arg-type]  # a mistake


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
