"""Sockets: what listens on them, and how they end."""

import asyncio
import errno
import logging
import socket
import ssl
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from fakerelay.config import Config
from fakerelay.errors import ConfigError
from fakerelay.web.app import VendorApi
from fakerelay.web.waits import WaitingServer

S = TypeVar("S", bound=WaitingServer)

# A request that hangs may cost it twice: once to end by itself and once to end when cancelled.
_SHUTDOWN_SECONDS: Final = 1.0
_MOST_HEADER_BYTES: Final = 64 * 1024


class Listeners:
    """All ports of one server."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._runners: list[web.BaseRunner] = []

    async def listen(
        self,
        runner: web.BaseRunner,
        host: str,
        port: int,
        option: str,
        context: ssl.SSLContext | None = None,
    ) -> str:
        """Serve on a port; its URL. Raises ConfigError."""
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, host, port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            way_out = _find_way_out(self._config, option, port, error)
            raise ConfigError(
                f"Can't listen on {host}:{port}: {error.strerror or error} ({way_out})"
            ) from error
        scheme = "https" if context else "http"
        return f"{scheme}://{name_host(host)}:{runner.addresses[0][1]}"

    async def close(self) -> None:
        """Answer nobody any more; again, nothing."""
        runners, self._runners = self._runners, []
        await asyncio.gather(*map(_end_runner, runners))


class _NotOurFault(logging.Filter):
    """Keeps quiet about what is no HTTP at all: its sender has been told, or has gone."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


PROTOCOL_LOGGER: Final = logging.getLogger("fakerelay.http")
PROTOCOL_LOGGER.addFilter(_NotOurFault())


def make_vendor_runner(api: VendorApi) -> web.ServerRunner:
    server = make_vendor_server(api, WaitingServer)
    return web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)


def make_vendor_server(api: VendorApi, kind: type[S]) -> S:
    return kind(
        api.handle,
        api.waits,
        access_log=None,
        logger=PROTOCOL_LOGGER,
        auto_decompress=False,
        max_line_size=_MOST_HEADER_BYTES,
        max_field_size=_MOST_HEADER_BYTES,
    )


async def _end_runner(runner: web.BaseRunner) -> None:
    """Idle TLS connections don't end with their server: they would wait for the client's part."""
    connections = runner.server.connections if runner.server else []
    transports = [connection.transport for connection in connections]
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)


def _find_way_out(config: Config, option: str, port: int, error: OSError) -> str:
    """What to change of the options where a port can't be listened on."""
    # Newer Pythons tell without a number that none of a host's addresses is this machine's.
    if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, None):
        return f"choose another --{'control-host' if option == 'control-port' else 'host'}"
    ports = {
        "port": config.port,
        "http-port": config.http_port,
        "control-port": config.control_port,
    }
    rivals = [name for name, taken in ports.items() if taken == port and name != option]
    if port and rivals and error.errno == errno.EADDRINUSE:
        return f"--{rivals[0]} is {port} too: choose another for one of them; 0 takes any free one"
    return f"choose another --{option}; 0 takes any free one"


def name_host(host: str) -> str:
    """How a URL names what a socket is bound to; all interfaces are reached by loopback."""
    if host in ("", "0.0.0.0"):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
