"""The control plane over HTTP: its envelope of errors, who is let in, where it may listen."""

import io
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fakerelay.control.client import ControlClient
from fakerelay.control.components import compile_component
from fakerelay.control.verbs import PREFIX, VERBS
from fakerelay.errors import ConfigError, ControlError, FakerelayError
from fakerelay.server import Server

OpenServer = Callable[..., Awaitable[Server]]
JSON = {"Content-Type": "application/json"}


async def read_error(response: aiohttp.ClientResponse) -> dict[str, Any]:
    answer = await response.json()
    compile_component("errors").validate(answer)
    assert response.content_type == "application/json"
    told: dict[str, Any] = answer["errors"][0]
    return told


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "code", "word"),
    [
        ("GET", "task", None, {}, 404, "unknown_path", "v1/tasks"),
        ("GET", "", None, {}, 404, "unknown_path", "did you mean"),
        ("GET", "apps/1/2", None, {}, 404, "unknown_path", "apps"),
        ("PATCH", "apps/7", b"{}", JSON, 405, "method_not_allowed", "PUT"),
        ("POST", "worlds", b"{}", {"Content-Type": "text/plain"}, 415,
         "unsupported_media_type", "'text/plain'"),
        ("POST", "reset?all=true", None, {}, 415, "unsupported_media_type", "application/json"),
        ("PUT", "profile", b"{}", {"Content-Type": "application/jsonx"}, 415,
         "unsupported_media_type", ""),
        ("POST", "worlds", b"{", JSON, 400, "malformed_json", "not JSON"),
        ("POST", "worlds", b"[]", JSON, 400, "malformed_json", "object"),
        ("POST", "worlds", b'{"id": NaN}', JSON, 400, "malformed_json", "NaN"),
        ("POST", "worlds", b'{"id": "\xff"}', JSON, 400, "malformed_json", ""),
        ("POST", "worlds", rb'{"id": "\ud800"}', JSON, 400, "malformed_json", ""),
        ("POST", "worlds", b'{"a":' * 9999, JSON, 400, "malformed_json", ""),
        ("POST", "worlds", b'{"x":' + b"[" * 300 + b"]" * 300 + b"}", JSON, 400, None, ""),
        ("PUT", "profile", b'{"name":"%s"}' % (b"x" * 2**20), JSON, 413, "body_too_large", ""),
        ("GET", "tasks?limit=ten", None, {}, 400, "invalid_parameter", "'ten'"),
        ("GET", "tasks?limit=1&limit=2", None, {}, 400, "repeated_parameter", "'limit'"),
        ("GET", "tasks?limit=", None, {}, 400, "invalid_parameter", "''"),
        ("GET", "tasks?appid=1.0", None, {}, 400, "invalid_parameter", "'1.0'"),
        ("GET", "tasks?wait_seconds=nan", None, {}, 400, "invalid_parameter", "'nan'"),
        ("GET", "tasks?appid=18446744073709551616", None, {}, 400, "invalid_parameter", "at most"),
        ("GET", "tasks?%FF=1", None, {}, 400, "unknown_parameter", ""),
        ("GET", "apps/x", None, {}, 400, "invalid_parameter", "'x'"),
        ("DELETE", "requests", None, {}, 400, "missing_target", "all=true"),
        ("DELETE", "requests?all=yes", None, {}, 400, "invalid_parameter", "'yes'"),
    ],
)  # fmt: skip
async def test_mistakes_are_told_in_one_envelope(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    status: int,
    code: str | None,
    word: str,
) -> None:
    # Without this aiohttp would name a type of its own.
    no_type = [] if "Content-Type" in headers else ["Content-Type"]
    async with http.request(
        method, path, data=body and io.BytesIO(body), headers=headers, skip_auto_headers=no_type
    ) as response:
        error = await read_error(response)
        assert response.status == status
    assert error["code"] == code or code is None
    assert word in error["detail"]


async def test_wrong_method_is_told_which_are_right(http: aiohttp.ClientSession) -> None:
    for method in ("OPTIONS", "TRACE", "POST"):
        async with http.request(method, "apps/7") as response:
            assert response.status == 405
            assert response.headers["Allow"] == "DELETE, GET, HEAD, PUT"


async def test_answers_are_never_for_other_origins(http: aiohttp.ClientSession) -> None:
    origin = {"Origin": "http://evil.example"}
    async with http.get("tasks", headers=origin) as response:
        assert response.status == 200
        assert not [name for name in response.headers if name.startswith("Access-Control")]
    async with http.options("tasks", headers=origin) as response:
        assert response.status == 405


