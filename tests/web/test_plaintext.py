import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession, web

from fakerelay.web.plaintext import AnsweringContext


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def complaints() -> list[dict[str, Any]]:
    """What reaches the loop's exception handler, and so would be printed."""
    caught: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context))
    return caught


@pytest.fixture
async def port(ca: trustme.CA) -> AsyncIterator[int]:
    async def hello(request: web.BaseRequest) -> web.Response:
        return web.Response(text=await request.text())

    context = AnsweringContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    server = await asyncio.get_running_loop().create_server(
        web.Server(hello), "127.0.0.1", 0, ssl=context, ssl_handshake_timeout=30
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def say(port: int, *chunks: bytes) -> bytes:
    """Send these one by one, and answer what comes back until the server or we hang up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        return await asyncio.wait_for(reader.read(65536), 5)
    finally:
        writer.close()


@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD", b"PUT"])
async def test_plain_http_is_told_to_speak_https(port: int, method: bytes) -> None:
    answer = await say(port, method + b" /app/1 HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in body
    assert b"Content-Length: %d" % len(body) in head


async def test_a_long_body_does_not_cut_the_answer_off(port: int) -> None:
    chunks = [b"POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n", *[b"x" * 100_000] * 50]
    assert (await say(port, *chunks)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "start",
    [
        b"DELETE / HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"\0" * 64,
        b"\x16\x03\x01\0\x04\xff\0\0\0",
    ],
    ids=["delete", "options", "zeros", "broken handshake"],
)
async def test_whatever_else_is_no_tls_is_cut_off(port: int, start: bytes) -> None:
    answer = await say(port, start)
    assert not answer.startswith(b"HTTP")


async def test_those_who_speak_tls_are_served(port: int, ca: trustme.CA) -> None:
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    async with ClientSession() as session:
        url = f"https://localhost:{port}/"
        async with session.post(url, data="x" * 300_000, ssl=trust) as reply:
            assert await reply.text() == "x" * 300_000


async def test_nothing_is_logged(
    port: int, complaints: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await say(port, b"GET / HTTP/1.1\r\n\r\n")
        await say(port, b"DELETE / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0)
    assert caplog.records == []
    assert complaints == []
