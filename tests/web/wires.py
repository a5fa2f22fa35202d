"""HTTP by hand: requests no client library would send, and replies read byte by byte."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from fakerelay.server import Server

PATIENCE_SECONDS = 10.0
APPID = 7
TOKEN = "Basic " + b64encode(b"cert:key").decode()
OTHER_TOKEN = "Basic " + b64encode(b"other-cert:other-key").decode()
JSON_TYPE = "application/json;charset=utf-8"
START = "startrtmp"
STOP = "stoprtmp"

SOURCE: Mapping[str, Any] = {
    "appid": APPID,
    "roomid": "r",
    "rtmpurl": "rtmp://h/a",
    "streamtype": 2,
    "uid": "u",
}
MIXED: Mapping[str, Any] = {
    "appid": APPID,
    "roomid": "r",
    "rtmpurl": "rtmp://h/m",
    "streamtype": 1,
    "taskid": "t",
    "mixconfig": {"templateid": 1, "output": {}},
}


def path_of(operation: str = START, appid: object = APPID, query: str = "traceId=t") -> str:
    return f"/app/{appid}/v2/rtmpforward/{operation}" + (f"?{query}" if query else "")


def build(
    body: Mapping[str, Any] | bytes | None = SOURCE,
    target: str | bytes = path_of(),
    *,
    method: str = "POST",
    token: str | None = TOKEN,
    content_type: str | None = JSON_TYPE,
    headers: Iterable[tuple[str, str | bytes]] = (),
) -> bytes:
    """A whole request with a length; a body of None leaves the length out too."""
    raw = json.dumps(body).encode() if isinstance(body, Mapping) else body
    fields: list[tuple[str, str | bytes]] = [("Host", "h")]
    fields += [("token", token)] if token is not None else []
    fields += [("Content-Type", content_type)] if content_type is not None else []
    fields += [("Content-Length", str(len(raw)))] if raw is not None else []
    head = b"%s %s HTTP/1.1\r\n" % (method.encode(), _raw(target))
    lines = [b"%s: %s\r\n" % (name.encode(), _raw(value)) for name, value in [*fields, *headers]]
    return head + b"".join(lines) + b"\r\n" + (raw or b"")


def chunked(raw: bytes, size: int = 64 * 1024) -> bytes:
    """A body in chunks, its end included."""
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = ("Transfer-Encoding", "chunked")


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def envelope(self) -> dict[str, Any]:
        envelope = json.loads(self.body)
        assert envelope.keys() == {"code", "message", "traceId"}
        return dict(envelope)

    @property
    def code(self) -> int:
        return int(self.envelope["code"])

    @property
    def rule(self) -> str | None:
        return self.headers.get("x-fakerelay-rule")


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=2**21))

    async def send(self, raw: bytes) -> None:
        self._writer.write(raw)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._writer.drain()

    async def read(self, *, has_body: bool = True) -> Reply | None:
        """The next reply; None where the connection ends before one has come."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await self._reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")[:-2]
                headers = {k.lower(): v.strip() for k, _, v in (ln.partition(":") for ln in lines)}
                length = int(headers.get("content-length", "0")) if has_body else 0
                body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Reply(int(first.split()[1]), headers, body)

    async def answer(self, *, has_body: bool = True) -> Reply:
        reply = await self.read(has_body=has_body)
        assert reply is not None, "the connection ended without a reply"
        return reply

    async def some(self, *, patience_seconds: float) -> bytes:
        """What comes next within some time, if anything."""
        try:
            async with asyncio.timeout(patience_seconds):
                return await self._reader.read(2**20)
        except TimeoutError:
            return b""

    async def rest(self) -> bytes:
        """All that still comes before the other side closes."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._reader.read()
        except ConnectionError:
            return b""

    def half_close(self) -> None:
        self._writer.write_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def wire(server: Server) -> AsyncIterator[Wire]:
    opened = await Wire.open(server.url)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(server: Server, raw: bytes, *, has_body: bool = True) -> Reply:
    """The reply to one request on a connection of its own."""
    async with wire(server) as opened:
        await opened.send(raw)
        return await opened.answer(has_body=has_body)


async def accept(server: Server, body: Mapping[str, Any], operation: str = START) -> None:
    reply = await ask(server, build(body, path_of(operation, body["appid"])))
    assert reply.code == 0, reply


def revision(server: Server) -> int:
    """Moves with whatever changes in the default world."""
    return server.tenants.default.service.view.revision


def running(server: Server) -> list[str]:
    """The names of what runs in the default world."""
    return sorted(task.key[2] for task in server.tenants.default.service.view.tasks())


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
