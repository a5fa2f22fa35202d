"""Requests that are no whole HTTP: halves, wrong chunks, garbage, and clients that go away."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakerelay.config import AppConfig
from fakerelay.server import Server
from tests.web.calls import EXPECT, RAW, STOP_SOURCE, OpenServer
from tests.web.wires import (
    APPID,
    CHUNKED,
    PATIENCE_SECONDS,
    SOURCE,
    STOP,
    Wire,
    ask,
    build,
    chunked,
    path_of,
    revision,
    running,
    wire,
)

REQUEST = build()
HALVES = {
    "nothing": b"",
    "part of the first line": REQUEST[:20],
    "part of a header": REQUEST[: REQUEST.index(b"Basic") + 3],
    "all but the last line feed of the head": REQUEST[: REQUEST.index(b"\r\n\r\n") + 3],
    "the head": REQUEST[: REQUEST.index(b"\r\n\r\n") + 4],
    "all but the last byte": REQUEST[:-1],
    "chunks without an end": build(None, headers=[CHUNKED]) + chunked(RAW)[:-5],
    "part of a chunk": build(None, headers=[CHUNKED]) + chunked(RAW)[:30],
    "chunks without the last line feed": build(None, headers=[CHUNKED]) + chunked(RAW)[:-1],
}


@pytest.mark.parametrize("ending", ["half-closed", "aborted"])
@pytest.mark.parametrize("part", HALVES.values(), ids=HALVES.keys())
async def test_request_half_sent_changes_nothing(
    open_server: OpenServer, part: bytes, ending: str
) -> None:
    server = await open_server()
    before = revision(server)
    async with wire(server) as opened:
        await opened.send(part)
        if ending == "half-closed":
            opened.half_close()
            assert_harmless(await opened.rest())
        else:
            opened.abort()
    # Whatever the server still had to do with that connection is done before this answer.
    assert (await ask(server, build(STOP_SOURCE, path_of(STOP)))).code == 40401
    assert revision(server) == before


async def test_client_that_goes_away_in_its_body_is_journalled(open_server: OpenServer) -> None:
    server = await open_server()
    async with wire(server) as opened:
        await opened.send(build(SOURCE)[:-5])
        opened.abort()
    await ask(server, build(STOP_SOURCE, path_of(STOP)))
    gone = next(iter(server.tenants.default.journal))
    assert gone.problem is not None
    assert gone.problem.facts == {"reason": "the body ended early"}


CHUNKS = {
    "no number": b"x\r\n{}\r\n0\r\n\r\n",
    "negative": b"-5\r\n{}\r\n0\r\n\r\n",
    "too short": b"1\r\n" + RAW + b"\r\n0\r\n\r\n",
    "huge": b"f" * 30 + b"\r\n" + RAW + b"\r\n0\r\n\r\n",
    "empty lines": b"\r\n\r\n\r\n\r\n",
    "bare line feeds": chunked(RAW).replace(b"\r\n", b"\n"),
    "garbage behind": chunked(RAW)[:-2] + b"\0garbage\r\n\r\n",
    "an extension of 1 MB": b"2;" + b"x" * 10**6 + b"\r\n{}\r\n0\r\n\r\n",
    "a trailer of 1 MB": chunked(b"{}")[:-2] + b"x: " + b"x" * 10**6 + b"\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
async def test_malformed_chunks_are_refused(open_server: OpenServer, chunks: bytes) -> None:
    server = await open_server()
    before = revision(server)
    replies = await everything(server, build(None, headers=[CHUNKED]) + chunks)
    assert_harmless(replies)
    assert b'"code": 0' not in replies
    assert revision(server) == before


TOO_MUCH = b"x" * 70_000
GARBAGE = {
    "a word": b"hello\r\n\r\n",
    "line feeds": b"\r\n" * 1000,
    "zeros": b"\0" * 1000,
    "all bytes": bytes(range(256)) * 10,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "RTMP": b"\x03" + b"\0" * 1536,
    "first line of 70,000 bytes": b"POST /" + TOO_MUCH + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "first line of 1 MB without an end": b"POST /" + b"x" * 10**6,
    "header of 70,000 bytes": build(headers=[("x", TOO_MUCH)]),
    "name of 70,000 bytes": build(headers=[(TOO_MUCH.decode(), "x")]),
    "token of 70,000 bytes": build(token=None, headers=[("token", TOO_MUCH)]),
    "no host": REQUEST.replace(b"Host: h\r\n", b""),
    "header without a colon": REQUEST.replace(b"Host: h", b"Host h"),
    "header with a space before the colon": REQUEST.replace(b"Host:", b"Host :"),
    "header with a NUL": build(headers=[("x", b"a\0b")]),
    "header with a bare carriage return": build(headers=[("x", b"a\rb")]),
    "header that is folded": build(headers=[("x", b"a\r\n b")]),
    "two lengths": build(headers=[("Content-Length", "3")]),
    "length of no number": build(None, headers=[("Content-Length", "x")]) + RAW,
    "negative length": build(None, headers=[("Content-Length", "-1")]) + RAW,
    "signed length": build(None, headers=[("Content-Length", f"+{len(RAW)}")]) + RAW,
    "length of 100 digits": build(None, headers=[("Content-Length", "9" * 100)]) + RAW,
    "length and chunks": build(RAW, headers=[CHUNKED]),
    "unknown encoding": build(None, headers=[("Transfer-Encoding", "x")]) + RAW,
    "lower-case method": build(method="post"),
    "method of punctuation": build(method="P@ST"),
    "connect": b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" + b"\x16\x03\x01" * 100,
    "a request behind garbage": b"\0\0\r\n\r\n" + REQUEST,
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_answered_or_cut_off(open_server: OpenServer, raw: bytes) -> None:
    server = await open_server()
    before = revision(server)
    replies = await everything(server, raw)
    assert_harmless(replies)
    assert b'"code": 0' not in replies
    assert revision(server) == before
    assert (await ask(server, build())).code == 0, "others are served all the same"


@asynccontextmanager
async def open_receiver() -> AsyncIterator[tuple[str, asyncio.Queue[dict[str, Any]]]]:
    """A callback receiver: its URL, and what it has been told."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        assert length
        told.put_nowait(json.loads(await reader.readexactly(int(length[1]))))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as receiver:
        port = receiver.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/", told


