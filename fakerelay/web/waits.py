"""Calls that are kept waiting: until their time comes, their caller goes away or the server closes.

aiohttp tells nobody that a caller has gone, except the server whose connection it was.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from fakerelay.clock import WorldClock


class Waits:
    """What waits on the connections of a server, one call on each at most.

    `real` is for what takes real time in any world.
    """

    def __init__(self) -> None:
        self.real = WorldClock()
        self._by_connection: dict[object, asyncio.Future[bool]] = {}
        self._is_closing = False

    async def until(
        self,
        request: web.BaseRequest,
        clock: WorldClock,
        due_at: float | None,
        *,
        what: str = "",
        on_due: Callable[[], None] = lambda: None,
    ) -> bool:
        """Wait until it is due, or without an end; whether the caller is still there.

        `what` tells what it is that is due. `on_due` is called when the time has come, before
        anything else is.
        """
        if self._is_closing or request.transport is None or request.transport.is_closing():
            return False
        waiter = asyncio.get_running_loop().create_future()

        def fire() -> None:
            if not waiter.done():
                on_due()
                waiter.set_result(True)

        timer = clock.call_at(due_at, fire, what) if due_at is not None else None
        self._by_connection[request.protocol] = waiter
        try:
            return bool(await waiter)
        finally:
            del self._by_connection[request.protocol]
            if timer is not None:
                timer.cancel()

    def end(self, connection: object) -> None:
        """Nobody waits on this connection any more."""
        waiter = self._by_connection.get(connection)
        if waiter is not None and not waiter.done():
            waiter.set_result(False)

    def close(self) -> None:
        """Nobody waits any more, now or later."""
        self._is_closing = True
        for connection in list(self._by_connection):
            self.end(connection)


class WaitingServer(web.Server):
    """An aiohttp server that tells `waits` who has gone, and that it closes."""

    def __init__(self, handler: Callable[..., Any], waits: Waits, **options: Any) -> None:
        super().__init__(handler, **options)
        self._waits = waits

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._waits.end(handler)

    def pre_shutdown(self) -> None:
        self._waits.close()
        super().pre_shutdown()
