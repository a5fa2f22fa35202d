"""Relays that are worlds on the server of others: made whole or not at all, and gone afterwards."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fakerelay import ConfigError, FakeRelay, FakerelayError, Host
from fakerelay.config import Config
from fakerelay.hosts import open_shared

from .conftest import no_complaints


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


@pytest.mark.parametrize("ends", ["opening", "open"])
async def test_world_whose_opening_is_cancelled_is_gone(host: Host, ends: str) -> None:
    relay = FakeRelay(server=host, appid=79)
    opening = asyncio.create_task(relay.__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    if ends == "open":
        async with FakeRelay(server=host, appid=79) as again:
            assert (await again.client.start_source("r", "u", "rtmp://h/a")).is_accepted
    assert worlds(host) == ["default"]


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
def test_forked_process_does_not_wait_for_a_world_that_is_made_elsewhere() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    assert "forked from" in ran.stdout


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
            relay.env()
        except Exception as error:
            print(error, flush=True)
        os._exit(0)
    os.wait()
    go_on.set()
host.close()
"""
