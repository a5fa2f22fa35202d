"""A small typed client of the vendor API, for code under test and for trying things out."""

import itertools
import json
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from fakerelay.errors import FakerelayError

_TRACE_COUNT = itertools.count(1)


class RelayUnreachable(FakerelayError):
    """No answer, or one that is not the vendor's envelope; what became of the call is unknown."""


class Reply(NamedTuple):
    """The vendor's envelope with the HTTP status it came in; `rule` is fakerelay's explanation."""

    status: int
    code: int
    message: str
    trace_id: str
    rule: str | None = None

    @property
    def is_accepted(self) -> bool:
        return (self.status, self.code, self.message) == (200, 0, "success")


class RelayClient:
    """Starts and stops relays of one app; use it with `async with`.

    `timeout_seconds` bounds each call as a whole. `ssl_context` trusts a fake's own certificate.
    """

    def __init__(
        self,
        url: str,
        appid: int,
        certificate_id: str,
        certificate_key: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._appid = appid
        self._headers = {
            "token": make_token(certificate_id, certificate_key),
            "Content-Type": "application/json;charset=utf-8",
        }
        self._ssl_context = ssl_context
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._ssl_context or True)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; closing twice is fine."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def start_mixed(
        self,
        roomid: str,
        taskid: str,
        rtmpurl: str | Sequence[str],
        mixconfig: Mapping[str, Any],
        *,
        trace_id: str | None = None,
    ) -> Reply:
        """Start or update the mixed task `taskid`; several addresses may come as a sequence."""
        body = {"roomid": roomid, "streamtype": 1, "taskid": taskid, "mixconfig": mixconfig}
        return await self.call("startrtmp", {**body, "rtmpurl": _join(rtmpurl)}, trace_id=trace_id)

    async def start_source(
        self, roomid: str, uid: str, rtmpurl: str | Sequence[str], *, trace_id: str | None = None
    ) -> Reply:
        """Start or update the relay of one user's stream."""
        body = {"roomid": roomid, "streamtype": 2, "uid": uid, "rtmpurl": _join(rtmpurl)}
        return await self.call("startrtmp", body, trace_id=trace_id)

    async def stop_mixed(
        self,
        roomid: str,
        taskid: str,
        rtmpurl: str | Sequence[str] | None = None,
        *,
        trace_id: str | None = None,
    ) -> Reply:
        """Stop a mixed task, or only its pushes to some addresses."""
        body = {"roomid": roomid, "streamtype": 1, "taskid": taskid, **_optional(rtmpurl)}
        return await self.call("stoprtmp", body, trace_id=trace_id)

    async def stop_source(
        self,
        roomid: str,
        uid: str,
        rtmpurl: str | Sequence[str] | None = None,
        *,
        trace_id: str | None = None,
    ) -> Reply:
        """Stop the relay of one user's stream, or only its pushes to some addresses."""
        body = {"roomid": roomid, "streamtype": 2, "uid": uid, **_optional(rtmpurl)}
        return await self.call("stoprtmp", body, trace_id=trace_id)

    async def call(
        self, operation: str, body: Mapping[str, Any], *, trace_id: str | None = None
    ) -> Reply:
        """Post a body as it is, `appid` filled in where it is missing.

        Raises RelayUnreachable where there is no answer in time, or no envelope in it.
        """
        if self._session is None:
            raise FakerelayError("The client is not open: use it with 'async with'")
        url = f"{self._url}/app/{self._appid}/v2/rtmpforward/{operation}"
        try:
            async with self._session.post(
                url,
                params={"traceId": trace_id or make_trace_id()},
                data=json.dumps({"appid": self._appid, **body}).encode(),
                headers=self._headers,
            ) as response:
                return _read_reply(response, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RelayUnreachable(f"No answer from {url}: {error!r}") from error


def make_token(certificate_id: str, certificate_key: str) -> str:
    """The value of the `token` header (`contract.md` section 2)."""
    credentials = f"{certificate_id}:{certificate_key}"
    return "Basic " + b64encode(credentials.encode()).decode()


def make_trace_id() -> str:
    """In the vendor's recommended form: server, time (ms), counter, process number."""
    return f"{socket.gethostname()}-{int(time.time() * 1000)}-{next(_TRACE_COUNT)}-{os.getpid()}"


def _join(rtmpurl: str | Sequence[str]) -> str:
    return rtmpurl if isinstance(rtmpurl, str) else ",".join(rtmpurl)


def _optional(rtmpurl: str | Sequence[str] | None) -> dict[str, str]:
    return {} if rtmpurl is None else {"rtmpurl": _join(rtmpurl)}


def _read_reply(response: aiohttp.ClientResponse, raw: bytes) -> Reply:
    try:
        envelope = json.loads(raw)
        return Reply(
            response.status,
            envelope["code"],
            envelope["message"],
            envelope["traceId"],
            response.headers.get("X-Fakerelay-Rule"),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise RelayUnreachable(
            f"HTTP {response.status} without the vendor's envelope: {raw[:200]!r}"
        ) from error
