"""Calls over HTTP, and what came back: an answer, or in plain words why there is none."""

import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    RemoteDisconnected,
)
from select import select
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from fakerelay.contract.drafts import Draft
from fakerelay.contract.excerpts import excerpt, strip_tags

_MOST_BYTES_READ: Final = 1024 * 1024
_MOST_BYTES_KEPT: Final = 64 * 1024
_MOST_SHOWN: Final = 200
_MOST_SHOWN_OF_PAGES: Final = 80
_LONGEST_TYPE: Final = 40
_IDLE_SECONDS: Final = 1.0
_SECOND: Final = 1.05
_PACES: Final = (10, 5, 2, 1)

Failure = Literal["gone", "silent", "broken"]
"""Nobody listens; no answer in time; or one that broke off, or is not HTTP."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What came back: an HTTP reply with its `envelope`, if it is one, or the `error` of none."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    envelope: Mapping[str, Any] | None
    error: str | None = None
    failure: Failure | None = None

    @property
    def is_accepted(self) -> bool:
        """Section 6: HTTP 200, code 0 and message `success`."""
        envelope = self.envelope
        return (
            envelope is not None
            and self.status == 200
            and envelope["code"] == 0
            and envelope["message"] == "success"
        )


class Client:
    """One connection to a server, opened anew when it is lost; a call is never sent twice.

    No call takes longer than `timeout_seconds`, however slowly its answer comes. Within a second
    there are at most `calls_per_second`, unless that is 0; others wait. That may be made less.
    """

    def __init__(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout_seconds: float = 10.0,
        calls_per_second: int = 0,
    ) -> None:
        self._url = url
        self._prefix = urlsplit(url).path.rstrip("/")
        self._ssl_context = ssl_context
        self._timeout = timeout_seconds
        self.calls_per_second = calls_per_second
        self._recent: deque[float] = deque(maxlen=max(calls_per_second, *_PACES))
        self._connection: HTTPConnection | None = None
        self._keeps = True
        self._used_at = 0.0

    def send(self, request: Draft) -> Observed:
        self._wait_for_turn(1)
        kept, connection = self._connection, self._take_connection()
        call = _Call(connection, self._prefix, request, self._timeout)
        call.begin(held_back=0)
        observed = call.finish()
        if observed.failure == "broken" and connection is kept:
            self._keeps = False  # it may close connections without a word: that is not the call's
        self._used_at = time.monotonic()
        self._recent.append(self._used_at)
        return observed

    def race(self, requests: Sequence[Draft]) -> Sequence[Observed]:
        """Each over a connection of its own; all are written but for one byte, then the rest.

        Connections are closed as soon as they are done with: a server may serve one at a time.
        """
        self.close()
        self._wait_for_turn(len(requests))
        calls = [_Call(self._connect(), self._prefix, each, self._timeout) for each in requests]
        for call in calls:
            call.begin(held_back=1)
        for call in calls:
            call.release()
        answers = [call.finish(closes=True) for call in calls]
        self._recent.extend([time.monotonic()] * len(calls))
        return answers

    def slow_down(self) -> bool:
        """Keep to the next lower pace from now on; False where there is none."""
        usual = self.calls_per_second
        slower = [pace for pace in _PACES if not 0 < usual <= pace]
        self.calls_per_second = slower[0] if slower else usual
        return bool(slower)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wait_for_turn(self, calls: int) -> None:
        """Until so many more calls are not too many within a second, by the server's clock."""
        limit = self.calls_per_second
        recent = list(self._recent)[-limit:] if limit else []
        too_many = len(recent) + calls - limit
        if recent and too_many > 0:
            since = recent[min(too_many, len(recent)) - 1]
            # The server counts calls in real time, and says nothing when there is room again.
            time.sleep(max(0.0, since + _SECOND - time.monotonic()))

    def _take_connection(self) -> HTTPConnection:
        """The one there is, unless the server may have closed it meanwhile."""
        kept = self._connection
        is_stale = kept is not None and (
            not self._keeps
            or kept.sock is None
            or time.monotonic() > self._used_at + _IDLE_SECONDS
            or bool(select([kept.sock], [], [], 0)[0])
        )
        if kept is None or is_stale:
            self.close()
            self._connection = self._connect()
        assert self._connection is not None
        return self._connection

    def _connect(self) -> HTTPConnection:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = self._ssl_context
            return HTTPSConnection(host, port, timeout=self._timeout, context=context)
        return HTTPConnection(host, port, timeout=self._timeout)


