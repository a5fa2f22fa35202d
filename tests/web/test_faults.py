"""Faults on calls, byte by byte: what is sent, what is done, and what the journal says of it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fakerelay.core.problems import FACTS
from fakerelay.faults import KINDS, read_plan, vocabulary
from fakerelay.server import Server
from tests.readme_tables import show_step
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


async def test_reply_drips(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "drip", seconds=0.05)
    async with wire(server) as opened:
        await opened.send(build())
        pieces = 0
        whole = b""
        while not whole.endswith(b"}"):
            whole += await opened.some(patience_seconds=5)
            pieces += 1
    assert pieces > 2
    assert whole.endswith(b'{"code": 0, "message": "success", "traceId": "t"}')


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


@pytest.mark.parametrize(
    "raw",
    [
        build(target="/app/7/v2/rtmpforward/other"),
        build(target="/app/7/v1/recordoss/startrtmp"),
        build(method="PUT"),
        build(b" " * (2**20 + 1)),
    ],
    ids=["unknown path", "legacy path", "method", "size"],
)
async def test_what_is_no_call_meets_no_fault(open_server: OpenServer, raw: bytes) -> None:
    server = await open_server()
    await spoil(server, "reset")
    assert "x-fakerelay-fault" not in (await ask(server, raw)).headers
    (plan,) = (await server.control.call("faults"))["items"]
    assert plan["unmet"] == [0]


MATCHES: dict[str, tuple[dict[str, Any], dict[str, Any] | bytes, bool]] = {
    "operation": ({"operation": "stoprtmp"}, {}, False),
    "room": ({"roomid": "r"}, {}, True),
    "other room": ({"roomid": "q"}, {}, False),
    "user": ({"uid": "u"}, {}, True),
    "task": ({"taskid": "u"}, {}, False),
    "pattern": ({"rtmpurl": "rtmp://h/*"}, {"rtmpurl": "rtmp://x/y,rtmp://h/a"}, True),
    "spelled": ({"rtmpurl": "rtmp://H:1935/*"}, {"rtmpurl": "rtmp://H:1935/a"}, True),
    "key": ({"rtmpurl": "rtmp://h/a"}, {"rtmpurl": "rtmp://H:1935/a"}, True),
    "no address": ({"rtmpurl": "*"}, {"rtmpurl": ["rtmp://h/a"]}, False),
    "no text": ({"uid": "5"}, {"uid": 5}, False),
    "no JSON": ({}, b"{", True),
    "no JSON that matches": ({"uid": "u"}, b"{", False),
}


@pytest.mark.parametrize(("match", "change", "is_met"), MATCHES.values(), ids=MATCHES)
async def test_calls_are_matched_by_what_can_be_read_of_them(
    open_server: OpenServer, match: dict[str, Any], change: dict[str, Any] | bytes, is_met: bool
) -> None:
    server = await open_server()
    step = {"fault": "http_status", "status": 418}
    await server.control.call("create_fault", match=match, steps=[step])
    body = change if isinstance(change, bytes) else {**SOURCE, **change}
    assert ((await ask(server, build(body))).status == 418) == is_met


async def test_plan_for_an_app_spares_the_others(open_server: OpenServer) -> None:
    server = await open_server()
    step = {"fault": "http_status", "status": 418}
    await server.control.call("create_fault", appid=8, steps=[step])
    assert (await ask(server, build())).status == 200
    other = path_of(START, 8)
    assert (await ask(server, build({**SOURCE, "appid": 8}, other))).status == 418


async def test_pass_leaves_a_call_untouched(open_server: OpenServer) -> None:
    server = await open_server()
    steps = [{"fault": "pass"}, {"fault": "http_status", "status": 418}]
    await server.control.call("create_fault", steps=steps)
    first = await ask(server, build())
    assert (first.code, "x-fakerelay-fault" in first.headers) == (0, False)
    assert (await ask(server, build())).status == 418
    assert [each["fault"] and each["fault"]["step"] for each in await told(server)] == [None, 1]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - turns of the loop, and no event to wait for
            await asyncio.sleep(0)


async def test_delay_waits_for_the_worlds_clock(open_server: OpenServer) -> None:
    server = await open_server()
    clock = server.tenants.default.clock
    await server.control.call("put_clock", mode="frozen")
    await spoil(server, "delay", seconds=60)
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: clock.pending_count)
        assert (await server.control.call("advance_clock", seconds=59))["fired"] == []
        assert running(server) == []
        advance = await server.control.call("advance_clock", seconds=1)
        assert [fired["what"] for fired in advance["fired"]] == ["call delayed by plan"]
        assert advance["unfinished"] == 0
        assert running(server) == ["u"]  # by the time that the advance is answered
        assert (await opened.answer()).code == 0
    (request,) = await told(server)
    assert [each["code"] for each in request["fault"]["decided"]] == [0]


async def test_who_goes_away_during_a_delay_has_not_called(open_server: OpenServer) -> None:
    server = await open_server()
    clock = server.tenants.default.clock
    await server.control.call("put_clock", mode="frozen")
    await spoil(server, "delay", seconds=60)
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: clock.pending_count)
    await until(lambda: len(server.tenants.default.journal))
    assert clock.pending_count == 0
    (request,) = await told(server)
    assert (request["accepted"], request["status"]) == (False, None)
    assert (request["fault"]["decided"], request["fault"]["told"]) == ([], "nothing")
    assert running(server) == []


async def restore_earlier(server: Server) -> None:
    saved = await server.control.call("snapshot", world="w", keys=True)
    await server.control.call("advance_clock", world="w", seconds=5)
    saved["clock"]["now"] -= 1000
    await server.control.call("put_snapshot", world="w", body=saved)


async def drop_while_moving(server: Server) -> None:
    tenant = server.tenants.get("w")
    assert tenant is not None
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    tenant.clock.track(work)
    moving = asyncio.ensure_future(tenant.clock.advance(1))
    await until(lambda: tenant.clock.is_moving)
    await server.control.call("delete_world", id="w")
    work.cancel()
    await moving


async def reset_when_due(server: Server) -> None:
    """When the time has come, but nothing has been done yet."""
    tenant = server.tenants.get("w")
    assert tenant is not None
    tenant.clock.call_at(tenant.clock.now() + 60, lambda: tenant.let_go(9))
    await server.control.call("put_clock", world="w", now=tenant.clock.now() + 60)
    await server.control.call("advance_clock", world="w", seconds=0)


BEGINNINGS: dict[str, Callable[[Server], Awaitable[Any]]] = {
    "reset": lambda server: server.control.call("reset", world="w"),
    "reset of all": lambda server: server.control.call("reset", all=True),
    "reset of its app": lambda server: server.control.call("reset", appid=9),
    "reset when due": reset_when_due,
    "earlier snapshot": restore_earlier,
    "dropped": lambda server: server.control.call("delete_world", id="w"),
    "dropped while its clock moves": drop_while_moving,
}


@pytest.mark.parametrize("begin_again", BEGINNINGS.values(), ids=BEGINNINGS)
async def test_delayed_call_does_not_outlive_what_its_world_did(
    open_server: OpenServer, begin_again: Callable[[Server], Awaitable[Any]]
) -> None:
    server = await open_server()
    names = {"certificate_id": "cert", "certificate_key": "key"}
    await server.control.call("create_world", id="w", appid=9, clock="frozen", **names)
    tenant = server.tenants.get("w")
    assert tenant is not None
    await server.control.call("create_fault", world="w", steps=[{"fault": "delay", "seconds": 60}])
    async with wire(server) as opened:
        await opened.send(build({**SOURCE, "appid": 9}, path_of(START, 9)))
        await until(lambda: tenant.clock.pending_count)
        await begin_again(server)
        assert await opened.rest() == b""
    (exchange,) = tenant.journal
    assert exchange.fault is not None
    assert (exchange.fault.decided, exchange.fault.told) == ([], "nothing")
    assert (tenant.clock.pending_count, tenant.held_calls) == (0, {})
    assert list(tenant.service.view.tasks()) == []


async def test_delayed_call_of_another_app_outlives_a_reset(open_server: OpenServer) -> None:
    server = await open_server()
    clock = server.tenants.default.clock
    await server.control.call("put_clock", mode="frozen")
    await spoil(server, "delay", seconds=60)
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: clock.pending_count)
        await server.control.call("reset", appid=8)
        await server.control.call("advance_clock", seconds=60)
        assert (await opened.answer()).code == 0


async def test_delays_of_one_seed_are_the_same(open_server: OpenServer) -> None:
    server = await open_server()
    clock = server.tenants.default.clock
    await server.control.call("put_clock", mode="frozen")
    step = {"fault": "delay", "seconds": 5, "distribution": "normal", "spread_seconds": 1}
    dues = []
    for _ in range(2):
        plan = {"id": "plan", "seed": 7, "steps": [{**step, "count": 3}]}
        await server.control.call("create_fault", body=plan)
        for _ in range(3):
            async with wire(server) as opened:
                await opened.send(build())
                await until(lambda: clock.pending_count)
                dues.append(clock.pending(1)[0].at - clock.now())
            await until(lambda: not clock.pending_count)
    assert dues[:3] == dues[3:]
    assert len(set(dues)) == 3


@pytest.mark.parametrize(
    ("fault", "settings"),
    [("hang", {}), ("delay", {"seconds": 3600}), ("drip", {"seconds": 3600})],
    ids=["hang", "delay", "drip"],
)
async def test_what_takes_for_ever_keeps_no_server_from_closing(
    open_server: OpenServer, fault: str, settings: dict[str, Any]
) -> None:
    server = await open_server()
    await spoil(server, fault, **settings)
    (plan,) = server.tenants.default.faults
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: plan.met[0])
        async with asyncio.timeout(0.9):
            await server.close(grace_seconds=0)
        await opened.rest()


@pytest.mark.parametrize("is_shut_down", [False, True], ids=["by its caller", "by a shutdown"])
async def test_drip_that_is_cut_off_has_told_a_part(
    open_server: OpenServer, *, is_shut_down: bool
) -> None:
    server = await open_server()
    await spoil(server, "drip", seconds=3600)
    async with wire(server) as opened:
        await opened.send(build())
        assert await opened.some(patience_seconds=5)
        if is_shut_down:
            await server.close(grace_seconds=0)
    (request,) = server.tenants.default.journal
    await until(lambda: request.fault is not None and request.fault.told == "part")
    assert (request.status, request.code) == (200, None)


async def test_hanging_ends_with_its_caller(open_server: OpenServer) -> None:
    server = await open_server()
    await spoil(server, "hang")
    before = asyncio.all_tasks()
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: len(server.tenants.default.journal))
        assert await opened.some(patience_seconds=0.01) == b""
    await until(lambda: asyncio.all_tasks() <= before)
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


@pytest.mark.parametrize("on", KINDS)
def test_steps_that_the_manual_shows_are_valid(on: str) -> None:
    match = {"uid": "u"} if on == "push" else {}
    for fault, row in vocabulary()[on].items():
        step = show_step(fault, row)
        plan = read_plan({"on": on, "seed": 1, "match": match, "steps": [step]}, "plan", 0.0)
        assert plan.steps[0].fault == fault
