"""Where a server lives: in a thread of its own, or in the loop of whoever opened it.

Any number of relays may share one, each of them a world.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fakerelay.config import Config
from fakerelay.errors import FakerelayError
from fakerelay.hosts.errands import RUNS_ALREADY, Ending, Errands
from fakerelay.inboxes.receivers import Receiver
from fakerelay.server import Server


class Host(Errands):
    """A server with its loop: `open` and `close`, or `aopen` and `aclose` in a coroutine.

    `make_config` is given the receiver of callbacks, which is up by then.
    """

    def __init__(self, make_config: Callable[[Receiver], Config]) -> None:
        super().__init__()
        self._make_config = make_config

    def open(self) -> None:
        """Begin in a thread of its own. Raises ConfigError."""
        loop = self._take(asyncio.new_event_loop)
        self._thread = threading.Thread(target=_live, args=(loop,), name="fakerelay", daemon=True)
        self._thread.start()
        try:
            self._submit(self._start()).result()
        except BaseException:
            self.close()
            raise

    async def aopen(self) -> None:
        """Begin in the caller's loop. Raises ConfigError."""
        self._take(asyncio.get_running_loop)
        starting = asyncio.ensure_future(self._start())
        try:
            await asyncio.shield(starting)  # cut off, it would leave open what it has just bound
        except BaseException:
            await asyncio.wait([starting])
            await self._leave().end()
            raise

    def close(self) -> None:
        """End what was begun with `open`; closing again does nothing.

        Another process, forked from the one it lives in, only forgets it.
        """
        if self.is_elsewhere:
            self._forget()
            return
        if self._thread is None:
            if self.is_running:
                raise FakerelayError("Close what 'async with' opened by 'await relay.aclose()'")
            return
        left = self._leave()
        if left.loop is None or left.thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(left.end(), left.loop).result()
        finally:
            left.loop.call_soon_threadsafe(left.loop.stop)
            left.thread.join()

    async def aclose(self) -> None:
        """End it, begun either way, without standing in the loop's way; again, nothing."""
        if self.is_elsewhere:
            self._forget()
            return
        if self._thread is not None:
            return await asyncio.to_thread(self.close)
        await self._leave().end()

    async def _start(self) -> None:
        receiver = Receiver()
        await receiver.start()
        try:
            server = Server(self._make_config(receiver))
            await server.start()
        except BaseException:
            await receiver.close()
            raise
        self._receiver, self._server = receiver, server

    def _leave(self) -> "_Left":
        """Take no more calls and call off those that wait; what is to be ended, only once."""
        with self._lock:
            clients = list(self.clients)
            left = _Left(self._server, self._receiver, clients, self._loop, self._thread)
            self._forget()
            calls = list(self._calls)
        for call in calls:
            call.cancel()
        return left

    def _forget(self) -> None:
        self._was_closed = self._was_closed or self._server is not None
        self._server = self._receiver = self._loop = self._thread = None

    def _take(
        self, find_loop: Callable[[], asyncio.AbstractEventLoop]
    ) -> asyncio.AbstractEventLoop:
        """The loop to live in; whoever comes second has none."""
        with self._lock:
            if self._loop is not None:
                raise FakerelayError(RUNS_ALREADY)
            self._loop, self._pid = find_loop(), os.getpid()
            return self._loop


def open_shared(*, tls: bool) -> Host:
    """A host for relays that are worlds of it; it has no app of its own. Raises ConfigError."""
    config = Config(port=0, http_port=0 if tls else None, control_port=0, no_tls=not tls, apps=())
    host = Host(lambda receiver: config)
    host.open()
    return host


class _Left(NamedTuple):
    """What a host leaves behind."""

    server: Server | None
    receiver: Receiver | None
    clients: Sequence[Ending]
    loop: asyncio.AbstractEventLoop | None
    thread: threading.Thread | None

    async def end(self) -> None:
        try:
            for client in self.clients:
                await client.end()
            if self.server is not None:
                await self.server.close(grace_seconds=0)
        finally:
            if self.receiver is not None:
                await self.receiver.close()


def _live(loop: asyncio.AbstractEventLoop) -> None:
    """The life of a thread: once its loop is stopped, it calls off what is left and closes it."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
