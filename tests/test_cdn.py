"""How pushes fare by themselves, on a clock that is moved."""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from fakerelay.clock import Start
from fakerelay.core.commands import Command
from fakerelay.core.model import SOURCE, App, Certificate
from fakerelay.faults import read_plan
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from fakerelay.profiles import open_profile
from fakerelay.stores import open_store
from fakerelay.tenants import Parts, Tenant, Tenants
from tests.core.worlds import APPID, outcome, set_status, start, start_mixed, stop

Told = list[tuple[float, str, int]]


class Listener:
    """A receiver that takes down when it is told what."""

    def __init__(self) -> None:
        self.told: Told = []

    async def send(self, url: str, body: bytes, timeout_seconds: float) -> Sent:
        message = json.loads(body)
        context = message["context"]
        address = context["rtmpurl"].removeprefix("rtmp://")
        self.told.append((message["notifytime"] / 1000, address, context["status"]))
        return Sent(200, None, 0.0)


class World:
    """A world with one app, and what its receiver has heard."""

    def __init__(self, *, has_magic: bool = True, **push: Any) -> None:
        self._listener = Listener()
        profile = open_profile("default", {"push": push, "concurrent_pushes": 0})
        parts = Parts(
            open_store, Start("frozen", 0.0), SeededIds, self._listener, profile, 10, Random(1),
            magic_addresses=has_magic,
        )  # fmt: skip
        self.tenants = Tenants(parts)
        self.tenant: Tenant = self.tenants.default

    async def open(self, *appids: int) -> "World":
        for appid in appids or (APPID,):
            app = App(appid, "account", "http://127.0.0.1:1/")
            await self.tenants.put_account(self.tenant, app, Certificate("c", "k", "account"))
        return self

    def plan(self, *steps: Mapping[str, Any], **parts: Any) -> None:
        """A plan for pushes."""
        data = {"on": "push", "steps": steps, **parts}
        plans = self.tenant.faults
        plans.add(read_plan(data, plans.next_id(), self.tenant.clock.now()))

    async def do(self, command: Command) -> tuple[str, str] | None:
        """Why it is refused, if it is."""
        applied = await self.tenant.service.apply(command)
        if applied.open_gate is not None:
            applied.open_gate()
        await self.advance(0)
        return outcome(applied.decision)

    async def advance(self, seconds: float) -> None:
        await self.tenant.clock.advance(seconds)

    def told(self) -> Told:
        """What has been told since one asked last."""
        told, self._listener.told = self._listener.told, []
        return told

    def statuses(self, name: str = "u", kind: int = SOURCE) -> list[int] | None:
        task = self.tenant.service.view.task((APPID, kind, name))
        return None if task is None else [push.status for push in task.pushes]


FAIL = {"fault": "fail", "count": "always"}


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


async def test_service_tries_nothing_again_by_itself() -> None:
    world = await World().open()
    world.plan({"fault": "fail"})
    await world.do(start("u", "h/a"))
    await world.advance(100_000)
    assert world.told() == [(0, "h/a", 1)]
    assert world.statuses() == [1]


async def test_service_tries_again_where_the_profile_says_so() -> None:
    world = await World(retry_seconds=10).open()
    world.plan({"fault": "fail", "count": 3})
    await world.do(start("u", "h/a"))
    place = (APPID, SOURCE, "u"), "rtmp://h/a"
    assert world.tenant.cdn.scheduled(place) == [(10, -1)]
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 1), (30, "h/a", 0)]
    assert world.tenant.cdn.save() == []


async def test_retry_of_a_push_set_by_hand_finds_it_well() -> None:
    world = await World(retry_seconds=10).open()
    await world.do(start("u", "h/a"))
    await world.do(set_status("u", "h/a", 2))
    await world.advance(9)
    assert world.statuses() == [2]
    await world.advance(1)
    assert world.statuses() == [0]


async def test_retry_before_a_recovery_that_is_planned_fails() -> None:
    world = await World(retry_seconds=4).open()
    world.plan({"fault": "fail", "recover_seconds": 10})
    await world.do(start("u", "h/a"))
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 1), (10, "h/a", 0)]


