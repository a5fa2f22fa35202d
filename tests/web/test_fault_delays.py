"""Calls that take long, drip or hang, and what becomes of them meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakerelay.server import Server
from tests.web.calls import OpenServer
from tests.web.spoiling import spoil, told
from tests.web.wires import (
    SOURCE,
    START,
    Wire,
    build,
    path_of,
    running,
    wire,
)


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


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - turns of the loop, and no event to wait for
            await asyncio.sleep(0)


@asynccontextmanager
async def delayed(server: Server) -> AsyncIterator[Wire]:
    """A call that waits for a minute of a clock that stands still."""
    clock = server.tenants.default.clock
    await server.control.call("put_clock", mode="frozen")
    await spoil(server, "delay", seconds=60)
    async with wire(server) as opened:
        await opened.send(build())
        await until(lambda: clock.pending_count)
        yield opened


async def test_delay_waits_for_the_worlds_clock(open_server: OpenServer) -> None:
    server = await open_server()
    async with delayed(server) as opened:
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
    async with delayed(server) as opened:
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
