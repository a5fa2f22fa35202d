"""How pushes fare by themselves, on a clock that is moved."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.cdn import Cdn
from fakerelay.clock import Start
from fakerelay.core.changes import AppReset, TaskChanged
from fakerelay.core.commands import Command, ResetApp
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import SOURCE, App, Certificate, Task, TaskKey
from fakerelay.core.pushes import CONNECTING, STOPPED, can_become
from fakerelay.core.rules import Accepted
from fakerelay.errors import FakerelayError
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

    async def send(
        self, url: str, body: bytes, timeout_seconds: float, content_type: str = ""
    ) -> Sent:
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
    assert world.tenant.cdn.find_warnings(start("u", "refuse.fakerelay.test")) == []
    assert await world.do(start("u", "refused.fakerelay.test", "taken.fakerelay.test")) is None
    assert world.statuses() == [0, 0]


async def test_service_may_stop_a_push_at_its_first_failure() -> None:
    world = await World(stop_after_failures=1).open()
    await world.do(start("u", "h/a", "refused.fakerelay.test/a"))
    assert world.told() == [
        (0, "h/a", 0),
        (0, "refused.fakerelay.test/a", 1),
        (0, "refused.fakerelay.test/a", 3),
    ]
    assert world.statuses() == [0]


async def test_switches_of_the_service_may_be_turned_while_it_runs() -> None:
    world = await World(retry_seconds=10).open()
    await world.do(start("u", "h/a"))
    await world.do(set_status("u", "h/a", 1))
    world.tenant.service.profile = open_profile()
    await world.advance(1000)
    assert world.statuses() == [1]
    assert world.tenant.cdn.scheduled(((APPID, SOURCE, "u"), "rtmp://h/a")) == []


LIVES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "fails": ({**FAIL, "after_seconds": 20, "recover_seconds": 30}, {}),
    "flaps": ({"fault": "flap", "seconds": 10, "times": 5}, {}),
    "flaps without an end": ({"fault": "flap", "seconds": 10}, {}),
    "connects": ({"fault": "slow", "seconds": 40}, {}),
    "is tried again": ({**FAIL, "count": 5}, {"retry_seconds": 10}),
    "is given up": ({**FAIL, "count": 50}, {"retry_seconds": 7, "stop_after_failures": 9}),
}


@pytest.mark.parametrize(("step", "policy"), LIVES.values(), ids=LIVES.keys())
async def test_what_is_to_come_is_saved_and_restored(
    step: Mapping[str, Any], policy: Mapping[str, Any]
) -> None:
    """Told after 25 seconds are the same, whether or not the rest has been through a file."""
    whole, halved = await World(**policy).open(), await World(**policy).open()
    for world in (whole, halved):
        world.plan(step)
        await world.do(start("u", "h/a", "slow-33.fakerelay.test"))
        await world.advance(25)
        world.told()
    saved = json.loads(json.dumps(halved.tenant.cdn.save()))
    halved.tenant.cdn.close()
    assert halved.tenant.cdn.save() == []
    halved.tenant.cdn.restore(saved)
    assert halved.tenant.cdn.save() == saved
    for world in (whole, halved):
        await world.advance(75)
    told = halved.told()
    assert told
    assert told == whole.told()


async def test_what_was_due_meanwhile_comes_at_once() -> None:
    world = await World().open()
    world.plan({"fault": "flap", "seconds": 10})
    await world.do(start("u", "h/a"))
    saved = world.tenant.cdn.save()
    world.tenant.cdn.close()
    await world.advance(25)
    world.told()
    world.tenant.cdn.restore(saved)
    await world.advance(20)
    assert world.told() == [(25, "h/a", 1), (35, "h/a", 0), (45, "h/a", 1)]


async def test_what_is_of_no_push_is_not_restored() -> None:
    world = await World().open()
    world.plan({"fault": "flap", "seconds": 10})
    await world.do(start("u", "h/a?key=secret"))
    saved = world.tenant.cdn.save()
    await world.do(start("u", "h/b"))
    expected = world.tenant.cdn.save()
    with pytest.raises(FakerelayError, match=r"of 'rtmp://h/a\?key=\*\*\*': no task"):
        world.tenant.cdn.restore(saved)
    assert world.tenant.cdn.save() == expected


class Later(NamedTuple):
    """A status that is scheduled by hand."""

    name: str
    address_key: str
    status: int
    after_seconds: float


urls = st.sampled_from(
    ["h/a", "h/b", "refused.fakerelay.test", "flapping-3.fakerelay.test", "slow-2.fakerelay.test"]
)
names = st.sampled_from(["u", "v"])
faults = st.sampled_from(
    [
        {"fault": "pass"},
        {"fault": "fail"},
        {"fault": "fail", "after_seconds": 2, "recover_seconds": 3},
        {"fault": "flap", "seconds": 2},
        {"fault": "flap", "seconds": 3, "times": 2, "status": "internal_failed"},
        {"fault": "slow", "seconds": 4},
        {"fault": "stop", "seconds": 4},
    ]
)
url_lists = st.lists(urls, min_size=1, max_size=3, unique=True)
actions = st.one_of(
    st.builds(lambda name, texts: start(name, *texts), names, url_lists),
    st.builds(stop, names),
    st.builds(lambda name, text: stop(name, text), names, urls),
    st.builds(set_status, names, urls, st.integers(-1, 3)),
    st.builds(Later, names, urls.map("rtmp://{}".format), st.integers(-1, 3), st.integers(0, 5)),
    st.just(ResetApp(APPID)),
    st.sampled_from([1.0, 2.5, 7.0]),
)


class Spy:
    """Stands between service and CDN, and holds what is decided against the table."""

    def __init__(self, cdn: Cdn) -> None:
        self._cdn = cdn
        self._running: set[tuple[TaskKey, str]] = set()
        self.has_say = cdn.has_say
        self.foresee = cdn.foresee
        self.told: list[tuple[str, int]] = []

    def hear(self, decision: Accepted, now: float) -> None:
        for change in decision.changes:
            if isinstance(change, TaskChanged):
                self._check(change, dict(tell(decision.events)))
            elif isinstance(change, AppReset):
                assert not decision.events
                self._running.clear()
        self.told += tell(decision.events)
        self._cdn.hear(decision, now)

    def _check(self, change: TaskChanged, told: Mapping[str, int]) -> None:
        before, after = statuses_of(change.before), statuses_of(change.after)
        for key in before.keys() | after.keys():
            place = (change.before or change.after).key, key  # type: ignore[union-attr]
            old, new = before.get(key), after.get(key, STOPPED)
            if old is None:
                assert place not in self._running
                self._running.add(place)
            else:
                assert place in self._running, "nothing happens to what has been stopped"
                assert new == old or can_become(old, new)
            if new == STOPPED:
                self._running.discard(place)
            assert told.get(key) == (new if new not in (old, CONNECTING) else None)


def tell(events: Sequence[PushStatusChanged]) -> list[tuple[str, int]]:
    return [(event.address.key, event.status) for event in events]


def statuses_of(task: Task | None) -> dict[str, int]:
    return {push.address.key: push.status for push in task.pushes} if task else {}


@given(
    st.lists(faults, max_size=4),
    st.sampled_from([{}, {"retry_seconds": 2}, {"retry_seconds": 1, "stop_after_failures": 3}]),
    st.lists(actions, max_size=25),
)
def test_whatever_is_to_come_what_is_told_follows_the_table(
    steps: Sequence[Mapping[str, Any]], policy: Mapping[str, Any], actions: Sequence[Any]
) -> None:
    asyncio.run(live(steps, policy, actions))


async def live(
    steps: Sequence[Mapping[str, Any]], policy: Mapping[str, Any], actions: Sequence[Any]
) -> None:
    world = await World(**policy).open()
    if steps:
        world.plan(*steps, match={"rtmpurl": "rtmp://h/*"})
    tenant = world.tenant
    tenant.service.network = spy = Spy(tenant.cdn)
    for action in actions:
        await act(world, action)
    for name in ("u", "v"):
        await world.do(stop(name))
    assert tenant.cdn.save() == [], "what has been stopped has nothing to come"
    told = spy.told[:]
    await world.advance(100)
    assert spy.told == told


async def act(world: World, action: Any) -> None:
    if isinstance(action, Later):
        place = (APPID, SOURCE, action.name), action.address_key
        task = world.tenant.service.view.task(place[0])
        if task is not None and task.find_push(action.address_key):
            world.tenant.cdn.schedule(place, action.status, action.after_seconds)
    elif isinstance(action, float):
        await world.advance(action)
    else:
        await world.do(action)
