"""Operations done to a server over HTTP, each with fresh names."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.drafts import Account, Draft, Names, draft
from fakerelay.contract.flaws import FLAWS
from fakerelay.contract.operations import RIGHT, Operation
from fakerelay.contract.styles import STYLES

_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Observed:
    """What came back: an HTTP reply with its `envelope`, if it is one, or the `error` of none."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    envelope: Mapping[str, Any] | None
    error: str | None = None

    @property
    def is_unclear(self) -> bool:
        """Whether nothing can be said of what was decided: no answer, or none of the API's."""
        return self.envelope is None or (self.status or 0) >= 500

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


@dataclass(frozen=True, slots=True)
class Step:
    """An operation as it was done."""

    operation: Operation
    request: Draft
    observed: Observed


class Client:
    """One connection to a server, opened anew when it is lost; a call is never sent twice."""

    def __init__(
        self, url: str, *, ssl_context: ssl.SSLContext | None = None, timeout_seconds: float = 10.0
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._is_tls = parts.scheme == "https"
        self._ssl_context = ssl_context
        self._timeout = timeout_seconds
        self._connection: http.client.HTTPConnection | None = None

    def send(self, request: Draft) -> Observed:
        try:
            connection = self._connect()
            body = request.encode()
            connection.putrequest(request.method, request.target, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            raw = reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Observed(None, {}, b"", None, repr(error))
        if reply.will_close:
            self.close()
        return Observed(reply.status, dict(reply.headers), raw[:_MOST_BYTES], _read_envelope(raw))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout, context=self._ssl_context
                )
                if self._is_tls
                else http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            )
        return self._connection


class Driver:
    """Does operations of one scenario, for the apps of `accounts`: 0, and 1 if there is one."""

    def __init__(self, client: Client, accounts: Mapping[int, Account], names: Names) -> None:
        self._client = client
        self._accounts = accounts
        self._names = names
        self.steps: list[Step] = []

    def perform(self, operation: Operation) -> Step:
        request = make_request(operation, self._accounts, self._names)
        step = Step(operation, request, self._client.send(request))
        self.steps.append(step)
        return step


def make_request(operation: Operation, accounts: Mapping[int, Account], names: Names) -> Draft:
    """The request of an operation, with its style and whatever is wrong with it."""
    request = draft(operation, accounts, names)
    STYLES[operation.style].change(request)
    if operation.credential != RIGHT:
        CREDENTIALS[operation.credential].spoil(request)
    if operation.flaw is not None:
        FLAWS[operation.flaw].spoil(request)
    return request


def _read_envelope(raw: bytes) -> Mapping[str, Any] | None:
    """The reply of section 6, if it has its form."""
    try:
        envelope = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(envelope, dict):
        return None
    code, message = envelope.get("code"), envelope.get("message")
    is_whole = isinstance(code, int) and not isinstance(code, bool)
    return envelope if is_whole and isinstance(message, str) else None
