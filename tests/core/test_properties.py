"""What holds whatever is asked of a world, in whatever order."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.addresses import MOST_ADDRESSES
from fakerelay.core.commands import (
    Command,
    CountCall,
    ResetApp,
    SetPushStatus,
    StartPush,
    StopPush,
)
from fakerelay.core.fates import TAKEN, Fate, Fates
from fakerelay.core.model import MIXED, SOURCE, Task
from fakerelay.core.profile import Profile
from fakerelay.core.pushes import CDN_FAILED, CONNECTING, INTERNAL_FAILED, PUSHING, STOPPED
from fakerelay.core.rules import Accepted, Refused, decide
from fakerelay.core.world import World
from tests.core.worlds import MIX, address, dump, perform, profile

APPIDS = (1, 2)
URLS = ("rtmp://h/a", "rtmp://H:1935/a", "rtmp://h/b", "rtmp://h/c", "rtmp://h/d", "rtmp://h/e")

KEYS = [address(url).key for url in URLS]

keys = st.tuples(st.sampled_from(APPIDS), st.sampled_from([MIXED, SOURCE]), st.sampled_from("xyz"))
rooms = st.sampled_from(["r", "r", "r", "q"])
address_lists = st.lists(
    st.sampled_from(URLS).map(address), min_size=1, max_size=5, unique_by=lambda one: one.key
).map(tuple)


begun = st.sampled_from([CONNECTING, PUSHING, CDN_FAILED, INTERNAL_FAILED]).map(Fate)
fates: st.SearchStrategy[Fates | None] = st.none() | st.dictionaries(
    st.sampled_from(KEYS), begun | st.just(TAKEN), max_size=3
)


@st.composite
def starts(draw: st.DrawFn) -> StartPush:
    key = draw(keys)
    mixconfig = MIX if key[1] == MIXED else None
    return StartPush(key, draw(rooms), draw(address_lists), mixconfig, "t", draw(fates))


stops = st.builds(StopPush, keys, rooms, st.none() | address_lists, st.just("t"))
statuses = st.builds(
    SetPushStatus,
    keys,
    st.sampled_from(URLS).map(lambda url: address(url).key),
    st.sampled_from([CONNECTING, PUSHING, CDN_FAILED, INTERNAL_FAILED, 99]),
)
calls = st.builds(CountCall, st.sampled_from(APPIDS))
resets = st.builds(ResetApp, st.sampled_from(APPIDS))
# Starts are the most of it, so that worlds fill up and commands collide.
commands: st.SearchStrategy[Command] = st.one_of(
    starts(), starts(), starts(), stops, stops, statuses, calls, st.one_of(starts(), resets)
)
steps = st.tuples(commands, st.sampled_from([0.0, 0.5, 1.0, 5.0]))

profiles = st.builds(
    profile,
    address_scope=st.sampled_from(["service", "app"]),
    concurrent_pushes=st.integers(0, 3),
    mixed_tasks_per_room=st.integers(0, 2),
    release_seconds=st.sampled_from([0.0, 3.0]),
    rate_limit_per_second=st.integers(0, 2),
)


@given(profiles, st.lists(steps, max_size=40))
def test_world_keeps_its_promises(profile: Profile, steps: Sequence[tuple[Command, float]]) -> None:
    world, now = World(), 0.0
    for command, seconds in steps:
        now += seconds
        check_step(world, command, now, profile)
        check_addresses(world, profile)
        check_quotas(world, profile)
        check_indexes(world)


def check_step(world: World, command: Command, now: float, profile: Profile) -> None:
    before = dump(world)
    tasks = {task.key: task for task in world.tasks()}
    asked = decide(world, command, now, profile)
    assert dump(world) == before, "to decide changes nothing"
    decision = perform(world, command, now, profile)
    assert type(decision) is type(asked)
    if isinstance(decision, Refused):
        assert dump(world) == before, "a refused command changes nothing at all"
        return
    if isinstance(command, StartPush | StopPush | SetPushStatus):
        others = [task for task in world.tasks() if task.key != command.key]
        assert others == [task for task in tasks.values() if task.key != command.key]
        check_events(tasks.get(command.key), world.task(command.key), command, decision)
    if isinstance(command, StartPush):
        check_start(world, command, tasks.get(command.key))
    elif isinstance(command, StopPush):
        check_stop(world, command, tasks[command.key])
    elif isinstance(command, ResetApp):
        assert not [task for task in world.tasks() if task.key[0] == command.appid]
        assert decision.events == ()


def check_start(world: World, command: StartPush, before: Task | None) -> None:
    """All of it is there, and nothing else: an update is all or nothing."""
    after = world.task(command.key)
    assert after is not None
    assert [push.address.spelled for push in after.pushes] == [a.spelled for a in command.addresses]
    assert (after.room_id, after.mixconfig) == (command.room_id, command.mixconfig)
    assert after.revision == (before.revision + 1 if before else 1)
    if before is not None:
        assert (after.room_id, after.started_at) == (before.room_id, before.started_at)


def check_stop(world: World, command: StopPush, before: Task) -> None:
    after = world.task(command.key)
    stopped = {one.key for one in command.addresses} if command.addresses else keys_of(before)
    assert keys_of(after) == keys_of(before) - stopped
    assert (after is None) is (stopped == keys_of(before)), "a task without addresses has ended"
    for address_key in stopped:
        assert command.key not in world.holders(address_key), "what stopped is free"


def check_events(
    before: Task | None, after: Task | None, command: Command, decision: Accepted
) -> None:
    """One for each address whose status changes, but for connecting: what left, then what came."""
    old, new = statuses_of(before), statuses_of(after)
    changed = dict.fromkeys(old.keys() - new.keys(), STOPPED)
    changed |= {key: status for key, status in new.items() if old.get(key) != status != CONNECTING}
    events = [(event.address.key, event.status) for event in decision.events]
    assert dict(events) == changed
    assert len(events) == len(changed)
    is_leaving = [status == STOPPED for _, status in events]
    assert all(first or not second for first, second in pairwise(is_leaving))


def check_addresses(world: World, profile: Profile) -> None:
    claims: Counter[object] = Counter()
    for task in world.tasks():
        assert 1 <= len(task.pushes) <= MOST_ADDRESSES
        assert all(push.status != STOPPED for push in task.pushes)
        tenant = task.key[0] if profile.address_scope == "app" else "all"
        claims.update((tenant, push.address.key) for push in task.pushes)
    assert set(claims.values()) <= {1}, "one task holds an address"


def check_quotas(world: World, profile: Profile) -> None:
    running = Counter(task.key[0] for task in world.tasks())
    mixed = Counter((t.key[0], t.room_id) for t in world.tasks() if t.key[1] == MIXED)
    if profile.concurrent_pushes:
        assert all(count <= profile.concurrent_pushes for count in running.values())
    if profile.mixed_tasks_per_room:
        assert all(count <= profile.mixed_tasks_per_room for count in mixed.values())


def check_indexes(world: World) -> None:
    """What is counted along the way is what a recount finds."""
    holders: dict[str, set[object]] = {}
    for task in world.tasks():
        for push in task.pushes:
            holders.setdefault(push.address.key, set()).add(task.key)
    for url in URLS:
        key = address(url).key
        assert sorted(world.holders(key)) == sorted(holders.get(key, set()))  # type: ignore[type-var]
    for appid in APPIDS:
        tasks = [task for task in world.tasks() if task.key[0] == appid]
        assert world.running_count(appid) == len(tasks)
        for room in ("r", "q"):
            mixed = [task for task in tasks if (task.key[1], task.room_id) == (MIXED, room)]
            assert world.mixed_count(appid, room) == len(mixed)


def keys_of(task: Task | None) -> set[str]:
    return {push.address.key for push in task.pushes} if task else set()


def statuses_of(task: Task | None) -> dict[str, int]:
    return {push.address.key: push.status for push in task.pushes} if task else {}


@given(st.lists(starts(), max_size=20))
def test_stop_of_everything_leaves_an_empty_world(commands: Sequence[Command]) -> None:
    world = World()
    for command in commands:
        perform(world, command)
    for task in list(world.tasks()):
        perform(world, StopPush(task.key, task.room_id, None, "t"))
    check_indexes(world)
    left = {name for name, value in dump(world).items() if value}
    assert left <= {"revision"}
    assert all(world.running_count(appid) == 0 for appid in APPIDS)
