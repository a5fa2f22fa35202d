"""The control plane of a server elsewhere."""

import io
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from fakerelay.control.verbs import PREFIX, Call, VerbName, make_call
from fakerelay.errors import ControlError, FakerelayError

_MOST_QUOTED = 200
# A stream that nothing happens on is heard of every 15 seconds.
_QUIET_SECONDS = 45.0


class ControlClient:
    """Asks a server's control plane; use it with `async with`.

    `url` is the server's `control_url`. `timeout_seconds` bounds each call, beyond what it waits.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/").removesuffix(PREFIX)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._ssl_context = ssl_context
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._ssl_context or True)
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
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

    async def call(self, verb: VerbName | str, /, **parameters: Any) -> Any:
        """Do a verb; keywords are its parameters and the keys of its body.

        A `body` keyword gives that whole. Raises ControlError for what the server refuses, and
        FakerelayError where there is no answer.
        """
        call = make_call(verb, parameters)
        seconds = self._timeout_seconds + _own_seconds(call)
        with self._translate_errors():
            async with await self._ask(call, total=seconds) as response:
                return await _read_answer(call, response)

    @asynccontextmanager
    async def stream(
        self, verb: VerbName | str, /, **parameters: Any
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """Listen to what a verb tells: `async with client.stream("events") as events:`, then
        `async for event in events:`. Nothing that happens inside is missed. Raises as `call` does.
        """
        call = make_call(verb, parameters, streams=True)
        with self._translate_errors():
            response = await self._ask(
                call, sock_connect=self._timeout_seconds, sock_read=_QUIET_SECONDS
            )
        async with response:
            yield self._read_events(response)

    async def _ask(self, call: Call, **timeouts: float) -> aiohttp.ClientResponse:
        if self._session is None:
            raise FakerelayError("The control client is not open: use it with 'async with'")
        response = await self._session.request(
            call.verb.method,
            f"{self._url}{PREFIX}/{_fill_path(call)}",
            params={name: _to_text(call.parameters[name]) for name in _query_names(call)},
            data=None if call.body is None else _encode(call.body),
            timeout=aiohttp.ClientTimeout(**timeouts),
        )
        if response.status < 400:
            return response
        async with response:
            raise await _read_error(response)

    async def _read_events(self, response: aiohttp.ClientResponse) -> AsyncIterator[Any]:
        """The JSON of each server-sent event; it says all that the fields beside it do."""
        text = b""
        with self._translate_errors():
            async for part in response.content.iter_any():
                *events, text = (text + part).split(b"\n\n")
                for event in events:
                    for line in event.splitlines():
                        if line.startswith(b"data: "):
                            yield json.loads(line.removeprefix(b"data: "))

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FakerelayError(f"No answer from {self._url}: {error!r}") from error


def _own_seconds(call: Call) -> float:
    """How long a call may take because it was told to."""
    waits = (call.parameters.get("wait_seconds"), (call.body or {}).get("cap_seconds"))
    return sum(float(each) for each in waits if isinstance(each, (int, float)))


def _encode(body: Mapping[str, Any]) -> aiohttp.BytesIOPayload:
    """A snapshot is large: bytes by themselves would be sent in one go, and warned of."""
    raw = io.BytesIO(json.dumps(body).encode())
    return aiohttp.BytesIOPayload(raw, content_type="application/json")


def _fill_path(call: Call) -> str:
    try:
        values = {name: call.parameters[name] for name in call.verb.path_parameters}
    except KeyError as error:
        raise ControlError("missing_parameter", f"{call.verb.name} needs {error}") from None
    return call.verb.path.format(
        **{name: quote(str(value), safe="") for name, value in values.items()}
    )


def _query_names(call: Call) -> list[str]:
    return [name for name in call.parameters if name in call.verb.query]


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _read_answer(call: Call, response: aiohttp.ClientResponse) -> Any:
    return await (response.json() if call.verb.reply is not None else response.text())


async def _read_error(response: aiohttp.ClientResponse) -> FakerelayError:
    try:
        told = (await response.json())["errors"][0]
        code, detail, pointer = told["code"], told["detail"], told["pointer"]
    except (ValueError, KeyError, IndexError, TypeError, aiohttp.ContentTypeError):
        if response.content_type == "text/plain" and "HTTPS" in (text := await response.text()):
            return FakerelayError(f"HTTP {response.status}: {text.strip()[:_MOST_QUOTED]}")
        return FakerelayError(f"HTTP {response.status} from what is no control plane")
    return ControlError(code, detail, pointer=pointer, status=response.status)
