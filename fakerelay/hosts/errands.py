"""What other threads and loops have done in the loop that a server lives in."""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from fakerelay.errors import FakerelayError
from fakerelay.hosts.turns import CALLED_OFF, do_quickly
from fakerelay.inboxes.receivers import Receiver
from fakerelay.loops import find_running_loop
from fakerelay.server import Server

T = TypeVar("T")

NOT_RUNNING: Final = "The relay is not running: use 'with FakeRelay() as relay:' or 'async with'"
WAS_CLOSED: Final = (
    "The relay was closed (its test is over, or its 'with' was left): does a thread still use it?"
)
_NO_LOOP: Final = (
    "This needs a running asyncio loop, and there is none: under another framework, such as trio,"
    " use the methods for sync code, in a thread"
)
RUNS_ALREADY: Final = "The relay runs already: make another FakeRelay for a second one"


class Ending(Protocol):
    """Whoever has something in the loop that has to end with it, and in it."""

    async def end(self) -> None: ...


class Errands:
    """A loop with a server in it, as long as it `is_running`, for whoever wants something done."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._receiver: Receiver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self._was_closed = False
        self.clients: set[Ending] = set()

    @property
    def is_running(self) -> bool:
        return self._server is not None

    def runs(self, server: Server) -> bool:
        """Whether it is this one that it runs; once closed and opened again, it is another."""
        return self._server is server

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lives in the process that this one was forked from."""
        return os.getpid() != self._pid

    @property
    def server(self) -> Server:
        """Raises FakerelayError where it isn't running."""
        if self._server is None:
            raise FakerelayError(self._absence)
        return self._server

    @property
    def receiver(self) -> Receiver:
        """Takes callbacks, in the server's own loop."""
        if self._receiver is None:
            raise FakerelayError(self._absence)
        return self._receiver

    @property
    def _absence(self) -> str:
        return WAS_CLOSED if self._was_closed else NOT_RUNNING

    @property
    def is_here(self) -> bool:
        """Whether the caller is in the server's own loop, where waiting for it would be in vain."""
        return self._loop is not None and find_running_loop() is self._loop

    @property
    def stands_still(self) -> bool:
        """Whether its loop is the caller's own, between two runs, so that nothing else happens."""
        loop = self._loop
        return self._thread is None and loop is not None and not loop.is_running()

    def run(self, work: Coroutine[Any, Any, T], *, is_quick: bool = False) -> T:
        """Do something in its loop, from another thread.

        What is quick hardly ever waits, and needs no task of its own: it begins without one.
        """
        __tracebackhide__ = True
        self._refuse_here(work)
        try:
            return _wait(self._submit(work, is_quick=is_quick))
        except concurrent.futures.CancelledError:
            raise FakerelayError(CALLED_OFF) from None

    def begin(
        self, work: Coroutine[Any, Any, T], *, is_awaited: bool = False
    ) -> concurrent.futures.Future[T]:
        """Have something quick done before all that is asked of it later, and don't wait for it.

        What is awaited later may be begun in its own loop, too.
        """
        if is_awaited:
            _refuse_without_loop(work)
        else:
            self._refuse_here(work)
        return self._submit(work, is_quick=True)

    def ask(self, make: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        """Have a world made before anybody looks for it, and wake nobody for it."""
        self._refuse_here()
        self._refuse_fork()
        call: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._lock:
            self.server.tenants.arrivals.add(call, lambda: do_quickly(make(), call))
            self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def call_off(self, call: concurrent.futures.Future[Any]) -> bool:
        """Whether what was asked for is not begun, and never will be."""
        server = self._server
        return server is not None and server.tenants.arrivals.remove(call) and call.cancel()

    def _hasten(self) -> None:
        """Have made what was only asked for."""
        server = self._server
        if server is not None and server.tenants.arrivals.has_any:
            self._submit(_let_in(server), is_quick=True)

    def wait_for(self, call: concurrent.futures.Future[T]) -> T:
        """For what has begun. Raises FakerelayError where waiting would be in vain."""
        if not call.done():
            self._refuse_fork()
            self._refuse_here()
            self._hasten()
        try:
            return _wait(call)
        except concurrent.futures.CancelledError:
            raise FakerelayError(WAS_CLOSED) from None

    async def await_for(self, call: concurrent.futures.Future[T]) -> T:
        """The same, for coroutines; who is cancelled meanwhile doesn't take it along."""
        if call.done():
            return self.wait_for(call)
        self._refuse_fork()
        self._hasten()
        try:
            return await asyncio.shield(asyncio.wrap_future(call))
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise FakerelayError(WAS_CLOSED) from None

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in its loop, without standing in the way of the caller's."""
        __tracebackhide__ = True
        if self.is_here:
            return await work
        _refuse_without_loop(work)
        call = self._submit(work)
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise FakerelayError(CALLED_OFF) from None

    def _submit(
        self, work: Coroutine[Any, Any, T], *, is_quick: bool = False
    ) -> concurrent.futures.Future[T]:
        """Do something in its loop; `_leave` calls off what hasn't ended by then."""
        with self._lock:
            try:
                call = self._begin_call(work, is_quick=is_quick)
            except BaseException:
                work.close()
                raise
            self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def _begin_call(
        self, work: Coroutine[Any, Any, T], *, is_quick: bool
    ) -> concurrent.futures.Future[T]:
        if self._loop is None:
            raise FakerelayError(self._absence)
        self._refuse_fork()
        try:
            if not is_quick:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
            call: concurrent.futures.Future[T] = concurrent.futures.Future()
            self._loop.call_soon_threadsafe(do_quickly, work, call)
            return call
        except RuntimeError as error:
            raise FakerelayError(f"The relay can't be reached any more: {error}") from error

    def _refuse_here(self, work: Coroutine[Any, Any, Any] | None = None) -> None:
        if self.is_here or self.stands_still:
            if work is not None:
                work.close()
            raise FakerelayError(
                "This would have to wait, and the relay runs in the loop that waits: enter it by"
                " 'with' rather than 'async with', or use the method that begins with an 'a'"
            )

    def _refuse_fork(self) -> None:
        if self.is_elsewhere:
            raise FakerelayError(
                "The relay runs in the process that this one was forked from: call it over HTTP,"
                " or open another one here"
            )


def _wait(call: concurrent.futures.Future[T]) -> T:
    """Like `result`, which is woken while the future is still locked, and so a second time."""
    done = threading.Lock()
    done.acquire()
    call.add_done_callback(lambda _: done.release())
    done.acquire()
    return call.result()


async def _let_in(server: Server) -> None:
    server.tenants.arrivals.let_in()


def _refuse_without_loop(work: Coroutine[Any, Any, Any]) -> None:
    if find_running_loop() is None:
        work.close()
        raise FakerelayError(_NO_LOOP)


def _is_cancelled() -> bool:
    """Whether it is this very task that is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
