"""Relays that are worlds on the server of others: made whole or not at all, and gone afterwards."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fakerelay import ConfigError, FakeRelay, FakerelayError, Host
from fakerelay.config import Config
from fakerelay.hosts import RUNS_ALREADY, open_shared

from .conftest import no_complaints

T = TypeVar("T")


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = open_shared(tls=False)
    yield host
    host.close()


def worlds(host: Host) -> list[str]:
    return [tenant.id for tenant in host.server.tenants]


def test_world_may_end_right_after_a_call(host: Host) -> None:
    """Its callback is posted, or is about to be, or just has been."""
    with no_complaints():
        for number in range(200):
            with FakeRelay(server=host) as relay:
                relay.start("rtmp://h/a")
                for _ in range(number % 50 * 20):
                    pass
    assert worlds(host) == ["default"]


WRONG: dict[str, dict[str, Any]] = {
    "unknown fault": {"faults": [{"steps": [{"fault": "hnag"}]}]},
    "unknown profile": {"profile": "rset"},
    "unknown setting": {"settings": {"quota": 1}},
    "no URL": {"callback_url": "nonsense"},
    "no scheme": {"callback_url": "http://"},
    "unknown clock": {"clock": "fast"},
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_world_that_can_not_be_leaves_nothing(host: Host, options: dict[str, Any]) -> None:
    with pytest.raises(FakerelayError):
        FakeRelay(server=host, appid=77, **options).__enter__()
    assert worlds(host) == ["default"]
    with FakeRelay(server=host, appid=77) as relay:
        assert relay.start("rtmp://h/a").is_accepted


def test_appid_of_another_world_is_refused(host: Host) -> None:
    with FakeRelay(server=host, appid=78) as first:
        with pytest.raises(ConfigError, match="78 belongs to another world"):
            FakeRelay(server=host, appid=78).__enter__()
        assert first.start("rtmp://h/a").is_accepted
    assert worlds(host) == ["default"]


def test_tls_needs_a_server_that_speaks_it(host: Host) -> None:
    with pytest.raises(ConfigError, match=r"tls=True.*speaks plain HTTP only"):
        FakeRelay(server=host, tls=True).__enter__()


@pytest.fixture
def busy_host(host: Host) -> Iterator[tuple[Host, threading.Event]]:
    """A host whose loop does nothing until the event is set."""
    go_on = threading.Event()

    async def stand_still() -> None:
        go_on.wait()

    standing = host.begin(stand_still())
    try:
        yield host, go_on
    finally:
        go_on.set()
        standing.result()


@pytest.mark.parametrize("ends", ["opening", "open"])
async def test_world_whose_opening_is_cancelled_is_gone(
    busy_host: tuple[Host, threading.Event], ends: str
) -> None:
    host, go_on = busy_host
    relay = FakeRelay(server=host, appid=79)
    opening = asyncio.create_task(relay.__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    if ends == "open":
        async with FakeRelay(server=host, appid=79) as again:
            assert (await again.client.start_source("r", "u", "rtmp://h/a")).is_accepted
    assert worlds(host) == ["default"]


def test_opening_waits_for_nothing(busy_host: tuple[Host, threading.Event]) -> None:
    host, go_on = busy_host
    relay = FakeRelay(server=host).__enter__()
    assert relay.is_open
    assert relay.url.startswith("http://127.0.0.1:")
    assert not relay.has_faults
    go_on.set()
    assert relay.start("rtmp://h/a").is_accepted
    assert relay.callbacks.wait_for(rtmpurl="rtmp://h/a")
    relay.close()
    assert worlds(host) == ["default"]


def test_world_is_there_for_whoever_looks_first(busy_host: tuple[Host, threading.Event]) -> None:
    host, go_on = busy_host
    with FakeRelay(server=host) as relay:
        threading.Thread(target=go_on.set).start()
        assert relay.callback_url is not None
        assert relay.tasks() == []
        assert relay.report()


def test_closing_what_was_only_asked_for_leaves_nothing(
    busy_host: tuple[Host, threading.Event],
) -> None:
    host, go_on = busy_host
    relay = FakeRelay(server=host).__enter__()
    go_on.set()
    relay.close()
    assert worlds(host) == ["default"]
    with pytest.raises(FakerelayError, match="was closed"):
        relay.tasks()


def test_world_that_nobody_looks_for_waits_for_nothing_when_it_ends(
    busy_host: tuple[Host, threading.Event],
) -> None:
    host, _ = busy_host
    relay = FakeRelay(server=host).__enter__()
    relay.close()
    assert not relay.is_open
    assert (worlds(host), host.receiver._inboxes, len(host._calls)) == (["default"], {}, 1)


def test_closing_while_a_thread_calls_first_leaves_nothing(host: Host) -> None:
    with often_switching():
        for act in (FakeRelay.tasks, lambda relay: relay.start("rtmp://h/a")) * 50:
            relay = FakeRelay(server=host).__enter__()
            _, called = do_together(relay.close, partial(act, relay))
            assert isinstance(called.exception(), FakerelayError | None)
            assert (worlds(host), host.receiver._inboxes, host.clients) == (["default"], {}, set())


def test_world_whose_host_was_closed_first_is_told_so() -> None:
    host, go_on = open_shared(tls=False), threading.Event()

    async def stand_still() -> None:
        go_on.wait()

    host.begin(stand_still())
    relay = FakeRelay(server=host).__enter__()
    closing = threading.Thread(target=host.close)
    closing.start()
    while host.is_running:
        pass
    go_on.set()
    closing.join()
    with pytest.raises(FakerelayError, match="was closed"):
        relay.env()
    relay.close()


def test_relay_entered_again_has_the_callbacks_of_its_new_world(host: Host) -> None:
    relay = FakeRelay(server=host)
    with relay:
        relay.start("rtmp://h/a")
        relay.callbacks.wait_for()
    assert len(relay.callbacks) == 1
    with relay:
        assert relay.callbacks.url == relay.callback_url
        assert len(relay.callbacks) == 0


async def test_world_is_not_begun_in_the_loop_that_would_have_to_make_it() -> None:
    shared = Host(lambda receiver: Config(port=0, control_port=0, no_tls=True, apps=()))
    await shared.aopen()
    try:
        with pytest.raises(FakerelayError, match="would have to wait"):
            FakeRelay(server=shared).__enter__()
        assert worlds(shared) == ["default"]
    finally:
        await shared.aclose()


@pytest.mark.parametrize("options", [{}, {"appid": 5}], ids=["any app", "one app"])
async def test_relay_on_a_server_of_others_is_entered_once_whoever_tries(
    busy_host: tuple[Host, threading.Event], options: dict[str, Any]
) -> None:
    host, go_on = busy_host
    relay = FakeRelay(server=host, **options)
    tries = [asyncio.create_task(relay.__aenter__()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(FakerelayError, match="runs already"):
        relay.__enter__()
    go_on.set()
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert [str(each) for each in outcomes if each is not relay] == [RUNS_ALREADY]
    assert (await relay.client.start_source("r", "u", "rtmp://h/a")).is_accepted
    assert await relay.callbacks.await_for()
    await relay.aclose()
    assert worlds(host) == ["default"]
    assert host.receiver._inboxes == {}


@contextmanager
def often_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def do_together(*acts: Callable[[], T]) -> list[Future[T]]:
    """Each in a thread of its own, all at once."""
    together = threading.Barrier(len(acts), timeout=10)

    def do(act: Callable[[], T]) -> T:
        together.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [pool.submit(do, act) for act in acts]


def test_threads_that_enter_one_relay_at_once_leave_one_inbox(host: Host) -> None:
    with often_switching():
        for _ in range(100):
            relay = FakeRelay(server=host)
            tries = do_together(relay.__enter__, relay.__enter__)
            assert [each.exception() for each in tries].count(None) == 1
            assert len(host.receiver._inboxes) == 1
            relay.close()
    assert (worlds(host), host.receiver._inboxes) == (["default"], {})


def test_world_refused_in_the_loop_that_waits_leaves_no_inbox(host: Host) -> None:
    async def enter() -> None:
        with pytest.raises(FakerelayError, match="would have to wait"):
            FakeRelay(server=host).__enter__()

    host.run(enter())
    assert host.receiver._inboxes == {}


def write_profile(folder: Path, quota: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "own.json").write_text(f'{{"extends": "default", "concurrent_pushes": {quota}}}')


@pytest.mark.parametrize("folders", ["aa", "ab"], ids=["written anew", "in another folder"])
def test_profile_is_what_its_file_says_now(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: str
) -> None:
    for quota, name in enumerate(folders, 1):
        write_profile(tmp_path / name, quota)
        monkeypatch.chdir(tmp_path / name)
        with FakeRelay(server=host, profile="own.json") as relay:
            assert relay.control("profile")["profile"]["concurrent_pushes"] == quota


def test_profile_without_a_name_is_refused(host: Host) -> None:
    with pytest.raises(ConfigError, match="Can't read profile"):
        FakeRelay(server=host, profile="").__enter__()


async def test_client_ends_with_its_relay_on_a_server_that_goes_on(host: Host) -> None:
    async with FakeRelay(server=host) as relay:
        client = relay.client
        assert (await client.start_source("r", "u", "rtmp://h/a")).is_accepted
    with pytest.raises(FakerelayError, match="was closed"):
        await client.start_source("r", "u", "rtmp://h/a")
    assert client._session is None
    assert host.clients == set()


def test_threads_that_call_first_share_a_client(host: Host) -> None:
    with often_switching():
        for _ in range(100):
            with FakeRelay(server=host) as relay:
                first, second = do_together(*[lambda: relay.client] * 2)
                assert first.result() is second.result()


def test_clients_end_with_the_host() -> None:
    host = open_shared(tls=False)
    relay = FakeRelay(server=host).__enter__()
    relay.start("rtmp://h/a")
    client = relay.client
    host.close()
    assert client._session is None
    relay.close()


async def test_world_on_its_way_does_not_stand_in_the_way_of_a_coroutine(
    busy_host: tuple[Host, threading.Event],
) -> None:
    host, go_on = busy_host
    with FakeRelay(server=host) as relay:
        given_up = asyncio.create_task(relay.acontrol("tasks"))
        waiting = asyncio.create_task(relay.acontrol("tasks"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        go_on.set()
        assert (await waiting)["items"] == []


def test_world_in_a_loop_that_stands_still_is_not_waited_for() -> None:
    shared = Host(lambda receiver: Config(port=0, control_port=0, no_tls=True, apps=()))
    with asyncio.Runner() as runner:
        runner.run(shared.aopen())
        with pytest.raises(FakerelayError, match="would have to wait"):
            FakeRelay(server=shared).__enter__()
        runner.run(shared.aclose())


def test_world_asked_for_elsewhere_is_made_by_whoever_looks_in_its_own_loop() -> None:
    shared = Host(lambda receiver: Config(port=0, control_port=0, no_tls=True, apps=()))

    async def enter() -> None:
        relay = FakeRelay(server=shared)
        thread = threading.Thread(target=relay.__enter__)
        thread.start()
        thread.join()
        assert relay.tasks() == []
        await relay.aclose()
        assert worlds(shared) == ["default"]

    with asyncio.Runner() as runner:
        runner.run(shared.aopen())
        runner.run(enter())
        runner.run(shared.aclose())


def test_closing_while_the_host_closes_does_nothing() -> None:
    host, go_on = open_shared(tls=False), threading.Event()
    relay = FakeRelay(server=host).__enter__()
    relay.tasks()

    async def stand_still() -> None:
        go_on.wait()

    host.begin(stand_still())
    with ThreadPoolExecutor(2) as pool:
        closing = pool.submit(relay.close)
        while len(host._calls) < 2:
            pass
        ending = pool.submit(host.close)
        while host.is_running:
            pass
        go_on.set()
        assert (closing.result(), ending.result()) == (None, None)
    assert not relay.is_open


def test_relay_of_a_host_that_was_closed_is_not_open_when_that_opens_again() -> None:
    host = open_shared(tls=False)
    relay = FakeRelay(server=host).__enter__()
    host.close()
    host.open()
    try:
        assert not relay.is_open
        with pytest.raises(FakerelayError, match="was closed"):
            relay.tasks()
        with relay:
            assert relay.tasks() == []
    finally:
        host.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
@pytest.mark.parametrize("server", ["None", "host"], ids=["own", "shared"])
def test_forked_process_leaves_a_relay_to_its_parent(server: str) -> None:
    code = LEAVING.replace("SERVER", server)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert (ran.stdout, ran.stderr) == ("7 []\n", "")


LEAVING = """
import os, sys
from fakerelay import FakeRelay
from fakerelay.hosts import open_shared
host = open_shared(tls=False)
with FakeRelay(server=SERVER) as relay:
    if os.fork() == 0:
        sys.exit(7)
    print(os.waitstatus_to_exitcode(os.wait()[1]), relay.tasks())
host.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
def test_forked_process_does_not_wait_for_a_world_that_is_made_elsewhere() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("True The relay runs in the process that this one was forked from")


FORKING = """
import os, threading
from fakerelay import FakeRelay
from fakerelay.config import Config
from fakerelay.hosts import open_shared
host, go_on = open_shared(tls=False), threading.Event()
async def stand_still():
    go_on.wait()
host.begin(stand_still())
with FakeRelay(server=host) as relay:
    if os.fork() == 0:
        try:
            relay.find_leftovers()
        except Exception as error:
            print(relay.env()["FAKERELAY_APPID"] == str(relay.appid), error, flush=True)
        os._exit(0)
    os.wait()
    go_on.set()
host.close()
"""
