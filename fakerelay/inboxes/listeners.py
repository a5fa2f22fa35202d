"""A port that takes what is posted to it, in whatever event loop it is started in."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from fakerelay.errors import ConfigError

_SHUTDOWN_SECONDS: Final = 0.1
# Whole rushes of callbacks arrive at once, and a connection that finds no room waits a second.
_BACKLOG: Final = 1024


class Listener:
    """Hands each request to a handler, which is called off when its sender has gone.

    Unless `inflates`, a body that came compressed is left so.
    """

    def __init__(
        self,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        inflates: bool = True,
    ) -> None:
        self._handle = handle
        self._inflates = inflates
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """The URL it listens on. Raises ConfigError."""
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=self._inflates,
        )
        self._runner = runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        except OSError as error:
            await self.close()
            raise ConfigError(
                f"Can't listen on {host}:{port}: {error.strerror or error}"
                " (choose another --port; 0 takes any free one)"
            ) from error
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
