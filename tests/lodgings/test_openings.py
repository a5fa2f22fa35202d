"""How a world on a shared server begins: soon, later, or not at all."""

import asyncio
import threading
from typing import Any

import pytest

from fakerelay import ConfigError, FakeRelay, FakerelayError, Host
from fakerelay.config import Config
from fakerelay.hosts.errands import RUNS_ALREADY
from tests.lodgings.conftest import worlds
from tests.lodgings.threads import do_together, often_switching

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
