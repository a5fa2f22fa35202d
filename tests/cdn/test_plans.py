"""How pushes fare by plan, or as it is set by hand."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fakerelay.core.commands import Command
from fakerelay.core.model import SOURCE
from tests.cdn.worlds import FAIL, World
from tests.core.worlds import APPID, set_status, start, start_mixed, stop


async def test_world_without_plans_expects_nothing() -> None:
    world = await World().open()
    await world.do(start("u", "h/a", "h/b"))
    await world.do(set_status("u", "h/a", 1))
    assert world.tenant.cdn.save() == []
    assert world.told() == [(0, "h/a", 0), (0, "h/b", 0), (0, "h/a", 1)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"fault": "pass"}, [(0, 0)]),
        ({"fault": "fail"}, [(0, 1)]),
        ({"fault": "fail", "status": "internal_failed"}, [(0, 2)]),
        ({"fault": "fail", "after_seconds": 5}, [(0, 0), (5, 1)]),
        ({"fault": "fail", "recover_seconds": 5}, [(0, 1), (5, 0)]),
        (
            {
                "fault": "fail",
                "status": "internal_failed",
                "after_seconds": 5,
                "recover_seconds": 7,
            },
            [(0, 0), (5, 2), (12, 0)],
        ),
        ({"fault": "slow", "seconds": 3}, [(3, 0)]),
        ({"fault": "stop", "seconds": 3}, [(0, 0), (3, 3)]),
        ({"fault": "flap", "seconds": 10, "times": 1}, [(0, 0), (10, 1), (20, 0)]),
        (
            {"fault": "flap", "seconds": 10, "times": 2, "status": "internal_failed"},
            [(0, 0), (10, 2), (20, 0), (30, 2), (40, 0)],
        ),
        (
            {"fault": "flap", "seconds": 30},
            [(0, 0), (30, 1), (60, 0), (90, 1)],
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
async def test_plan_decides_how_a_push_fares(
    step: Mapping[str, Any], expected: Sequence[tuple[float, int]]
) -> None:
    world = await World().open()
    world.plan(step)
    await world.do(start("u", "h/a"))
    await world.advance(100)
    assert world.told() == [(at, "h/a", status) for at, status in expected]


async def test_push_of_a_user_who_left_fails_inside() -> None:
    world = await World().open()
    step = {"fault": "user_left", "after_seconds": 4, "recover_seconds": 6, "count": "always"}
    world.plan(step, match={"uid": "anna"})
    await world.do(start("anna", "h/a"))
    await world.do(start("ben", "h/b"))
    await world.do(start_mixed("anna", "h/m"))
    await world.advance(100)
    assert [told for told in world.told() if told[0]] == [(4, "h/a", 2), (10, "h/a", 0)]


async def test_plan_counts_the_pushes_that_begin() -> None:
    world = await World().open()
    world.plan({"fault": "fail", "count": 2}, match={"rtmpurl": "rtmp://h/x*"})
    assert await world.do(start("u", "h/a", "h/x1")) is None
    assert world.statuses() == [0, 1]
    assert await world.do(start("v", "h/a", "h/x2")) == ("address_in_use", "address-unique")
    assert await world.do(start("u", "h/a", "h/x1", "h/x2", "h/x3")) is None
    assert world.statuses() == [0, 1, 1, 0]
    (plan,) = world.tenant.faults
    assert plan.met == [2]


async def test_plan_tells_rooms_and_tasks_apart() -> None:
    world = await World().open()
    world.plan(FAIL, match={"taskid": "t"})
    world.plan({**FAIL, "status": "internal_failed"}, match={"roomid": "q"})
    await world.do(start("t", "h/a"))
    await world.do(start_mixed("t", "h/b"))
    await world.do(start("v", "h/c", room="q"))
    assert world.told() == [(0, "h/a", 0), (0, "h/b", 1), (0, "h/c", 2)]


async def test_what_is_scheduled_by_hand_comes_in_its_time() -> None:
    world = await World().open()
    await world.do(start("u", "h/a"))
    place = (APPID, SOURCE, "u"), "rtmp://h/a"
    for status, seconds in ((3, 9), (1, 2), (0, 5)):
        world.tenant.cdn.schedule(place, status, seconds)
    assert world.tenant.cdn.scheduled(place) == [(2, 1), (5, 0), (9, 3)]
    (saved,) = world.tenant.cdn.save()
    assert [due["at"] for due in saved["dues"]] == [2, 5, 9]  # none is searched for
    await world.advance(100)
    assert world.told() == [(0, "h/a", 0), (2, "h/a", 1), (5, "h/a", 0), (9, "h/a", 3)]
    assert world.statuses() is None
    assert world.tenant.cdn.save() == []


LEAVING: Mapping[str, Sequence[Command]] = {
    "stop": [stop("u"), start("u", "h/a")],
    "to another task": [stop("u"), start("v", "h/a")],
    "partial stop": [start("u", "h/a", "h/b"), stop("u", "h/a"), start("u", "h/b", "h/a")],
    "update": [start("u", "h/b"), start("u", "h/a")],
    "stopped": [set_status("u", "h/a", 3), start("u", "h/a")],
}


@pytest.mark.parametrize("commands", LEAVING.values(), ids=LEAVING.keys())
async def test_push_that_leaves_takes_along_what_was_to_come(commands: Sequence[Command]) -> None:
    world = await World().open()
    world.plan({"fault": "flap", "seconds": 10})
    await world.do(start("u", "h/a"))
    for command in commands:
        assert await world.do(command) is None
    assert world.tenant.cdn.save() == []
    world.told()
    await world.advance(1000)
    assert world.told() == []


async def test_reset_removal_and_closing_leave_nothing_to_come() -> None:
    world = await World().open(APPID, 8, 9)
    world.plan({**FAIL, "after_seconds": 5})
    for appid in (APPID, 8, 9):
        await world.do(start("u", f"h/{appid}", appid=appid))
    await world.tenants.reset_app(world.tenant, APPID)
    await world.do(start("u", "h/a", appid=APPID))
    await world.tenants.remove_app(world.tenant, 8)
    assert [each["address"] for each in world.tenant.cdn.save()] == ["rtmp://h/9", "rtmp://h/a"]
    world.tenant.cdn.close()
    world.told()
    await world.advance(1000)
    assert world.told() == []


async def test_closing_worlds_leaves_nothing_to_come() -> None:
    world = await World().open()
    await world.do(start("u", "flapping.fakerelay.test"))
    await world.tenants.close(0)
    assert world.tenant.cdn.save() == []
    assert world.tenant.clock.pending_count == 0


async def test_turn_whose_time_has_come_is_not_the_next_tasks() -> None:
    """Between a timer and its work, others may have their turn."""
    world = await World().open()
    await world.do(start("u", "h/a"))
    clock, work = world.tenant.clock, []

    async def restart() -> None:
        for command in (stop("u"), start("u", "h/a")):
            await world.tenant.service.apply(command)

    clock.call_at(5, lambda: work.append(asyncio.ensure_future(restart())))
    world.tenant.cdn.schedule(((APPID, SOURCE, "u"), "rtmp://h/a"), 1, 5)
    clock.set(now=6)
    await asyncio.sleep(0)  # the overdue timers are called soon
    await work[0]
    await world.advance(0)
    assert world.statuses() == [0]
