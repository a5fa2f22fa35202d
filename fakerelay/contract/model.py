"""What a server that keeps to the contract would answer (`contract.md` sections 2 to 5).

Pure, and written from the contract alone. It must not know anything of HTTP, time or the fake.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from fakerelay.contract.operations import RIGHT, Kind, Level, Operation, Start, Stop

Key = tuple[int, Kind, int]
"""app, kind, task."""


class Policy(NamedTuple):
    """What the model takes of a profile, and of who else uses the account.

    Where a room has to be live, only the first `live_rooms` are. In an account that `is_shared`
    others may have what is left of its quota.
    """

    concurrent_pushes: int = 5
    mixed_tasks_per_room: int = 5
    address_scope: Literal["service", "app"] = "service"
    live_rooms: int | None = None
    is_shared: bool = False
    legacy_paths: bool = False


class Broken(NamedTuple):
    """The rule that an operation breaks, and the problem that a server would name.

    `others` are problems of what it breaks besides, `taken` the addresses that are in use.
    """

    rule: str
    problem: str
    others: tuple[str, ...] = ()
    taken: frozenset[int] = frozenset()


class Fault(NamedTuple):
    """What the tables of credentials and flaws say of one: which rule it breaks, known how."""

    rule: str
    problem: str
    level: Level


class Task(NamedTuple):
    """`once` are all addresses it has ever held; `is_shaken` since an update of it was refused.

    That it let go of what an update leaves out, and of nothing by one that is refused, is assumed.
    """

    room: int
    addresses: tuple[int, ...]
    once: frozenset[int] = frozenset()
    is_shaken: bool = False

    @property
    def sure(self) -> frozenset[int]:
        """What it holds by documented rules alone."""
        return frozenset() if self.is_shaken else frozenset(self.addresses)


@dataclass(frozen=True, slots=True)
class World:
    """What runs; and of what has been: addresses freed by a stop, or asked for in vain; tasks that
    have ended.
    """

    tasks: Mapping[Key, Task] = field(default_factory=dict)
    stopped: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    ended: frozenset[Key] = frozenset()

    def holders(self, address: int) -> Iterator[Key]:
        return (key for key, task in self.tasks.items() if address in task.addresses)

    def unsure(self, key: Key | None = None) -> frozenset[int]:
        """Addresses of which only assumptions say whether a task, but for that one, holds them."""
        others = (task for other, task in self.tasks.items() if other != key)
        return frozenset[int]().union(*(task.once - task.sure for task in others))

    def list_tasks(self, app: int) -> Sequence[Task]:
        return [task for key, task in self.tasks.items() if key[0] == app]

    def count(self, app: int) -> int:
        return len(self.list_tasks(app))

    def count_mixed(self, app: int | None, room: int) -> int:
        """Of an app, or of all."""
        return sum(
            kind == "mixed" and task.room == room and app in (None, its_app)
            for (its_app, kind, _), task in self.tasks.items()
        )


class Outcome(NamedTuple):
    """What is allowed: accepted where `broken` is None; `rule` is the one that says so."""

    rule: str
    broken: Broken | None
    world: World


def foresee(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, Fault]
) -> Outcome:
    """The outcome of an operation; `faults` are those of credentials and flaws, by name."""
    broken = [*_find_faults(operation, policy, faults), *_list_broken(world, operation, policy)]
    if broken:
        first, *later = broken
        others = tuple(each.problem for each in later)
        return Outcome(first.rule, first._replace(others=others), _refuse(world, operation))
    if isinstance(operation, Start):
        return _accept_start(world, operation, policy)
    return _accept_stop(world, operation)


def key_of(operation: Operation) -> Key:
    return operation.app, operation.kind, operation.task


def _refuse(world: World, operation: Operation) -> World:
    key = key_of(operation)
    held = frozenset(address for task in world.tasks.values() for address in task.addresses)
    refused = world.refused | (frozenset(operation.addresses or ()) - held)
    task = world.tasks.get(key)
    if task is None or isinstance(operation, Stop) or operation.credential != RIGHT:
        return replace(world, refused=refused)
    tasks = {**world.tasks, key: task._replace(is_shaken=True)}
    return replace(world, tasks=tasks, refused=refused)


def _find_faults(
    operation: Operation, policy: Policy, faults: Mapping[str, Fault]
) -> Iterator[Broken]:
    for name in (operation.credential, operation.flaw):
        if name is not None and name != RIGHT:
            fault = faults[name]
            if fault.rule != "legacy-paths" or not policy.legacy_paths:
                yield Broken(fault.rule, fault.problem)
    if isinstance(operation, Start) and len(operation.addresses) > 5:
        yield Broken("rtmpurl-count", "invalid_parameter")
    addresses = operation.addresses or ()
    if len(set(addresses)) < len(addresses):
        yield Broken("address-once", "duplicate_address")


def _list_broken(world: World, operation: Operation, policy: Policy) -> Iterator[Broken]:
    """Rules of tasks, in the order of section 4."""
    if isinstance(operation, Start):
        return _refuse_start(world, operation, policy)
    return _refuse_stop(world, operation)


def _refuse_start(world: World, start: Start, policy: Policy) -> Iterator[Broken]:
    key = key_of(start)
    task = world.tasks.get(key)
    if policy.live_rooms is not None and start.room >= policy.live_rooms:
        yield Broken("room-live", "room_not_live")
    if task is not None and task.room != start.room:
        yield Broken("room-fixed", "room_mismatch")
    yield from _refuse_addresses(world, start, policy)
    if task is not None:
        return
    if 0 < policy.concurrent_pushes <= world.count(start.app):
        yield Broken("concurrent-pushes", "quota_exceeded")
    mixed = world.count_mixed(start.app, start.room)
    if start.kind == "mixed" and 0 < policy.mixed_tasks_per_room <= mixed:
        yield Broken("mixed-tasks-per-room", "room_quota_exceeded")


def _refuse_addresses(world: World, start: Start, policy: Policy) -> Iterator[Broken]:
    held = [
        (address, holder)
        for address in start.addresses
        for holder in world.holders(address)
        if holder != key_of(start) and (policy.address_scope == "service" or holder[0] == start.app)
    ]
    if held:
        is_own = held[0][1][0] == start.app
        rule = "address-unique" if is_own else "address-scope"
        yield Broken(rule, "address_in_use", taken=frozenset(address for address, _ in held))


def _accept_start(world: World, start: Start, policy: Policy) -> Outcome:
    key = key_of(start)
    before = world.tasks[key].once if key in world.tasks else frozenset()
    task = Task(start.room, start.addresses, before | frozenset(start.addresses))
    rule = _say_why(world, start, policy)
    return Outcome(rule, None, replace(world, tasks={**world.tasks, key: task}))


def _say_why(world: World, start: Start, policy: Policy) -> str:
    """The rule that a server would break by refusing this."""
    key = key_of(start)
    if key in world.tasks:
        is_full = 0 < policy.concurrent_pushes <= world.count(start.app)
        return "update-at-full-quota" if is_full else "start-updates"
    if world.stopped & set(start.addresses):
        return "stop-frees-addresses"
    if world.refused & set(start.addresses):
        return "rejected-claims-nothing"
    if any(key[1] != other[1] and key[2] == other[2] for other in world.tasks):
        return "kinds-apart"
    if start.kind == "mixed" and 0 < world.count_mixed(start.app, start.room) == (
        policy.mixed_tasks_per_room - 1
    ):
        return "mixed-tasks-per-room"
    if 0 < world.count(start.app) == policy.concurrent_pushes - 1:
        return "concurrent-pushes"
    return "task-holds-addresses" if len(start.addresses) > 1 else "start-path"


def _refuse_stop(world: World, stop: Stop) -> Iterator[Broken]:
    task = world.tasks.get(key_of(stop))
    if task is None:
        yield Broken("stop-running-task", "task_not_found")
        return
    if task.room != stop.room:
        yield Broken("stop-room", "room_mismatch")
    if stop.addresses is not None and not set(stop.addresses) <= set(task.addresses):
        yield Broken("stop-own-addresses", "address_not_in_task")


def _accept_stop(world: World, stop: Stop) -> Outcome:
    key = key_of(stop)
    task = world.tasks[key]
    lost = task.addresses if stop.addresses is None else stop.addresses
    left = tuple(address for address in task.addresses if address not in lost)
    rule = "stop-ends-task" if stop.addresses is None else "stop-partial"
    if left:
        tasks = {**world.tasks, key: task._replace(addresses=left)}
        return Outcome(rule, None, replace(world, tasks=tasks))
    tasks = {other: each for other, each in world.tasks.items() if other != key}
    stopped = world.stopped | task.once
    return Outcome(rule, None, World(tasks, stopped, world.refused, world.ended | {key}))


def is_documented(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, Fault]
) -> bool:
    """Whether documented rules alone decide the answer, and what it leaves behind."""
    spoiled = [name for name in (operation.credential, operation.flaw) if name not in (None, RIGHT)]
    if any(faults[name].level != "documented" for name in spoiled if name is not None):
        return False
    if spoiled:
        return True
    task = world.tasks.get(key_of(operation))
    if isinstance(operation, Stop):
        is_whole = operation.addresses is None
        return is_whole and task is not None and task.room == operation.room
    return _is_documented_start(world, operation, policy)


def _is_documented_start(world: World, start: Start, policy: Policy) -> bool:
    key = key_of(start)
    task = world.tasks.get(key)
    if len(start.addresses) > 5:
        return True
    if policy.live_rooms is not None and start.room >= policy.live_rooms:
        return False
    if _is_name_open(world, key) or (task is not None and task.room != start.room):
        return False
    if len(set(start.addresses)) < len(start.addresses):
        return False
    if world.unsure(key) & set(start.addresses):
        return False
    holders = {holder for each in start.addresses for holder in world.holders(each)} - {key}
    if any(holder[0] != start.app for holder in holders):
        return False
    return bool(holders) or _is_quota_plain(world, start, policy)


def _is_name_open(world: World, key: Key) -> bool:
    """Whether only assumptions say what a name that others bear, or bore, means here."""
    borne = {other for other in {*world.tasks, *world.ended} if other[2] == key[2]}
    return bool(borne - {key}) or key in world.ended


def _is_quota_plain(world: World, start: Start, policy: Policy) -> bool:
    """Whether it is the same to count tasks and to count addresses, here or in all apps' rooms."""
    most, room = policy.concurrent_pushes, policy.mixed_tasks_per_room
    tasks, mine = world.list_tasks(start.app), world.tasks.get(key_of(start))
    if mine is not None:
        held = sum(len(task.addresses) for task in tasks)
        grown = held - len(mine.addresses) + len(start.addresses)
        return not most or grown <= max(most, held)
    if 0 < most <= min(len(tasks), sum(len(task.sure) for task in tasks)):
        return True
    mixed = world.count_mixed(None, start.room) if start.kind == "mixed" else 0
    if 0 < room <= mixed and world.count_mixed(start.app, start.room) < room:
        return False
    at_most = sum(len(task.once) for task in tasks) + len(start.addresses)
    return not most or at_most <= most
