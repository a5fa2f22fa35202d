"""A relay of one's own inside a Python process, for scripts and tests in any framework."""

import asyncio
import concurrent.futures
import ssl
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from fakerelay.client import RelayClient, make_token
from fakerelay.config import AppConfig, Config, check_snapshot
from fakerelay.environment import describe_relay
from fakerelay.errors import FakerelayError
from fakerelay.ports import ClockMode
from fakerelay.server import Server
from fakerelay.timekeeping import Timekeeper

T = TypeVar("T")

_APP = AppConfig(123456789, "fakerelay", "fakerelay-key")
_NOT_RUNNING = "The relay is not running: use 'with FakeRelay() as relay:' or 'async with'"
_CALLED_OFF = "The relay was closed before this was done"


class FakeRelay:
    """A server on free ports of loopback: `with FakeRelay() as relay:`, or `async with`.

    With `with` it runs in a thread of its own, with `async with` in the caller's loop; its methods
    work from either. `tls` makes `url` HTTPS; `settings` replaces keys of the `profile`
    (`{"concurrent_pushes": 1}`). With `clock="frozen"` time stands still until `relay.clock` moves
    it; it begins at `now`. With a `seed` all that is made up is the same in every run. It begins
    with the world of a `snapshot`, or of its file, which brings its own profile and clock, and with
    the plans `faults`. Raises ConfigError, most of them on entering.
    """

    def __init__(
        self,
        *,
        appid: int = _APP.appid,
        certificate_id: str = _APP.certificate_id,
        certificate_key: str = _APP.certificate_key,
        callback_url: str | None = None,
        profile: str | None = None,
        settings: Mapping[str, object] | None = None,
        snapshot: Mapping[str, Any] | str | Path | None = None,
        tls: bool = False,
        clock: ClockMode | None = None,
        now: float | None = None,
        seed: int | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        if snapshot is not None:
            own = {"profile": profile, "settings": settings, "clock": clock, "now": now}
            check_snapshot(key for key, value in own.items() if value is not None)
        self.appid = appid
        self.certificate_id = certificate_id
        self.certificate_key = certificate_key
        self.callback_url = callback_url
        self._config = Config(
            port=0,
            http_port=0 if tls else None,
            control_port=0,
            no_tls=not tls,
            apps=(AppConfig(appid, certificate_id, certificate_key, callback_url),),
            profile="default" if profile is None else profile,
            settings=settings or {},
            snapshot=Path(snapshot) if isinstance(snapshot, str) else snapshot,
            clock="real" if clock is None else clock,
            now=now,
            seed=seed,
            faults=tuple(faults),
        )
        self.clock = Timekeeper(self.control, self.acontrol)
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._calls: set[concurrent.futures.Future[Any]] = set()

    # Where it is, and what opens it.

    @property
    def url(self) -> str:
        return self._running().url

    @property
    def http_url(self) -> str:
        """The vendor API over plain HTTP."""
        return self._running().http_url or ""

    @property
    def control_url(self) -> str:
        return self._running().control_url or ""

    @property
    def ca_file(self) -> str | None:
        """What a client has to trust; None without TLS."""
        path = self._running().tls_files.ca_file
        return str(path) if path else None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """A client's context that trusts this relay; None without TLS."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None

    @property
    def token(self) -> str:
        """The whole value of the `token` header."""
        return make_token(self.certificate_id, self.certificate_key)

    @property
    def headers(self) -> dict[str, str]:
        """What every call of the vendor API needs."""
        return {"token": self.token, "Content-Type": "application/json;charset=utf-8"}

    def env(self) -> dict[str, str]:
        """The same for a subprocess, as environment variables."""
        server, (app,) = self._running(), self._config.apps
        return describe_relay(self.url, self.http_url, self.control_url, app, server.tls_files)

    def client(self, *, timeout_seconds: float = 10.0) -> RelayClient:
        """A client of the app, to be used with `async with`."""
        return RelayClient(
            self.url,
            self.appid,
            self.certificate_id,
            self.certificate_key,
            ssl_context=self.ssl_context,
            timeout_seconds=timeout_seconds,
        )

    # What goes on in it.

    def tasks(self, **filters: Any) -> list[dict[str, Any]]:
        """The running tasks, as the control plane's `tasks` tells them."""
        listed: list[dict[str, Any]] = self.control("tasks", **filters)["items"]
        return listed

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The journal, oldest first, as the control plane's `requests` tells it."""
        listed: list[dict[str, Any]] = self.control("requests", **filters)["items"]
        return listed

    def callbacks(self, **filters: Any) -> list[dict[str, Any]]:
        """The notifications with their attempts, as the control plane's `callbacks` tells them."""
        listed: list[dict[str, Any]] = self.control("callbacks", **filters)["items"]
        return listed

    def control(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, from any thread. Raises ControlError.

        Called inside the loop that the relay runs in, it can't wait: `wait_seconds` needs
        `await acontrol(...)`, and what is forgotten is gone at once, but a callback of it that is
        in flight may still arrive within a second.
        """
        control = self._running().control
        if _running_loop() is self._loop:
            return control.call_at_once(verb, **parameters)
        return _result(self._submit(control.call(verb, **parameters)))

    async def acontrol(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, waiting without standing in the loop's way."""
        work = self._running().control.call(verb, **parameters)
        if asyncio.get_running_loop() is self._loop:
            return await work
        call = self._submit(work)
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise FakerelayError(_CALLED_OFF) from None

    # Its life.

    def __enter__(self) -> Self:
        self._refuse_twice()
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_live, args=(loop,), name="fakerelay", daemon=True)
        self._thread.start()
        try:
            self._server = self._submit(self._start()).result()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self._refuse_twice()
        self._server = await self._start()
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """End a relay that was entered with `with`; closing again does nothing."""
        if self._thread is None:
            return
        server, loop, thread = self._leave()
        if loop is None or thread is None:
            return
        try:
            if server is not None:
                work = server.close(grace_seconds=0)
                asyncio.run_coroutine_threadsafe(work, loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    async def aclose(self) -> None:
        """End a relay, entered either way, without standing in the loop's way; again, nothing."""
        if self._thread is not None:
            return await asyncio.to_thread(self.close)
        server, _, _ = self._leave()
        if server is not None:
            await server.close(grace_seconds=0)

    async def _start(self) -> Server:
        server = Server(self._config)
        await server.start()
        return server

    def _submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Do something in the relay's loop; `_leave` calls off what hasn't ended by then."""
        with self._lock:
            if self._loop is None:
                work.close()
                raise FakerelayError(_NOT_RUNNING)
            call = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def _leave(
        self,
    ) -> tuple[Server | None, asyncio.AbstractEventLoop | None, threading.Thread | None]:
        """Take no more calls and call off those that wait; what is to be ended, only once."""
        with self._lock:
            left = self._server, self._loop, self._thread
            self._server = self._loop = self._thread = None
            calls = list(self._calls)
        for call in calls:
            call.cancel()
        return left

    def _running(self) -> Server:
        if self._server is None:
            raise FakerelayError(_NOT_RUNNING)
        return self._server

    def _refuse_twice(self) -> None:
        if self._server is not None:
            raise FakerelayError("The relay runs already: make another FakeRelay for a second one")


def _live(loop: asyncio.AbstractEventLoop) -> None:
    """The life of a thread: once its loop is stopped, it calls off what is left and closes it."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


def _result(call: concurrent.futures.Future[T]) -> T:
    try:
        return call.result()
    except concurrent.futures.CancelledError as error:
        raise FakerelayError(_CALLED_OFF) from error


def _is_cancelled() -> bool:
    """Whether it is this very task that is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
