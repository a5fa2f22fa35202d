"""Calls that are answered wrongly, or done and not told, over real sockets."""

from typing import Any

import pytest

from fakerelay.core.problems import FACTS
from fakerelay.faults import KINDS, read_plan, vocabulary
from fakerelay.server import Server
from tests.readme_tables import show_step
from tests.web.calls import STOP_SOURCE, OpenServer
from tests.web.spoiling import end_of, spoil, told
from tests.web.test_fault_delays import until
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


async def test_error_after_commit_looks_like_a_proxys(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "error_after_commit", status=504)
    reply = await ask(server, build())
    assert (reply.status, reply.rule) == (504, None)
    assert b"<h1>504 Gateway Timeout</h1>" in reply.body
    assert running(server) == ["u"]
    (request,) = await told(server)
    assert (request["status"], request["code"], request["accepted"]) == (504, None, True)


TWICE = {"start": (START, SOURCE, [0, 0]), "stop": (STOP, STOP_SOURCE, [0, 40401])}


@pytest.mark.parametrize(("operation", "body", "codes"), TWICE.values(), ids=TWICE)
async def test_call_is_done_twice_and_the_second_outcome_told(
    open_server: OpenServer, operation: str, body: dict[str, Any], codes: list[int]
) -> None:
    server = await open_server()
    if operation == STOP:
        await accept(server, SOURCE)
    await spoil(server, "duplicate_commit")
    reply = await ask(server, build(body, path_of(operation)))
    assert reply.code == codes[1]
    assert reply.rule == ("stop-running-task" if operation == STOP else None)
    request = (await told(server))[-1]
    assert [each["code"] for each in request["fault"]["decided"]] == codes
    assert request["accepted"] == (operation == START)
    if operation == START:
        (task,) = server.tenants.default.service.view.tasks()
        assert task.revision == 2


async def test_call_that_is_done_twice_is_warned_of_once(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "duplicate_commit")
    await accept(server, {**SOURCE, "surprise": 1})
    (request,) = await told(server)
    assert [warning["field"] for warning in request["warnings"]] == ["surprise"]


@pytest.mark.parametrize("fault", ["truncate", "drop_after_commit", "error_after_commit", "empty"])
async def test_refused_call_is_refused_whatever_is_told(
    open_server: OpenServer, fault: str
) -> None:
    server = await open_server()
    await spoil(server, fault)
    await end_of(server, build(token=None, headers=[("Connection", "close")]))
    (request,) = await told(server)
    assert (request["accepted"], request["problem"]["name"]) == (False, "token_missing")
    assert [each["code"] for each in request["fault"]["decided"]] == [40101]
    assert running(server) == []


async def test_callbacks_go_out_once_a_spoiled_reply_is_dealt_with(open_server: OpenServer) -> None:
    server = await open_server()
    url = "http://127.0.0.1:1/callbacks"
    await server.control.call("put_app", appid=APPID, callback_url=url)
    await spoil(server, "drip", seconds=3600)
    async with wire(server) as opened:
        await opened.send(build())
        assert (await opened.some(patience_seconds=5)).startswith(b"HTTP/1.1 200 OK")
        (callback,) = (await server.control.call("callbacks"))["items"]
        assert callback["attempts"] == []
        opened.abort()
        await until(lambda: attempts(server))
    await spoil(server, "drop_after_commit")
    await end_of(server, build(STOP_SOURCE, path_of(STOP)))
    assert (await server.control.call("callbacks"))["total"] == 2


def attempts(server: Server) -> int:
    return sum(len(each.attempts) for each in server.tenants.default.delivery.notifications())


@pytest.mark.parametrize("on", KINDS)
def test_steps_that_the_manual_shows_are_valid(on: str) -> None:
    match = {"uid": "u"} if on == "push" else {}
    for fault, row in vocabulary()[on].items():
        step = show_step(fault, row)
        plan = read_plan({"on": on, "seed": 1, "match": match, "steps": [step]}, "plan", 0.0)
        assert plan.steps[0].fault == fault
