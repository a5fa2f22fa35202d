"""Faults on calls, byte by byte: what is sent, what is done, and what the journal says of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakerelay.core.problems import FACTS
from fakerelay.server import Server
from tests.web.wires import (
    APPID,
    SOURCE,
    START,
    STOP,
    Reply,
    accept,
    ask,
    build,
    path_of,
    running,
    wire,
)

OpenServer = Callable[..., Awaitable[Server]]
STOP_SOURCE = {key: SOURCE[key] for key in ("appid", "roomid", "streamtype", "uid")}


async def spoil(server: Server, fault: str, **settings: Any) -> None:
    """One plan with one step."""
    plan = {"id": "plan", "steps": [{"fault": fault, **settings}]}
    await server.control.call("create_fault", body=plan)


async def told(server: Server) -> list[dict[str, Any]]:
    """The journal."""
    listed = await server.control.call("requests")
    items: list[dict[str, Any]] = listed["items"]
    return items


async def end_of(server: Server, raw: bytes) -> bytes:
    """All that comes back until the other side closes."""
    async with wire(server) as opened:
        await opened.send(raw)
        return await opened.rest()


@pytest.mark.parametrize("name", sorted(FACTS))
async def test_problem_is_told_and_nothing_done(open_server: OpenServer, name: str) -> None:
    server = await open_server()
    await spoil(server, "problem", name=name)
    reply = await ask(server, build())
    code = server.tenants.default.service.profile.errors[name].code
    assert reply.code == code
    assert "{" not in reply.envelope["message"]
    assert reply.rule is None
    assert reply.headers["x-fakerelay-fault"] == "plan/problem"
    assert running(server) == []
    (request,) = await told(server)
    assert (request["code"], request["accepted"]) == (code, False)
    assert (request["problem"]["name"], request["problem"]["rule"]) == (name, None)
    assert request["fault"] == {
        "plan": "plan", "step": 0, "fault": "problem", "decided": [], "told": "reply",
    }  # fmt: skip
    await accept(server, SOURCE)


async def test_facts_of_a_problem_are_the_plans_or_else_the_calls(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "problem", name="address_in_use")
    assert (await ask(server, build())).envelope["message"] == "address in use: rtmp://h/a"
    await spoil(server, "problem", name="address_in_use", facts={"address": "rtmp://x/y"})
    assert (await ask(server, build())).envelope["message"] == "address in use: rtmp://x/y"


async def test_explanations_can_be_left_out(open_server: OpenServer) -> None:
    server = await open_server(explain=False)
    await spoil(server, "problem", name="internal_error")
    assert "x-fakerelay-fault" not in (await ask(server, build())).headers


async def test_http_status_has_its_headers_and_body(open_server: OpenServer) -> None:
    server = await open_server()
    page = "<html>busy</html>"
    await spoil(server, "http_status", status=503, headers={"Retry-After": "7"}, body=page)
    async with wire(server) as opened:
        await opened.send(build() + build())
        reply = await opened.answer()
        assert (reply.status, reply.body) == (503, page.encode())
        assert reply.headers["retry-after"] == "7"
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert (await opened.answer()).code == 0
    assert running(server) == ["u"]


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


LOST = {
    "start": (START, SOURCE, 0, None),
    "stop": (STOP, STOP_SOURCE, 40401, "task_not_found"),
}


@pytest.mark.parametrize(("operation", "body", "code", "problem"), LOST.values(), ids=LOST)
async def test_retry_after_a_lost_reply_is_told_in_the_journal(
    open_server: OpenServer, operation: str, body: dict[str, Any], code: int, problem: str | None
) -> None:
    server = await open_server()
    if operation == STOP:
        await accept(server, SOURCE)
    await spoil(server, "drop_after_commit")
    target = path_of(operation, APPID, "traceId=lost")
    assert await end_of(server, build(body, target)) == b""
    retried: Reply = await ask(server, build(body, target))
    assert retried.code == code
    listed = await server.control.call("requests", traceid="lost")
    first, second = listed["items"]
    assert (first["accepted"], first["status"], first["fault"]["told"]) == (True, None, "nothing")
    assert second["fault"] is None
    assert (second["problem"] and second["problem"]["name"]) == problem
    assert running(server) == ([] if operation == STOP else ["u"])
