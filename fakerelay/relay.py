"""A relay of one's own inside a Python process, for scripts and tests in any framework."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from fakerelay.client import RelayClient, make_token
from fakerelay.config import AppConfig, Config
from fakerelay.errors import FakerelayError
from fakerelay.server import Server

T = TypeVar("T")

_APP = AppConfig(123456789, "fakerelay", "fakerelay-key")


class FakeRelay:
    """A server on free ports of loopback: `with FakeRelay() as relay:`, or `async with`.

    With `with` it runs in a thread of its own, with `async with` in the caller's loop; its methods
    work from either. `tls` makes `url` HTTPS; `settings` replaces keys of the `profile`
    (`{"concurrent_pushes": 1}`). Raises ConfigError on entering.
    """

    def __init__(
        self,
        *,
        appid: int = _APP.appid,
        certificate_id: str = _APP.certificate_id,
        certificate_key: str = _APP.certificate_key,
        callback_url: str | None = None,
        profile: str = "default",
        settings: Mapping[str, object] | None = None,
        tls: bool = False,
    ) -> None:
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
            profile=profile,
            settings=settings or {},
        )
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

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
        ca_file = {"FAKERELAY_CA_FILE": self.ca_file} if self.ca_file else {}
        return {
            "FAKERELAY_URL": self.url,
            "FAKERELAY_HTTP_URL": self.http_url,
            "FAKERELAY_CONTROL_URL": self.control_url,
            "FAKERELAY_APPID": str(self.appid),
            "FAKERELAY_CERTIFICATE_ID": self.certificate_id,
            "FAKERELAY_CERTIFICATE_KEY": self.certificate_key,
            "FAKERELAY_TOKEN": self.token,
            **ca_file,
        }

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
        """Do a verb of the control plane at once; `wait_seconds` needs `await acontrol(...)`
        where the relay runs in the caller's own loop. Raises ControlError.
        """
        return self._run(self._running().control.call(verb, **parameters))

    async def acontrol(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, waiting without standing in the loop's way."""
        work = self._running().control.call(verb, **parameters)
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._own_loop()))

    # Its life.

    def __enter__(self) -> Self:
        self._refuse_twice()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="fakerelay", daemon=True
        )
        self._thread.start()
        try:
            self._server = self._run(self._start())
        except BaseException:
            self._end_thread()
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
        server, self._server = self._server, None
        if server is not None:
            self._run(server.close(grace_seconds=0))
        self._end_thread()

    async def aclose(self) -> None:
        """End a relay that was entered with `async with`; closing again does nothing."""
        server, self._server = self._server, None
        if server is not None:
            await server.close(grace_seconds=0)
        self._loop = None

    async def _start(self) -> Server:
        server = Server(self._config)
        await server.start()
        return server

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        loop = self._own_loop()
        if _running_loop() is not loop:
            return asyncio.run_coroutine_threadsafe(work, loop).result()
        try:
            work.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        work.close()
        raise FakerelayError(
            "This would have to wait, and the relay runs in the loop that waits:"
            " use 'await relay.acontrol(...)'"
        )

    def _running(self) -> Server:
        if self._server is None:
            raise FakerelayError(
                "The relay is not running: use 'with FakeRelay() as relay:' or 'async with'"
            )
        return self._server

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None
        return self._loop

    def _refuse_twice(self) -> None:
        if self._server is not None:
            raise FakerelayError("The relay runs already: make another FakeRelay for a second one")

    def _end_thread(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
