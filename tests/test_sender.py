import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from fakerelay.errors import ConfigError
from fakerelay.sender import HttpSender, Resolver

BODY = b'{"context":{"rtmpurl":"rtmp://cdn/live/SECRET"}}'
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    sender = HttpSender()
    yield sender
    await sender.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a receiver of one handler; answers its URL."""
    servers: list[TestServer] = []

    async def start(handler: Handler, context: ssl.SSLContext | None = None) -> str:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        server = TestServer(app)
        servers.append(server)
        await server.start_server(ssl=context, shutdown_timeout=0.01)
        return str(server.make_url("/callbacks"))

    yield start
    for server in servers:
        await server.close()


def answering(status: int, **options: object) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, **options)  # type: ignore[arg-type]

    return handler


@pytest.mark.parametrize("status", [200, 204, 404, 500], ids=str)
async def test_sender_answers_the_status(sender: HttpSender, serve: Serve, status: int) -> None:
    sent = await sender.send(await serve(answering(status)), BODY, 5)
    assert (sent.status, sent.error) == (status, None)
    assert 0 < sent.duration_seconds < 5


async def test_sender_posts_json_and_nothing_else(sender: HttpSender, serve: Serve) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers, await request.read()))
        response = web.Response()
        response.set_cookie("session", "1")
        return response

    # Cookies are kept for names only, not for an IP address.
    url = (await serve(handler)).replace("127.0.0.1", "localhost")
    for _ in range(2):
        await sender.send(url, BODY, 5)
    for method, headers, body in seen:
        assert (method, headers["Content-Type"], body) == ("POST", "application/json", BODY)
        assert "Cookie" not in headers
    assert len(seen) == 2


async def test_sender_follows_no_redirect(sender: HttpSender, serve: Serve) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    sent = await sender.send(await serve(handler), BODY, 5)
    assert (sent.status, seen) == (302, ["/callbacks"])


async def test_sender_gives_up_on_a_receiver_that_hangs(sender: HttpSender, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    sent = await sender.send(await serve(handler), BODY, 0.05)
    assert (sent.status, sent.error) == (None, "No answer within 0.05 s")


@pytest.mark.parametrize(
    ("size", "timeout_seconds"), [(0, 0.05), (10_000_000, 30)], ids=["stalled", "endless"]
)
async def test_sender_needs_no_more_than_the_status(
    sender: HttpSender, serve: Serve, size: int, timeout_seconds: float
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "20000000"})
        await response.prepare(request)
        await response.write(b"x" * size)
        await asyncio.Event().wait()
        return response

    async with asyncio.timeout(10):
        sent = await sender.send(await serve(handler), BODY, timeout_seconds)
    assert (sent.status, sent.error) == (200, None)


async def test_sender_reports_a_refused_connection(sender: HttpSender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sent = await sender.send(f"http://127.0.0.1:{port}/", BODY, 5)
    assert sent.status is None
    assert sent.error is not None
    assert sent.error.startswith(f"No connection to 127.0.0.1:{port}: ")


async def test_sender_reports_a_reset_connection(sender: HttpSender) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sent = await sender.send(f"http://127.0.0.1:{port}/SECRET", BODY, 5)
    assert (sent.status, sent.error) == (None, "The connection broke: Connection reset by peer")


async def test_sender_uses_no_connection_closed_behind_an_answer(sender: HttpSender) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        sent = [await sender.send(url, BODY, 5) for _ in range(20)]
    assert [each.error for each in sent] == [None] * 20


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "The receiver closed the connection without an answer"),
        (BODY + b"\r\n\r\n", "The receiver's answer is not HTTP"),
    ],
    ids=["nothing", "not HTTP"],
)
async def test_sender_reports_what_is_no_answer_without_quoting_it(
    sender: HttpSender, answer: bytes, error: str
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sent = await sender.send(f"http://127.0.0.1:{port}/SECRET", BODY, 5)
    assert sent.status is None
    assert sent.error is not None
    assert sent.error.startswith(error)
    assert "SECRET" not in sent.error


async def test_sender_trusts_only_known_authorities(serve: Serve, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    url = await serve(answering(200), context)
    trusting, wary = HttpSender(ca_file=ca_file), HttpSender()
    try:
        sent = await wary.send(url, BODY, 5)
        assert sent.error is not None
        assert "--callback-ca FILE" in sent.error
        assert (await trusting.send(url, BODY, 5)).status == 200
    finally:
        await trusting.close()
        await wary.close()


@pytest.mark.parametrize("content", [None, "", "not PEM"], ids=["missing", "empty", "garbage"])
def test_sender_refuses_authorities_it_cant_read(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        HttpSender(ca_file=ca_file)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest", "169.254.169.254 is link-local"),
        ("http://[::ffff:169.254.169.254]/", "is link-local"),
        ("http://0xa9fea9fe/", "169.254.169.254 is link-local"),
        ("http://0.0.0.0:1/", "0.0.0.0 is unspecified"),
        ("http://224.0.0.1/", "224.0.0.1 is multicast"),
        ("https://192.0.2.1/", "--callback-allow HOST"),
    ],
)
async def test_sender_connects_to_no_refused_target(
    sender: HttpSender, url: str, reason: str
) -> None:
    sent = await sender.send(url, BODY, 5)
    assert sent.status is None
    assert sent.error is not None
    assert reason in sent.error


@pytest.mark.parametrize("named", ["192.0.2.1", "192.0.2.1.", " 192.0.2.1 "])
async def test_sender_tries_a_public_host_that_is_named(named: str) -> None:
    sender = HttpSender(allow_hosts=[named])
    sent = await sender.send("http://192.0.2.1:9/", BODY, 0.05)
    await sender.close()
    assert sent.status is None
    assert sent.error is not None
    assert "--callback-allow" not in sent.error


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[::1",
        "http://a..b/",
        f"http://{'a' * 70}.invalid/",
        "mailto:receiver",
    ],
)
async def test_sender_reports_a_url_it_cant_use(sender: HttpSender, url: str) -> None:
    sent = await sender.send(url, BODY, 5)
    assert (sent.status, sent.error) == (None, "The callback URL can't be used")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/%7Ex?sig=a%2Fb", "/%7Ex?sig=a%2Fb"),
        ("/a/../b?x=%2b+c", "/a/../b?x=%2b+c"),
        ("?sig=1", "/?sig=1"),
        ("/cb#part", "/cb"),
        ("/é?q=|", "/%C3%A9?q=%7C"),
        ("/100%?q=%zz", "/100%25?q=%25zz"),
    ],
    ids=["escaped", "dotted", "no path", "fragment", "not ASCII", "no escape"],
)
async def test_sender_posts_to_the_url_as_it_stands(
    sender: HttpSender, serve: Serve, written: str, sent: str
) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response()

    url = (await serve(handler)).removesuffix("/callbacks")
    await sender.send(url + written, BODY, 5)
    assert seen == [sent]


async def test_name_that_hangs_delays_no_other() -> None:
    ends = threading.Event()

    def look_up(host: str, port: int, *rest: Any) -> list[Any]:
        if host.startswith("hangs"):
            ends.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    resolver = Resolver(20, look_up=look_up)
    hanging = [asyncio.create_task(resolver.resolve(f"hangs{n}", 80)) for n in range(19)]
    await asyncio.sleep(0)
    [found] = await asyncio.wait_for(resolver.resolve("quick", 80), 5)
    assert (found["host"], found["port"]) == ("127.0.0.1", 80)
    hanging += [asyncio.create_task(resolver.resolve(f"hangs{n}", 80)) for n in range(19, 30)]
    await asyncio.sleep(0)
    await asyncio.wait_for(resolver.resolve("localhost", 80), 5)
    assert not any(task.done() for task in hanging)
    ends.set()
    await asyncio.wait_for(asyncio.gather(*hanging), 5)


async def test_name_that_is_unknown_is_told() -> None:
    def look_up(*query: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(socket.gaierror, match="unknown"):
        await Resolver(look_up=look_up).resolve("nowhere", 80)
