"""Where a server lives: in a thread of its own, or in the loop of whoever opened it.

Any number of relays may share one, each of them a world.
"""

import asyncio
import concurrent.futures
import os
import ssl
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

from fakerelay.client import RelayClient, RelayUnreachable, Reply
from fakerelay.config import Config
from fakerelay.errors import FakerelayError
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
_CALLED_OFF: Final = "The relay was closed before this was done"


class Host:
    """A server with its loop: `open` and `close`, or `aopen` and `aclose` in a coroutine.

    `make_config` is given the receiver of callbacks, which is up by then.
    """

    def __init__(self, make_config: Callable[[Receiver], Config]) -> None:
        self._make_config = make_config
        self._server: Server | None = None
        self._receiver: Receiver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self.clients: set[HostedClient] = set()
        self._was_closed = False

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

    # What others have done in its loop.

    def run(self, work: Coroutine[Any, Any, T], *, is_quick: bool = False) -> T:
        """Do something in its loop, from another thread.

        What is quick hardly ever waits, and needs no task of its own: it begins without one.
        """
        __tracebackhide__ = True
        self._refuse_here(work)
        try:
            return self._submit(work, is_quick=is_quick).result()
        except concurrent.futures.CancelledError:
            raise FakerelayError(_CALLED_OFF) from None

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
            self.server.tenants.arrivals.add(call, lambda: _do_quickly(make(), call))
            self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def take_back(self, call: concurrent.futures.Future[Any]) -> bool:
        """Whether what was asked for is not begun, and never will be."""
        server = self._server
        return server is not None and server.tenants.arrivals.take_back(call) and call.cancel()

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
            return call.result()
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
            raise FakerelayError(_CALLED_OFF) from None

    # Its life.

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
        try:
            await self._start()
        except BaseException:
            self._leave()
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
            self._loop.call_soon_threadsafe(_do_quickly, work, call)
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


def _do_quickly(work: Coroutine[Any, Any, T], call: concurrent.futures.Future[T]) -> None:
    """Do it in this very turn of the loop; what has to wait after all goes on in a task."""
    if not call.set_running_or_notify_cancel():
        work.close()
        return
    try:
        first = work.send(None)
    except StopIteration as done:
        call.set_result(done.value)
    except BaseException as error:
        call.set_exception(error)
    else:
        task = asyncio.get_running_loop().create_task(_go_on(_Rest(work, first)))
        task.add_done_callback(partial(_hand_over, call))


def _hand_over(call: concurrent.futures.Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        call.set_exception(FakerelayError(_CALLED_OFF))
    elif (error := task.exception()) is not None:
        call.set_exception(error)
    else:
        call.set_result(task.result())


async def _go_on(rest: "_Rest[T]") -> T:
    return await rest


class _Rest(Generic[T]):
    """What is left of a coroutine that has begun, and waits for `first`."""

    def __init__(self, work: Coroutine[Any, Any, T], first: Any) -> None:
        self._work = work
        self._first = first

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._first
        while True:
            try:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(sent)
            except StopIteration as done:
                result: T = done.value
                return result


async def _let_in(server: Server) -> None:
    server.tenants.arrivals.let_in()


def open_shared(*, tls: bool) -> Host:
    """A host for relays that are worlds of it; it has no app of its own. Raises ConfigError."""
    config = Config(port=0, http_port=0 if tls else None, control_port=0, no_tls=not tls, apps=())
    host = Host(lambda receiver: config)
    host.open()
    return host


class HostedClient(RelayClient):
    """A client that lives in a host's loop, so that any loop may call it; its first call opens it.

    It ends with the relay, or else with the host.
    """

    def __init__(
        self,
        host: Host,
        url: str,
        appid: int,
        certificate_id: str,
        certificate_key: str,
        *,
        ca_file: Path | None,
    ) -> None:
        super().__init__(url, appid, certificate_id, certificate_key)
        self._host = host
        self._ca_file = ca_file
        self._has_ended = False
        host.clients.add(self)

    async def __aenter__(self) -> Self:
        return self

    async def close(self) -> None:
        """Close the connections; the next call opens others."""
        if self._session is not None:
            await self._host.arun(super().close())

    async def end(self) -> None:
        """Close them for good, in the host's loop; calls are refused from now on."""
        self._has_ended = True
        self._host.clients.discard(self)
        await super().close()

    async def call(
        self, operation: str, body: Mapping[str, Any], *, trace_id: str | None = None
    ) -> Reply:
        return await self._host.arun(self._call(operation, body, trace_id))

    async def _call(self, operation: str, body: Mapping[str, Any], trace_id: str | None) -> Reply:
        if self._has_ended:
            raise FakerelayError(WAS_CLOSED)
        if self._session is None:
            if self._ca_file is not None:
                self._ssl_context = ssl.create_default_context(cafile=self._ca_file)
            await super().__aenter__()
        try:
            return await super().call(operation, body, trace_id=trace_id)
        except RelayUnreachable:
            if self._has_ended:
                raise FakerelayError(WAS_CLOSED) from None
            raise


class _Left(NamedTuple):
    """What a host leaves behind."""

    server: Server | None
    receiver: Receiver | None
    clients: Sequence[HostedClient]
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


def _refuse_without_loop(work: Coroutine[Any, Any, Any]) -> None:
    if find_running_loop() is None:
        work.close()
        raise FakerelayError(_NO_LOOP)


def _is_cancelled() -> bool:
    """Whether it is this very task that is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
