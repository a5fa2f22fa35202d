"""TLS that goes wrong on a port of a world's own, as three real clients see it."""

import asyncio
import json
import os
import shutil
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests

from fakerelay.client import RelayClient, RelayUnreachable
from fakerelay.errors import ControlError
from fakerelay.server import Server

Open = Callable[..., Awaitable[Server]]
APPID, OTHER_APPID = 7, 8


@pytest.fixture
async def server(open_server: Open, tmp_path: Path) -> Server:
    return await open_server(ca_dir=tmp_path / "ca", no_tls=False)


async def spoil(server: Server, fault: str, /, **settings: Any) -> dict[str, Any]:
    steps = [{"fault": fault, **settings}]
    plan: dict[str, Any] = await server.control.call("create_fault", on="tls", steps=steps)
    return plan


def trust(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.tls_files.ca_file)


def trust_anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def start(url: str, context: ssl.SSLContext, cert: str = "cert", appid: int = APPID) -> int:
    key = {"cert": "key", "other-cert": "other-key", "third-cert": "third-key"}[cert]
    async with RelayClient(url, appid, cert, key, ssl_context=context) as client:
        return (await client.start_source("r", "u", "rtmp://h/a")).code


class Seen(NamedTuple):
    """What clients say of a fault: aiohttp's class, OpenSSL's words in requests, Node's code."""

    fault: str
    error: type[Exception]
    words: str
    code: str


