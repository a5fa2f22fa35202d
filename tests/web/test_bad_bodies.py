"""Bodies that are odd, too large or broken."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.web.bodies import MOST_BODY_BYTES
from tests.web.calls import EXPECT, RAW, OpenServer
from tests.web.wires import (
    CHUNKED,
    MIXED,
    SOURCE,
    ask,
    build,
    chunked,
    revision,
    running,
    wire,
)


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


async def test_compressed_body_is_not_understood(open_server: OpenServer) -> None:
    import gzip

    server = await open_server()
    headers = [("Content-Encoding", "gzip")]
    assert (await ask(server, build(gzip.compress(RAW), headers=headers))).code == 40001
    assert (await ask(server, build(gzip.compress(b" " * 10**8), headers=headers))).code == 40001
    assert (
        await ask(server, build(b"\x1f\x8b", headers=[("Content-Encoding", "br")]))
    ).code == 40001