@pytest.mark.parametrize("path", ["health", "tasks"])
async def test_head_answers_as_get_does(http: aiohttp.ClientSession, path: str) -> None:
    async with http.head(path) as response:
        assert response.status == 200
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:1234", True),
        ("[::1]:1234", True),
        ("192.168.7.7", True),
        ("localhost:1", True),
        ("LOCALHOST", True),
        ("relay.test:80", True),
        ("Relay.Test.", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:80", False),
        ("[evil]", False),
        ("", False),
    ],
)
async def test_rebound_names_are_kept_out(
    open_server: OpenServer, host: str, is_allowed: bool
) -> None:
    server = await open_server(control_port=0, allow_host=("relay.test",))
    base = f"{server.control_url}{PREFIX}"
    async with aiohttp.ClientSession(headers={"Host": host}) as session:
        async with session.get(f"{base}/tasks") as response:
            assert response.status == (200 if is_allowed else 403)
            if not is_allowed:
                assert (await read_error(response))["code"] == "host_not_allowed"
        async with session.get(f"{base}/health") as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("header", "is_right"),
    [
        ("Bearer s3cr3t", True),
        ("bearer s3cr3t", True),
        ("Bearer wrong", False),
        ("Bearer ", False),
        ("Basic s3cr3t", False),
        ("s3cr3t", False),
        ("Bearer s3cr3tt", False),
        (None, False),
    ],
)
async def test_token_opens_what_it_guards(
    open_server: OpenServer, header: str | None, is_right: bool
) -> None:
    server = await open_server(control_port=0, control_token="s3cr3t")
    headers = {} if header is None else {"Authorization": header}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{server.control_url}{PREFIX}/tasks") as response:
            assert response.status == (200 if is_right else 401)
            if not is_right:
                assert response.headers["WWW-Authenticate"] == "Bearer"
                assert "s3cr3t" not in json.dumps(await read_error(response))
        for path in ("health", "ca.pem"):
            async with session.get(f"{server.control_url}{PREFIX}/{path}") as response:
                assert response.status != 401


async def test_client_presents_the_token(open_server: OpenServer) -> None:
    server = await open_server(control_port=0, control_token="s3cr3t")
    url = server.control_url or ""
    async with ControlClient(url, token="s3cr3t") as client:
        assert (await client.call("tasks"))["total"] == 0
        document = await client.call("openapi")
    schemes = document["components"]["securitySchemes"]
    assert schemes == {"control_token": {"type": "http", "scheme": "bearer"}}
    async with ControlClient(url) as client:
        with pytest.raises(ControlError) as caught:
            await client.call("tasks")
        assert caught.value.status == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "relay.example"])
async def test_control_plane_for_everybody_needs_a_token(
    open_server: OpenServer, host: str
) -> None:
    with pytest.raises(ConfigError, match="give --control-token"):
        await open_server(control_port=0, control_host=host)


async def test_control_plane_beyond_loopback_speaks_tls(
    open_server: OpenServer, tmp_path: Path
) -> None:
    server = await open_server(
        control_port=0, control_host="0.0.0.0", control_token="s3cr3t", ca_dir=tmp_path
    )
    url = server.control_url or ""
    assert url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=server.tls_files.ca_file)
    async with ControlClient(url, token="s3cr3t", ssl_context=context) as client:
        assert (await client.call("health"))["status"] == "ok"
        assert await client.call("ca") == (tmp_path / "ca.pem").read_text()


async def test_ca_is_served_as_a_file(open_server: OpenServer, tmp_path: Path) -> None:
    server = await open_server(no_tls=False, control_port=0, ca_dir=tmp_path)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.control_url}{PREFIX}/ca.pem") as response,
    ):
        assert response.content_type == "application/x-pem-file"
        assert (await response.text()).startswith("-----BEGIN CERTIFICATE-----")


async def test_client_says_where_there_is_no_answer(open_server: OpenServer) -> None:
    server = await open_server(control_port=0)
    url = server.control_url or ""
    await server.close(grace_seconds=0)
    async with ControlClient(url) as client:
        with pytest.raises(FakerelayError, match="No answer from"):
            await client.call("health")
    with pytest.raises(FakerelayError, match="async with"):
        await client.call("health")


async def test_client_says_what_is_no_control_plane(open_server: OpenServer) -> None:
    server = await open_server(control_port=0)
    async with ControlClient(server.url) as client:
        with pytest.raises(FakerelayError, match="no control plane"):
            await client.call("tasks")


@pytest.mark.parametrize("name", list(VERBS))
async def test_each_verb_is_in_the_document(http: aiohttp.ClientSession, name: str) -> None:
    async with http.get("openapi.json") as response:
        document = await response.json()
    verb = VERBS[name]
    operation = document["paths"][f"{PREFIX}/{verb.path}"][verb.method.lower()]
    assert operation["operationId"] == name
    assert operation["summary"] == verb.doc