REFUSED = aiohttp.ClientConnectorCertificateError
SEEN = (
    Seen("expired", REFUSED, "certificate has expired", "CERT_HAS_EXPIRED"),
    Seen("not_yet_valid", REFUSED, "certificate is not yet valid", "CERT_NOT_YET_VALID"),
    Seen("wrong_name", REFUSED, "IP address mismatch", "ERR_TLS_CERT_ALTNAME_INVALID"),
    Seen("untrusted", REFUSED, "unable to get local issuer", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    Seen("self_signed", REFUSED, "self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"),
    Seen("refuse_handshake", aiohttp.ClientConnectorError, "EOF occurred", "ECONNRESET"),
)
SERVING = [seen.fault for seen in SEEN if seen.fault != "refuse_handshake"]
each_sight = pytest.mark.parametrize("seen", SEEN, ids=[seen.fault for seen in SEEN])
each_fault = pytest.mark.parametrize("fault", [*SERVING, "refuse_handshake", "handshake_hang"])


@each_sight
async def test_aiohttp_is_refused_for_the_reason_that_was_asked_for(
    server: Server, seen: Seen
) -> None:
    plan = await spoil(server, seen.fault)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(seen.error) as caught:
            await session.post(plan["url"], ssl=trust(server))
    if seen.error is REFUSED:
        assert seen.words in str(caught.value)


@each_sight
async def test_requests_says_the_reason_that_was_asked_for(server: Server, seen: Seen) -> None:
    plan = await spoil(server, seen.fault)
    bundle = str(server.tls_files.ca_bundle)
    with pytest.raises(requests.exceptions.SSLError, match=seen.words):
        await asyncio.to_thread(requests.post, plan["url"], verify=bundle, timeout=10)


FETCH = """
const codes = {};
for (const [fault, url] of Object.entries(JSON.parse(process.env.URLS)))
  await fetch(url, { method: "POST" }).catch((error) => { codes[fault] = error.cause.code; });
console.log(JSON.stringify(codes));
"""


async def test_fetch_gives_the_code_of_what_was_asked_for(server: Server) -> None:
    node = shutil.which("node")
    if node is None and os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
        pytest.fail("'node' is not installed, and all clients are required")
    if node is None:
        pytest.skip("'node' is not installed")
    urls = {seen.fault: (await spoil(server, seen.fault))["url"] for seen in SEEN}
    environment = {"URLS": json.dumps(urls), "NODE_EXTRA_CA_CERTS": str(server.tls_files.ca_file)}
    program = await asyncio.create_subprocess_exec(
        node, "--input-type=module", "-e", FETCH, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await program.communicate()
    assert json.loads(told) == {seen.fault: seen.code for seen in SEEN}


async def test_handshake_that_hangs_ends_with_the_client_s_patience(server: Server) -> None:
    plan = await spoil(server, "handshake_hang")
    patience = aiohttp.ClientTimeout(total=0.2)
    async with aiohttp.ClientSession(timeout=patience) as session:
        with pytest.raises(TimeoutError):
            await session.post(plan["url"], ssl=trust(server))


@pytest.mark.parametrize("fault", SERVING)
async def test_client_that_does_not_verify_is_served(server: Server, fault: str) -> None:
    plan = await spoil(server, fault)
    assert await start(plan["url"], trust_anybody()) == 0
    (task,) = (await server.control.call("tasks"))["items"]
    assert task["appid"] == APPID


async def test_port_of_all_worlds_is_as_good_as_ever(server: Server) -> None:
    await spoil(server, "expired")
    assert await start(server.url, trust(server)) == 0


async def test_client_that_trusts_the_ca_of_a_plain_server_sees_nothing_else_wrong(
    open_server: Open, tmp_path: Path
) -> None:
    server = await open_server(ca_dir=tmp_path / "ca")
    plan = await spoil(server, "wrong_name", name="cdn.example")
    context = ssl.create_default_context(cafile=plan["ca_file"])
    context.check_hostname = False
    assert await start(plan["url"], context) == 0


async def test_other_world_s_app_is_unknown_on_the_port(server: Server) -> None:
    world = await server.control.call(
        "create_world",
        id="other",
        appid=9,
        certificate_id="third-cert",
        certificate_key="third-key",
    )
    plan = await server.control.call(
        "create_fault", world=world["id"], on="tls", steps=[{"fault": "untrusted"}]
    )
    assert await start(plan["url"], trust_anybody(), "third-cert", 9) == 0
    assert await start(plan["url"], trust_anybody()) == 40103
    assert await start(plan["url"], trust_anybody(), "third-cert", APPID) == 40301
    asked = (await server.control.call("requests", world="other"))["items"]
    assert [each["code"] for each in asked] == [0, 40103, 40301]
    assert (await server.control.call("requests", world="default"))["total"] == 0


async def test_plan_counts_who_connects(server: Server) -> None:
    plan = await spoil(server, "untrusted")
    assert plan["unmet"] == [0]
    await start(plan["url"], trust_anybody())
    (shown,) = (await server.control.call("faults"))["items"]
    assert shown["url"] == plan["url"]
    assert (shown["steps"][0]["met"], shown["unmet"]) == (1, [])


ENDS: dict[str, Callable[[Server, str], Awaitable[Any]]] = {
    "deleted": lambda server, plan: server.control.call(
        "delete_fault", fault_id=plan, world="other"
    ),
    "cleared": lambda server, plan: server.control.call("clear_faults", all=True),
    "reset": lambda server, plan: server.control.call("reset", world="other"),
    "world dropped": lambda server, plan: server.control.call("delete_world", id="other"),
    "server closed": lambda server, plan: server.close(grace_seconds=0),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("fault", ["untrusted", "handshake_hang"])
async def test_port_ends_with_its_plan_and_so_do_its_connections(
    server: Server, fault: str, end: Callable[[Server, str], Awaitable[Any]]
) -> None:
    await server.control.call("create_world", id="other")
    plan = await server.control.call(
        "create_fault", world="other", on="tls", steps=[{"fault": fault}]
    )
    context = trust_anybody() if fault == "untrusted" else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", urlsplit(plan["url"]).port, ssl=context
    )
    async with aiohttp.ClientSession() as session:
        await end(server, plan["id"])
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(plan["url"], ssl=trust_anybody())
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_handshake_that_ends_after_the_plan_leads_nowhere(server: Server) -> None:
    plan = await spoil(server, "untrusted")
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(plan["url"]).port)
    await server.control.call("delete_fault", fault_id=plan["id"])
    with suppress(ConnectionError):
        await writer.start_tls(trust_anybody())
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert await reader.read() == b""
    assert (await server.control.call("requests"))["total"] == 0
    writer.close()


async def test_plan_in_the_place_of_another_has_the_port_it_names(server: Server) -> None:
    first = await server.control.call(
        "create_fault", id="tls", on="tls", steps=[{"fault": "untrusted"}]
    )
    port = urlsplit(first["url"]).port
    same = await server.control.call(
        "create_fault", id="tls", on="tls", steps=[{"fault": "self_signed", "port": port}]
    )
    assert same["url"] == first["url"]
    assert await start(same["url"], trust_anybody()) == 0
    assert len((await server.control.call("faults"))["items"]) == 1


async def test_plan_said_again_keeps_its_port(server: Server) -> None:
    plan = {"id": "tls", "on": "tls", "steps": [{"fault": "untrusted"}]}
    first = await server.control.call("create_fault", **plan)
    again = await server.control.call("create_fault", **plan)
    assert again["url"] == first["url"]
    await start(again["url"], trust_anybody())
    assert (await server.control.call("faults"))["items"][0]["steps"][0]["met"] == 1


async def test_port_that_is_taken_leaves_what_there_was(server: Server) -> None:
    first = await spoil(server, "untrusted")
    taken = urlsplit(server.url).port
    with pytest.raises(
        ControlError, match=rf"127\.0\.0\.1:{taken}.*choose another 'port'"
    ) as caught:
        await server.control.call(
            "create_fault", id=first["id"], on="tls", steps=[{"fault": "expired", "port": taken}]
        )
    assert (caught.value.code, caught.value.pointer) == ("invalid_fault", "/steps/0")
    assert (await server.control.call("faults"))["items"] == [first]
    assert await start(first["url"], trust_anybody()) == 0


async def test_port_of_a_plan_that_was_replaced_ends_though_the_new_one_can_not_be_had(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    first = await spoil(server, "untrusted")
    snapshot = await server.control.call("snapshot", keys=True)
    taken = urlsplit(server.url).port
    snapshot["faults"][0]["plan"]["steps"] = [{"fault": "self_signed", "port": taken}]
    await server.control.call("put_snapshot", body=snapshot)
    assert "choose another 'port'" in caplog.text
    caplog.clear()
    (shown,) = (await server.control.call("faults"))["items"]
    assert shown["url"] is None
    with pytest.raises(RelayUnreachable, match="ClientConnectorError"):
        await start(first["url"], trust_anybody())


async def test_folder_whose_ca_has_no_key_can_not_make_one(
    open_server: Open, tmp_path: Path
) -> None:
    server = await open_server(ca_dir=tmp_path / "ca", no_tls=False)
    (tmp_path / "ca" / "ca-key.pem").unlink()
    with pytest.raises(ControlError, match=r"has no 'ca-key\.pem'"):
        await spoil(server, "expired")
    assert (await server.control.call("faults"))["items"] == []
    assert (await spoil(server, "untrusted"))["ca_file"] is None
