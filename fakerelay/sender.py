"""Posts callbacks over HTTP; where to is checked on the address that is connected to."""

import asyncio
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from fakerelay.core.callbacks import CONTENT_TYPE
from fakerelay.errors import ConfigError
from fakerelay.ports import Sent
from fakerelay.targets import find_refusal, normalize_host

_MOST_ANSWER_BYTES: Final = 64 * 1024
_KEPT_ANSWER_BYTES: Final = 2048
# A connection is used again in a flood, but never kept until a receiver may tire of it: what it
# sees is exactly the attempts listed, and none of them fails for a connection gone stale.
_KEEPALIVE_SECONDS: Final = 0.25
# What a URL may hold as it stands (RFC 3986): its receiver may have signed just these characters.
_AS_IT_STANDS: Final = re.compile(r"(?:[\w!#$&'()*+,./:;=?@\[\]~-]|%[0-9a-f]{2})+", re.A | re.I)
_HEADERS: Final = {
    "Accept-Encoding": "identity",
    "User-Agent": "fakerelay",
}


class HttpSender:
    """Sends to loopback and private networks, to public addresses only for `allow_hosts`.

    `ca_file` holds authorities to trust besides the system's. Raises `ConfigError` if unusable.
    """

    def __init__(self, allow_hosts: Iterable[str] = (), ca_file: str | Path | None = None) -> None:
        self._allow_hosts = frozenset(normalize_host(host) for host in allow_hosts)
        self._ssl: ssl.SSLContext | bool = True if ca_file is None else _trusting(ca_file)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(
        self,
        url: str,
        body: bytes,
        timeout_seconds: float,
        content_type: str = CONTENT_TYPE,
    ) -> Sent:
        """Post once, following no redirect; the timeout is real time and holds for all of it."""
        await asyncio.sleep(0)  # learns of a connection that was closed behind the last answer
        started = perf_counter()
        status, error, answer = None, None, b""
        try:
            async with (
                asyncio.timeout(timeout_seconds),
                self._post(_read_url(url), body, content_type) as response,
            ):
                status = response.status
                answer = await _skim(response)
        except TimeoutError:
            error = f"No answer within {timeout_seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _explain(failure)
        # Once there is a status, it is the answer, however the rest of it fares.
        return Sent(
            status,
            error if status is None else None,
            perf_counter() - started,
            answer.decode("utf-8", "replace") or None,
        )

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _post(
        self, url: URL, body: bytes, content_type: str
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        session = self._session(is_allowed=normalize_host(url.raw_host or "") in self._allow_hosts)
        headers = {"Content-Type": content_type}
        return session.post(url, data=body, headers=headers, allow_redirects=False)

    def _session(self, *, is_allowed: bool) -> aiohttp.ClientSession:
        """One session for hosts that may be public and one for all others."""
        session = self._sessions.get(is_allowed)
        if session is None:
            session = self._sessions[is_allowed] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                    resolver=Resolver(),
                    ssl=self._ssl,
                    socket_factory=partial(_open_socket, is_allowed=is_allowed),
                ),
                headers=_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
            )
        return session


class Resolver(AbstractResolver):
    """Looks each name up in a thread of its own, so that none waits for another's.

    Only past `most` names at a time one does, and `localhost` never. Nobody waits for the threads
    to end, at exit neither: a look-up can't be called off.
    """

    def __init__(
        self, most: int = 64, *, look_up: Callable[..., list[Any]] = socket.getaddrinfo
    ) -> None:
        self._room = asyncio.Semaphore(most)
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        query = host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        async with nullcontext() if normalize_host(host) == "localhost" else self._room:
            found = await self._ask(query)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=flags,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""

    async def _ask(self, query: tuple[Any, ...]) -> list[Any]:
        answer = Future[list[Any]]()
        answer.set_running_or_notify_cancel()

        def ask() -> None:
            try:
                answer.set_result(self._look_up(*query))
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=ask, name="fakerelay look-up", daemon=True).start()
        return await asyncio.wrap_future(answer)


def _read_url(text: str) -> URL:
    """To be sent as it stands, where that can be sent."""
    return URL(text, encoded=_AS_IT_STANDS.fullmatch(text) is not None)


class TargetRefused(OSError):
    """The address that a callback URL leads to is none that callbacks may go to."""


def _open_socket(info: tuple[Any, ...], *, is_allowed: bool) -> socket.socket:
    """The one place every connection passes, after its name has been resolved."""
    family, kind, protocol, _, address = info
    refusal = find_refusal(address[0], is_allowed=is_allowed)
    if refusal is not None:
        raise TargetRefused(refusal)
    return socket.socket(family, kind, protocol)


async def _skim(response: aiohttp.ClientResponse) -> bytes:
    """Take in a little of the answer, so that the receiver can finish writing it; keep less."""
    left, kept = _MOST_ANSWER_BYTES, b""
    while left > 0 and (chunk := await response.content.read(left)):
        left -= len(chunk)
        if len(kept) < _KEPT_ANSWER_BYTES:
            kept += chunk[: _KEPT_ANSWER_BYTES - len(kept)]
    return kept


def _trusting(ca_file: str | Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Can't read authorities from {str(ca_file)!r} ({error}): give a file of PEM "
            "certificates"
        ) from error
    return context


def _explain(failure: Exception) -> str:
    """What went wrong, without a word of what the receiver sent or of the URL's secrets."""
    match failure:
        case aiohttp.ClientConnectorCertificateError():
            reason = failure.certificate_error
            return (
                f"TLS with {failure.host}:{failure.port} failed: {reason}; "
                "authorities of your own are trusted by --callback-ca FILE"
            )
        case aiohttp.ClientConnectorDNSError():
            return f"The name {failure.host!r} can't be resolved: {failure.os_error}"
        case aiohttp.ClientConnectorError():
            refusal = failure.os_error  # which may be several in one, for several addresses
            cause = os.strerror(refusal.errno) if refusal.errno else str(refusal)
            return f"No connection to {failure.host}:{failure.port}: {cause}"
        case aiohttp.ServerDisconnectedError():
            return "The receiver closed the connection without an answer"
        case aiohttp.ClientOSError() | OSError():
            # Its own text may quote the URL.
            cause = os.strerror(failure.errno) if failure.errno else type(failure).__name__
            return f"The connection broke: {cause}"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
            return "The callback URL can't be used"
        case _:
            return f"The receiver's answer is not HTTP ({type(failure).__name__})"
