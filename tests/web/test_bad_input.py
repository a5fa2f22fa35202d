"""What bad input gets: the contract's answer, or a closed connection for what is no HTTP."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakerelay.config import AppConfig
from fakerelay.server import Server
from fakerelay.web.bodies import MOST_BODY_BYTES
from tests.web.wires import (
    APPID,
    CHUNKED,
    MIXED,
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

OpenServer = Callable[..., Awaitable[Server]]
RAW = json.dumps(SOURCE).encode()
STOP_SOURCE = {key: SOURCE[key] for key in ("appid", "roomid", "streamtype", "uid")}
EXPECT = ("Expect", "100-continue")


def body_with(extra: str) -> bytes:
    """A body in which only a further field is odd."""
    return RAW[:-1] + b', "extra": ' + extra.encode() + b"}"


def body_where(field: str, value: str, body: Mapping[str, Any] = SOURCE) -> bytes:
    """A body in which one field has a value that Python would not write."""
    rest = json.dumps({key: body[key] for key in body if key != field}).encode()
    return rest[:-1] + f', "{field}": {value}}}'.encode()


HUGE = "9" * 5000
BODIES = {
    "1e400 in an unknown field": (body_with("1e400"), 0),
    "integer of 5,000 digits in an unknown field": (body_with(HUGE), 0),
    "nested 100 times in an unknown field": (body_with("[" * 100 + "]" * 100), 0),
    "nested 100,000 times in an unknown field": (body_with("[" * 100_000 + "]" * 100_000), 40001),
    "objects nested 100,000 times": (body_with('{"a":' * 100_000 + "1" + "}" * 100_000), 40001),
    "the last of two uids": (body_with('1, "uid": "v"'), 0),
    "the last of two appids": (body_with('1, "appid": 9'), 40004),
    "whole floats": (
        body_where("appid", "7.0").replace(b'"streamtype": 2', b'"streamtype": 2e0'),
        0,
    ),
    "appid 1e400": (body_where("appid", "1e400"), 40002),
    "appid of 5,000 digits": (body_where("appid", HUGE), 40002),
    "appid -0": (body_where("appid", "-0"), 40004),
    "appid NaN": (body_where("appid", "NaN"), 40001),
    "streamtype 1e400": (body_where("streamtype", "1e400"), 40002),
    "uid nested 1,000 times": (body_where("uid", "[" * 1000 + "]" * 1000), 40001),
    "uid nested 100 times": (body_where("uid", "[" * 100 + "]" * 100), 40002),
    "uid with a control character": (body_where("uid", '"u\\u0000"'), 40002),
    "uid with a raw control character": (body_where("uid", '"u\x01"'), 40001),
    "uid with a lone surrogate": (body_where("uid", '"\\ud800"'), 40001),
    "lone surrogate as a key": (RAW[:-1] + b', "\\udc00": 1}', 40001),
    "key of a NUL": (RAW[:-1] + b', "\\u0000": 1}', 0),
    "rtmpurl with an emoji": (body_where("rtmpurl", '"rtmp://h/\\ud83c\\udfa5"'), 40002),
    "rtmpurl of 1,000,000 commas": (body_where("rtmpurl", '"' + "," * 1_000_000 + '"'), 40002),
    "nothing": (b"", 40001),
    "array": (b"[" + RAW + b"]", 40001),
    "byte order mark": (b"\xef\xbb\xbf" + RAW, 40001),
    "UTF-16": (json.dumps(SOURCE).encode("utf-16"), 40001),
    "Latin-1": (RAW[:-1] + b', "extra": "\xe9"}', 40001),
    "100,000 unknown fields": (
        RAW[:-1] + b"".join(b', "f%d": 0' % number for number in range(80_000)) + b"}",
        0,
    ),
}


@pytest.mark.parametrize(("raw", "code"), BODIES.values(), ids=BODIES.keys())
async def test_body_gets_the_contracts_answer(
    open_server: OpenServer, raw: bytes, code: int
) -> None:
    server = await open_server()
    before = revision(server)
    reply = await ask(server, build(raw))
    assert reply.status == 200
    assert reply.code == code
    assert (revision(server) != before) is (reply.code == 0)


MANY = json.dumps([{"uid": f"u{number}"} for number in range(10_000)])
MIXCONFIGS = {
    "tile of 5,000 digits": (f'{{"input": [{{"uid": "u", "x": {HUGE}}}], "output": {{}}}}', 40002),
    "tile of 1e400": ('{"input": [{"uid": "u", "width": 1e400}], "output": {}}', 40002),
    "output of 1e400": ('{"templateid": 1, "output": {"bitrate": 1e400}}', 0),
    "template of 1e400": ('{"templateid": 1e400, "output": {}}', 40002),
    "10,000 inputs": (f'{{"input": {MANY}, "output": {{}}}}', 0),
    "10,000 inputs on the smallest output": (
        f'{{"templateid": 4, "input": {MANY}, "output": {{"width": 16, "height": 16}}}}',
        0,
    ),
}


@pytest.mark.parametrize(("mixconfig", "code"), MIXCONFIGS.values(), ids=MIXCONFIGS.keys())
async def test_mixconfig_gets_the_contracts_answer(
    open_server: OpenServer, mixconfig: str, code: int
) -> None:
    server = await open_server()
    raw = body_where("mixconfig", mixconfig, MIXED)
    assert (await ask(server, build(raw))).code == code


def padded(length: int) -> bytes:
    return RAW.ljust(length)


SIZES = {"1 MiB": (MOST_BODY_BYTES, 0), "one byte more": (MOST_BODY_BYTES + 1, 41301)}


@pytest.mark.parametrize(("length", "code"), SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("expect", [False, True], ids=["at once", "after 100 Continue"])
@pytest.mark.parametrize("framing", ["length", "chunks", "small chunks"])
async def test_body_of_1_mib_is_the_largest(
    open_server: OpenServer, length: int, code: int, framing: str, *, expect: bool
) -> None:
    server = await open_server()
    headers = [EXPECT] if expect else []
    raw = padded(length)
    if framing == "length":
        payload = raw
        head = build(None, headers=[("Content-Length", str(length)), *headers])
    else:
        payload = chunked(raw, 1000 if framing == "small chunks" else 64 * 1024)
        head = build(None, headers=[CHUNKED, *headers])
    async with wire(server) as opened:
        await opened.send(head if expect else head + payload)
        reply = await opened.answer()
        if expect and reply.status == 100:
            await opened.send(payload)
            reply = await opened.answer()
    assert reply.code == code
    assert reply.status == (413 if code else 200)
    assert running(server) == ([] if code else ["u"])


async def test_body_too_large_by_its_header_is_refused_before_it_comes(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    for headers in ([], [EXPECT]):
        head = build(None, headers=[("Content-Length", str(10**15)), *headers])
        async with wire(server) as opened:
            await opened.send(head)
            assert (await opened.answer()).code == 41301


async def test_connection_serves_on_after_a_body_too_large_has_been_sent(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    async with wire(server) as opened:
        await opened.send(build(padded(MOST_BODY_BYTES + 1)) + build())
        assert (await opened.answer()).code == 41301
        reply = await opened.read()
    assert reply is not None
    assert reply.code == 0


METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"]


@pytest.mark.parametrize("body", [SOURCE, None], ids=["with a body", "without"])
@pytest.mark.parametrize("method", METHODS)
async def test_other_method_is_refused_with_what_is_allowed(
    open_server: OpenServer, method: str, body: Mapping[str, Any] | None
) -> None:
    server = await open_server()
    reply = await ask(server, build(body, method=method), has_body=method != "HEAD")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or reply.code == 40501
    assert running(server) == []


async def test_head_of_an_unknown_path_is_unknown(open_server: OpenServer) -> None:
    server = await open_server()
    async with wire(server) as opened:
        await opened.send(build(None, "/x", method="HEAD", headers=[("Connection", "close")]))
        reply = await opened.answer(has_body=False)
        assert (reply.status, await opened.rest()) == (404, b"")


TARGETS = {
    "absolute form": ("http://api.jocloud.com" + path_of(), "POST", 0),
    "absolute form over TLS": ("https://api.jocloud.com:443" + path_of(), "POST", 0),
    "absolute form without a path": ("http://api.jocloud.com", "POST", 40403),
    "percent-encoded": ("/app/%37/v2/rtmpforward/start%72tmp?traceId=t", "POST", 0),
    "fragment": (path_of(query="") + "#x", "POST", None),
    "asterisk": ("*", "OPTIONS", 40403),
    "authority form": ("api.jocloud.com:443", "CONNECT", None),
    "double slash": ("//app/7/v2/rtmpforward/startrtmp", "POST", 40403),
    "bad percent sign": ("/app/7/v2/rtmpforward/start%zz", "POST", 40403),
    "60,000 characters": ("/" + "x" * 60_000, "POST", 40403),
    "60,000 appids": ("/app/" + "7" * 60_000 + "/v2/rtmpforward/startrtmp", "POST", 40403),
}


@pytest.mark.parametrize(("target", "method", "code"), TARGETS.values(), ids=TARGETS.keys())
async def test_target_gets_the_contracts_answer(
    open_server: OpenServer, target: str, method: str, code: int | None
) -> None:
    server = await open_server()
    async with wire(server) as opened:
        await opened.send(build(target=target, method=method))
        reply = await opened.read()
    if code is None:
        assert reply is None or reply.status < 500
    else:
        assert reply is not None
        assert reply.code == code


async def test_target_that_is_not_ascii_is_never_an_error_of_ours(open_server: OpenServer) -> None:
    server = await open_server()
    for target in (path_of().encode() + b"\xff", "/app/中".encode(), b"/\xed\xa0\x80"):
        assert_harmless(await everything(server, build(target=target)))


async def test_header_that_is_not_utf8_is_told_as_valid_json(open_server: OpenServer) -> None:
    server = await open_server()
    raw = build(content_type=None, headers=[("Content-Type", b"text/\xff\xed\xa0\x80")])
    reply = await ask(server, raw)
    assert reply.code == 40003
    reply.envelope["message"].encode()  # a lone surrogate would not do


async def test_compressed_body_is_not_understood(open_server: OpenServer) -> None:
    import gzip

    server = await open_server()
    headers = [("Content-Encoding", "gzip")]
    assert (await ask(server, build(gzip.compress(RAW), headers=headers))).code == 40001
    assert (await ask(server, build(gzip.compress(b" " * 10**8), headers=headers))).code == 40001
    assert (
        await ask(server, build(b"\x1f\x8b", headers=[("Content-Encoding", "br")]))
    ).code == 40001


async def test_pipelined_requests_are_answered_in_their_order(open_server: OpenServer) -> None:
    server = await open_server()
    stop = build(STOP_SOURCE, path_of(STOP))
    async with wire(server) as opened:
        await opened.send(build() + build(method="PUT") + stop + stop + build(b"{") + build())
        codes = [(await opened.answer()).code for _ in range(6)]
    assert codes == [0, 40501, 0, 40401, 40001, 0]


async def test_200_pipelined_requests_are_all_answered(open_server: OpenServer) -> None:
    server = await open_server()
    async with wire(server) as opened:
        await opened.send(build() * 200)
        assert [(await opened.answer()).code for _ in range(200)] == [0] * 200


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


UNUSUAL = {
    "upgrade to websocket": build(headers=[("Connection", "Upgrade"), ("Upgrade", "websocket")]),
    "upgrade to HTTP/2": build(headers=[("Connection", "Upgrade"), ("Upgrade", "h2c")]),
    "unknown expectation": build(headers=[("Expect", "x")]),
    "HTTP/1.0": REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/1.0 with an expectation": build(headers=[EXPECT]).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "line feeds before": b"\r\n\r\n" + REQUEST,
    "chunks": build(None, headers=[CHUNKED]) + chunked(RAW, 1),
    "chunks with an extension": build(None, headers=[CHUNKED])
    + chunked(RAW).replace(b"\r\n", b";x=1\r\n", 1),
    "100 headers": build(headers=[(f"x-{number}", "x" * 100) for number in range(100)]),
}


@pytest.mark.parametrize("raw", UNUSUAL.values(), ids=UNUSUAL.keys())
async def test_unusual_request_is_accepted(open_server: OpenServer, raw: bytes) -> None:
    server = await open_server()
    assert (await ask(server, raw)).code == 0


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


async def test_callback_of_a_refused_call_is_never_sent(open_server: OpenServer) -> None:
    async with open_receiver() as (url, told):
        server = await open_server(apps=(AppConfig(APPID, "cert", "key", url),))
        await ask(server, build(b"{"))
        await ask(server, build(token=None))
        await ask(server, build(STOP_SOURCE, path_of(STOP)))
        await ask(server, build())
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await told.get())["context"]["status"] == 0
        assert told.empty()


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