async def test_retry_may_connect_slowly() -> None:
    world = await World(retry_seconds=4).open()
    world.plan({"fault": "fail"}, {"fault": "slow", "seconds": 3})
    await world.do(start("u", "h/a"))
    await world.advance(5)
    assert world.statuses() == [-1]
    await world.advance(5)
    assert world.told() == [(0, "h/a", 1), (7, "h/a", 0)]


async def test_service_stops_a_push_after_so_many_failures_in_a_row() -> None:
    world = await World(retry_seconds=10, stop_after_failures=3).open()
    world.plan(FAIL, match={"rtmpurl": "*/x"})
    await world.do(start("u", "h/a", "h/x"))
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 0), (0, "h/x", 1), (20, "h/x", 3)]
    assert world.statuses() == [0]
    await world.do(start("v", "h/x"))
    await world.advance(1000)
    assert world.statuses("v") is None, "the last address ends the task"


async def test_success_ends_a_row_of_failures() -> None:
    world = await World(stop_after_failures=2).open()
    world.plan({"fault": "flap", "seconds": 10, "times": 3})
    await world.do(start("u", "h/a"))
    await world.advance(1000)
    assert world.statuses() == [0]
    await world.do(set_status("u", "h/a", 1))
    await world.do(set_status("u", "h/a", 2))
    assert world.statuses() is None


MAGIC: Mapping[str, Sequence[tuple[float, int]]] = {
    "refused.fakerelay.test/live/a": [(0, 1)],
    "REFUSED.FakeRelay.TEST:2000": [(0, 1)],
    "user:pass@refused.fakerelay.test/a?b": [(0, 1)],
    "refused-7.fakerelay.test/a": [(0, 0), (7, 1)],
    "internal.fakerelay.test/a": [(0, 2)],
    "internal-7.fakerelay.test/a": [(0, 0), (7, 2)],
    "recovers.fakerelay.test/a": [(0, 1), (10, 0)],
    "recovers-30.fakerelay.test/a": [(0, 1), (30, 0)],
    "flapping.fakerelay.test/a": [(0, 0), (10, 1), (20, 0), (30, 1)],
    "flapping-16.fakerelay.test/a": [(0, 0), (16, 1), (32, 0)],
    "slow.fakerelay.test/a": [(10, 0)],
    "slow-2.fakerelay.test/a": [(2, 0)],
    "any.fakerelay.test/a": [(0, 0)],
    "refused-0.fakerelay.test/a": [(0, 0)],
    "fakerelay.test/a": [(0, 0)],
    "h/refused.fakerelay.test/a": [(0, 0)],
    "refused.fakerelay.test.example.com/a": [(0, 0)],
    "refused@h/a.fakerelay.test": [(0, 0)],
}


@pytest.mark.parametrize(("address", "expected"), MAGIC.items(), ids=MAGIC.keys())
async def test_magic_address_does_what_its_host_says(
    address: str, expected: Sequence[tuple[float, int]]
) -> None:
    world = await World().open()
    await world.do(start("u", address))
    await world.advance(39)
    assert world.told() == [(at, address, status) for at, status in expected]


async def test_taken_address_is_in_use() -> None:
    world = await World().open()
    world.plan({**FAIL}, match={"rtmpurl": "*/a"})
    refusal = await world.do(start("u", "h/a", "taken.fakerelay.test/live"))
    assert refusal == ("address_in_use", "address-unique")
    assert world.statuses() is None
    (plan,) = world.tenant.faults
    assert plan.met == [0], "where nothing begins, nothing is counted"


async def test_plan_wins_over_a_magic_address() -> None:
    world = await World().open()
    world.plan({"fault": "pass", "count": "always"})
    assert await world.do(start("u", "refused.fakerelay.test", "taken.fakerelay.test")) is None
    assert world.statuses() == [0, 0]


async def test_magic_can_be_turned_off() -> None:
    world = await World(has_magic=False).open()
    assert await world.do(start("u", "refused.fakerelay.test", "taken.fakerelay.test")) is None
    assert world.statuses() == [0, 0]