@pytest.mark.parametrize("ending", ["half-closed", "aborted"])
async def test_client_that_goes_away_before_the_reply_is_decided_on_all_the_same(
    open_server: OpenServer, ending: str
) -> None:
    async with open_receiver() as (url, told):
        server = await open_server(apps=(AppConfig(APPID, "cert", "key", url),))
        async with wire(server) as opened:
            head = build(None, headers=[("Content-Length", str(len(RAW))), EXPECT])
            await opened.send(head)
            assert (await opened.answer()).status == 100
            await opened.send(RAW)
            opened.half_close() if ending == "half-closed" else opened.abort()
            async with asyncio.timeout(PATIENCE_SECONDS):
                message = await told.get()
        assert running(server) == ["u"]
        assert message["context"]["traceId"] == "t"
        (exchange,) = server.tenants.default.journal
        assert exchange.code == 0


async def everything(server: Server, raw: bytes) -> bytes:
    """All that comes back for some bytes, until one side closes."""
    opened = await Wire.open(server.url)
    try:
        await opened.send(raw)
        # What is no whole request is waited for; so nothing more is said after a moment.
        first = await opened.some(patience_seconds=0.5)
        opened.half_close()
    except OSError:
        return b""  # cut off in the middle, which is fine
    finally:
        await opened.close()
    return first + await opened.rest()


def assert_harmless(replies: bytes) -> None:
    statuses = [int(status) for status in re.findall(rb"HTTP/\d\.\d (\d{3})", replies)]
    assert [status for status in statuses if status >= 500] == [], replies
    assert b"Traceback" not in replies
    assert not replies or statuses
