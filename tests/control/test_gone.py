"""Clients that go away before they have been answered: waits end, changes don't."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from fakerelay.control.access import Access
from fakerelay.control.local import LocalControl
from fakerelay.control.plane import Plane
from fakerelay.control.routes import build_application
from fakerelay.control.verbs import PREFIX, Call
from fakerelay.server import Server

PATIENCE_SECONDS = 10


async def send(url: str, method: str, path: str) -> asyncio.StreamWriter:
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"{method} {PREFIX}/{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{}}".encode())
    return writer


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def test_wait_of_a_client_that_has_gone_ends(server: Server) -> None:
    watch = server.tenants.watch
    writer = await send(server.control_url or "", "GET", "requests?wait_seconds=600")
    await until(lambda: watch.is_waited_for)
    writer.transport.abort()
    await until(lambda: not watch.is_waited_for)


async def test_change_is_made_to_its_end_though_its_client_has_gone(server: Server) -> None:
    began, may_end, steps = asyncio.Event(), asyncio.Event(), list[str]()

    class SlowControl(LocalControl):
        async def perform(self, call: Call) -> Any:
            began.set()
            try:
                await may_end.wait()
                steps.append("done")
            except asyncio.CancelledError:
                steps.append("cut off")
                raise

    application = build_application(SlowControl(Plane(server.tenants)), Access((), None))
    gone = asyncio.Event()

    @web.middleware
    async def tell(request: web.Request, handler: Any) -> Any:
        try:
            return await handler(request)
        finally:
            gone.set()

    application.middlewares.append(tell)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        writer = await send(f"http://127.0.0.1:{runner.addresses[0][1]}", "POST", "reset?all=true")
        await asyncio.wait_for(began.wait(), PATIENCE_SECONDS)
        writer.transport.abort()
        await asyncio.wait_for(gone.wait(), PATIENCE_SECONDS)
        may_end.set()
        await until(lambda: steps)
    finally:
        await runner.cleanup()
    assert steps == ["done"]
