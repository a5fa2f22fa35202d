"""Reset, dropped apps and dropped worlds while callbacks are in flight to a receiver that hangs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.control.local import LocalControl
from fakerelay.core.model import App
from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID


@pytest.fixture
async def receiver(server: Server) -> AsyncIterator[asyncio.Semaphore]:
    """Never answers, and releases for each post that has come; all apps tell it."""
    came, ends = asyncio.Semaphore(0), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.release()
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/cb"
        for appid in (APPID, OTHER_APPID):
            await server.control.call("put_app", appid=appid, callback_url=url)
        yield came
        ends.set()


@pytest.fixture
async def busy(server: Server, relay: RelayClient, receiver: asyncio.Semaphore) -> LocalControl:
    """The control plane while a callback of each app is in flight."""
    await relay.start_source("r", "u", "rtmp://h/a")
    async with RelayClient(server.url, OTHER_APPID, "other-cert", "other-key") as other:
        await other.start_source("r", "u", "rtmp://h/b")
    for _ in range(2):
        await receiver.acquire()
    return server.control


async def test_reset_waits_for_the_posts_of_all_apps_together(busy: LocalControl) -> None:
    began_at = time.monotonic()
    await busy.call("reset", all=True)
    assert 0.5 < time.monotonic() - began_at < 1.8


@pytest.mark.parametrize(
    ("verb", "parameters", "answered"),
    [
        ("reset", {"all": True}, {"tasks": 2, "callbacks": 2}),
        ("delete_app", {"appid": APPID}, {"appid": APPID}),
    ],
)
async def test_what_is_forgotten_at_once_is_forgotten_whole(
    busy: LocalControl, verb: str, parameters: Mapping[str, Any], answered: Mapping[str, Any]
) -> None:
    shown = busy.call_at_once(verb, **parameters)
    assert {key: shown[key] for key in answered} == answered
    for noun in ("tasks", "callbacks"):
        assert busy.call_at_once(noun, appid=APPID)["total"] == 0


async def test_reset_that_is_still_waiting_has_forgotten_everything(busy: LocalControl) -> None:
    resetting = asyncio.create_task(busy.call("reset", all=True))
    await asyncio.sleep(0)
    for noun in ("tasks", "callbacks", "requests"):
        assert busy.call_at_once(noun)["total"] == 0
    assert not resetting.done()
    await resetting


async def test_world_that_is_being_dropped_takes_no_more_apps(
    server: Server, receiver: asyncio.Semaphore
) -> None:
    control = server.control
    url = control.call_at_once("app", appid=APPID)["callback_url"]
    made = await control.call("create_world", id="mine", appid=9, callback_url=url)
    client = RelayClient(server.url, 9, made["certificate_id"], made["certificate_key"])
    async with client:
        await client.start_source("r", "u", "rtmp://h/b")
    await receiver.acquire()
    tenant = server.tenants.get("mine")
    assert tenant is not None
    dropping = asyncio.create_task(control.call("delete_world", id="mine"))
    await asyncio.sleep(0)
    assert not dropping.done()
    with pytest.raises(FakerelayError, match="Unknown world 'mine'"):
        control.call_at_once("put_app", appid=10, world="mine")
    with pytest.raises(ConfigError, match="World 'mine' has been dropped"):
        await server.tenants.put_app(tenant, App(10, "account"))
    assert server.tenants.find(10) is None
    assert (await dropping)["apps"] == [9]


async def test_list_that_would_have_to_wait_is_refused_at_once(server: Server) -> None:
    with pytest.raises(FakerelayError, match="acontrol"):
        server.control.call_at_once("tasks", wait_seconds=1)
