"""Connections that end, or stay right, after a spoiled call."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.web.calls import OpenServer
from tests.web.spoiling import end_of, spoil, told
from tests.web.wires import (
    build,
    path_of,
    running,
    wire,
)

CLOSING = {"reset": [], "close_before_reply": [], "drop_after_commit": ["u"]}


@pytest.mark.parametrize(("fault", "names"), CLOSING.items(), ids=CLOSING)
async def test_connection_ends_without_a_byte(
    open_server: OpenServer, fault: str, names: list[str]
) -> None:
    server = await open_server()
    await spoil(server, fault)
    assert await end_of(server, build()) == b""
    assert running(server) == names
    (request,) = await told(server)
    assert (request["status"], request["code"]) == (None, None)
    assert request["accepted"] == bool(names)
    assert request["fault"]["told"] == "nothing"
    assert [each["code"] for each in request["fault"]["decided"]] == ([0] if names else [])


async def test_reset_is_one(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "reset")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.split(":")[-1]))
    writer.write(build())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


KEPT = {
    "problem": {"name": "internal_error"},
    "http_status": {"status": 503, "body": "x"},
    "no_content": {"status": 204},
    "delay": {"seconds": 0.01},
    "empty": {},
    "malformed": {},
    "drip": {"seconds": 0.02},
    "error_after_commit": {"status": 504},
    "duplicate_commit": {},
}


@pytest.mark.parametrize(("fault", "settings"), KEPT.items(), ids=KEPT)
async def test_connection_stays_right_after_it(
    open_server: OpenServer, fault: str, settings: dict[str, Any]
) -> None:
    server = await open_server()
    fault = "http_status" if fault == "no_content" else fault
    await spoil(server, fault, **settings)
    async with wire(server) as opened:
        await opened.send(build() + build(target=path_of(query="traceId=next")))
        first = await opened.answer()
        assert first.headers["x-fakerelay-fault"] == f"plan/{fault}"
        assert (await opened.answer()).envelope["traceId"] == "next"


@pytest.mark.parametrize(("fault", "settings"), KEPT.items(), ids=KEPT)
async def test_connection_ends_after_it_if_its_caller_wants_so(
    open_server: OpenServer, fault: str, settings: dict[str, Any]
) -> None:
    server = await open_server()
    await spoil(server, "http_status" if fault == "no_content" else fault, **settings)
    whole = await end_of(server, build(headers=[("Connection", "close")]))
    assert b"\r\nConnection: close\r\n" in whole
    assert whole.count(b"HTTP/1.1 ") == 1


async def test_old_http_is_kept_alive_only_if_it_asks(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "malformed", count=2, body="x")
    old = build().replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await end_of(server, old)).endswith(b"\r\n\r\nx")
    async with wire(server) as opened:
        await opened.send(old.replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1))
        assert (await opened.answer()).headers["connection"] == "keep-alive"


async def test_reply_is_cut_in_its_middle(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "truncate", bytes=9)
    head, _, body = (await end_of(server, build())).partition(b"\r\n\r\n")
    assert b"Content-Length: 49" in head
    assert body == b'{"code": '
    assert (await told(server))[0]["fault"]["told"] == "part"


async def test_no_reply_is_short_enough_to_be_cut_nowhere(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "truncate", bytes=60_000)
    assert not (await end_of(server, build())).endswith(b"}")


@pytest.mark.parametrize("fault", ["reset", "close_before_reply", "drop_after_commit", "truncate"])
async def test_connection_ends_over_tls_too(
    open_server: OpenServer, tmp_path: Path, fault: str
) -> None:
    server = await open_server(no_tls=False, ca_dir=tmp_path)
    await spoil(server, fault)
    trust = ssl.create_default_context(cafile=server.tls_files.ca_file)
    port = int(server.url.split(":")[-1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    writer.write(build())
    if fault == "reset":
        with pytest.raises(ConnectionResetError):
            await reader.read()
    else:
        whole = await reader.read()
        assert bool(whole) == (fault == "truncate")
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
