"""How a server goes down; what it answers while it is up is tested with `web` and `control`."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from fakerelay.client import RelayClient
from fakerelay.control.client import ControlClient
from fakerelay.delivery import CUT_OFF
from fakerelay.errors import FakerelayError
from fakerelay.server import Server

Open = Callable[..., Awaitable[Server]]


@pytest.fixture
async def hung_receiver() -> AsyncIterator[str]:
    """A receiver that takes what it is sent, and never answers."""
    ends = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as receiver:
        yield f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/cb"
        ends.set()


async def open_half_a_request(url: str) -> asyncio.StreamWriter:
    """A connection that has promised a body and not sent it."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /v1/7/push HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{")
    await writer.drain()
    return writer


async def test_closing_server_waits_for_all_that_hangs_together(
    open_server: Open, hung_receiver: str
) -> None:
    server = await open_server(control_port=0, http_port=0)
    await server.control.call("put_app", appid=7, callback_url=hung_receiver)
    async with RelayClient(server.url, 7, "cert", "key") as client:
        await client.start_source("r", "u", "rtmp://h/a")
    halves = [await open_half_a_request(url) for url in (server.url, server.http_url or "")]
    async with ControlClient(server.control_url or "") as control:
        polling = asyncio.create_task(control.call("tasks", wait_seconds=60, count=9))
        await control.call("health")
        began_at = time.monotonic()
        [undelivered] = await server.close()
        assert time.monotonic() - began_at < 4
        with pytest.raises(FakerelayError, match="No answer"):
            await polling
    assert undelivered.reason == CUT_OFF
    for writer in halves:
        writer.close()


async def test_closing_server_ends_waiting_for_a_list_at_once(open_server: Open) -> None:
    server = await open_server(control_port=0)
    url = f"{server.control_url}/_fakerelay/v1/tasks?wait_seconds=60"
    async with aiohttp.ClientSession() as session:
        polling = asyncio.create_task(session.get(url))
        async with session.get(f"{server.control_url}/_fakerelay/v1/health"):
            began_at = time.monotonic()
        await server.close()
        assert time.monotonic() - began_at < 1
        with pytest.raises(aiohttp.ClientError):
            await polling