class _Call:
    """One request and its answer on a connection; whatever goes wrong is the answer."""

    def __init__(
        self, connection: HTTPConnection, prefix: str, request: Draft, timeout: float
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._request = request
        self._timeout = timeout
        self._failed: Exception | None = None
        self._late = threading.Event()
        self._rest = b""
        self._timer = threading.Timer(timeout, self._cut)
        self._timer.daemon = True

    def begin(self, *, held_back: int) -> None:
        """Write the request, without the last bytes of its body."""
        connection, request = self._connection, self._request
        body = request.encode()
        end = len(body) - held_back
        body, self._rest = body[:end], body[end:]
        self._timer.start()
        try:
            target = self._prefix + request.target
            connection.putrequest(request.method, target, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body) + held_back))
            connection.endheaders(body)
        except (OSError, HTTPException) as error:
            self._failed = error

    def release(self) -> None:
        """Write what was held back."""
        if self._failed is None:
            try:
                self._connection.send(self._rest)
            except OSError as error:
                self._failed = error

    def finish(self, *, closes: bool = False) -> Observed:
        failed = self._failed
        try:
            # Who refuses a long body may answer before it is written, and close.
            if failed is None or isinstance(failed, BrokenPipeError | ConnectionResetError):
                return self._read()
            return self._explain(failed)
        except (OSError, HTTPException) as error:
            return self._explain(failed or error)
        finally:
            self._timer.cancel()
            if closes:
                self._connection.close()

    def _read(self) -> Observed:
        reply = self._connection.getresponse()
        raw = reply.read(_MOST_BYTES_READ)
        if self._late.is_set():
            raise TimeoutError
        if reply.will_close or not reply.isclosed():
            self._connection.close()
        headers = dict(reply.headers)
        return Observed(reply.status, headers, raw[:_MOST_BYTES_KEPT], _read_envelope(raw))

    def _cut(self) -> None:
        self._late.set()
        if self._connection.sock is not None:
            # Not the socket's own method: that of TLS would pull it from under a read.
            try:
                socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already

    def _explain(self, error: Exception) -> Observed:
        self._connection.close()
        failure, told = self._tell(error)
        return Observed(None, {}, b"", None, told, failure)

    def _tell(self, error: Exception) -> tuple[Failure, str]:
        where = f"{self._connection.host}:{self._connection.port}"
        if isinstance(error, ConnectionRefusedError):
            return (
                "gone",
                f"nobody listens at {where}: is the target started, and is that its port?",
            )
        if isinstance(error, TimeoutError) or self._late.is_set():
            return "silent", f"no answer within {self._timeout:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            told = f"the certificate of {where} is not trusted: {error.verify_message}"
            return "broken", f"{told}; a CA of one's own is named by --ca FILE"
        if isinstance(error, ssl.SSLError):
            told = f"{where} does not speak TLS as it should: {error.reason or error}"
            return "broken", f"{told}; where it speaks plain HTTP, the target is http://{where}"
        if isinstance(error, socket.gaierror):
            return "gone", f"{where} is not known: {error.strerror}"
        if isinstance(error, BadStatusLine) and not isinstance(error, RemoteDisconnected):
            told = f"what {where} speaks is not HTTP: it sent {str(error)[:80]!r}"
            return "broken", f"{told}; is that the target's port?"
        return "broken", f"the connection was lost before the answer was whole ({error!r})"


def _read_envelope(raw: bytes) -> Mapping[str, Any] | None:
    """The reply of section 6, if it has its form."""
    envelope = read_object(raw)
    if envelope is None:
        return None
    code, message = envelope.get("code"), envelope.get("message")
    is_whole = isinstance(code, int) and not isinstance(code, bool)
    return envelope if is_whole and isinstance(message, str) else None


def read_object(raw: bytes) -> Mapping[str, Any] | None:
    """The JSON object that a body is, if it is one."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def show(observed: Observed) -> str:
    """An answer in one line: of what is no JSON object less, with its content type."""
    if observed.error is not None:
        return f"no answer: {observed.error}"
    text = observed.body.decode("utf-8", "replace")
    if read_object(observed.body) is not None:
        return f"HTTP {observed.status} {excerpt(text, _MOST_SHOWN)}"
    told = [f"HTTP {observed.status}", *_tell_type(observed.headers)]
    return " ".join([*told, excerpt(strip_tags(text), _MOST_SHOWN_OF_PAGES) or "without a text"])


def _tell_type(headers: Mapping[str, str]) -> Sequence[str]:
    named = {name.lower(): value for name, value in headers.items()}
    media_type = excerpt(named.get("content-type", "").partition(";")[0], _LONGEST_TYPE)
    return [f"({media_type})"] if media_type else []
