"""Methods, targets and headers that are odd, and requests in a row."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.config import AppConfig
from tests.web.calls import EXPECT, RAW, STOP_SOURCE, OpenServer
from tests.web.test_bad_bytes import REQUEST, assert_harmless, everything, open_receiver
from tests.web.wires import (
    APPID,
    CHUNKED,
    PATIENCE_SECONDS,
    SOURCE,
    STOP,
    ask,
    build,
    chunked,
    path_of,
    running,
    wire,
)

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
