"""What a server that keeps to the contract would answer (`contract.md` sections 2 to 5).

Pure, and written from the contract alone. It must not know anything of HTTP, time or the fake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from fakerelay.contract.operations import RIGHT, Kind, Level, Operation, Start, Stop

Key = tuple[int, Kind, int]
"""app, kind, task."""


class Policy(NamedTuple):
    """What the model takes of a profile."""

    concurrent_pushes: int = 5
    mixed_tasks_per_room: int = 5
    address_scope: Literal["service", "app"] = "service"


class Broken(NamedTuple):
    """The rule that an operation breaks, and the problem that a server would name."""

    rule: str
    problem: str


class Fault(NamedTuple):
    """What the tables of credentials and flaws say of one: which rule it breaks, known how."""

    rule: str
    problem: str
    level: Level


class Task(NamedTuple):
    room: int
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What runs; and of what has been: addresses freed by a stop, asked for in vain, or let go in
    a way that only assumptions speak of; tasks that have ended.
    """

    tasks: Mapping[Key, Task] = field(default_factory=dict)
    stopped: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    unsure: frozenset[int] = frozenset()
    ended: frozenset[Key] = frozenset()

    def holders(self, address: int) -> Iterator[Key]:
        return (key for key, task in self.tasks.items() if address in task.addresses)

    def count(self, app: int) -> int:
        return sum(key[0] == app for key in self.tasks)

    def count_mixed(self, app: int, room: int) -> int:
        return sum(
            key[:2] == (app, "mixed") and task.room == room for key, task in self.tasks.items()
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
    broken = _find_fault(operation, faults) or (
        _refuse_start(world, operation, policy)
        if isinstance(operation, Start)
        else _refuse_stop(world, operation)
    )
    if broken is not None:
        asked = frozenset(operation.addresses or ()) - _held(world)
        return Outcome(broken.rule, broken, replace(world, refused=world.refused | asked))
    if isinstance(operation, Start):
        return _accept_start(world, operation, policy)
    return _accept_stop(world, operation)


def key_of(operation: Operation) -> Key:
    return operation.app, operation.kind, operation.task


def _held(world: World) -> frozenset[int]:
    return frozenset(address for task in world.tasks.values() for address in task.addresses)


def _find_fault(operation: Operation, faults: Mapping[str, Fault]) -> Broken | None:
    for name in (operation.credential, operation.flaw):
        if name is not None and name != RIGHT:
            fault = faults[name]
            return Broken(fault.rule, fault.problem)
    if isinstance(operation, Start) and len(operation.addresses) > 5:
        return Broken("rtmpurl-count", "invalid_parameter")
    addresses = operation.addresses or ()
    if len(set(addresses)) < len(addresses):
        return Broken("address-once", "duplicate_address")
    return None


def _refuse_start(world: World, start: Start, policy: Policy) -> Broken | None:
    """The first rule broken, in the order of section 4."""
    key = key_of(start)
    task = world.tasks.get(key)
    if task is not None and task.room != start.room:
        return Broken("room-fixed", "room_mismatch")
    for address in start.addresses:
        for holder in world.holders(address):
            if holder != key and (policy.address_scope == "service" or holder[0] == start.app):
                is_own = holder[0] == start.app
                return Broken("address-unique" if is_own else "address-scope", "address_in_use")
    if task is not None:
        return None
    if 0 < policy.concurrent_pushes <= world.count(start.app):
        return Broken("concurrent-pushes", "quota_exceeded")
    mixed = world.count_mixed(start.app, start.room)
    if start.kind == "mixed" and 0 < policy.mixed_tasks_per_room <= mixed:
        return Broken("mixed-tasks-per-room", "room_quota_exceeded")
    return None


def _accept_start(world: World, start: Start, policy: Policy) -> Outcome:
    key = key_of(start)
    tasks = {**world.tasks, key: Task(start.room, start.addresses)}
    before = world.tasks[key].addresses if key in world.tasks else ()
    left = frozenset(before) - frozenset(start.addresses)
    rule = _say_why(world, start, policy)
    return Outcome(rule, None, replace(world, tasks=tasks, unsure=world.unsure | left))


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
    return "task-holds-addresses" if len(start.addresses) > 1 else "start-path"


def _refuse_stop(world: World, stop: Stop) -> Broken | None:
    task = world.tasks.get(key_of(stop))
    if task is None:
        return Broken("stop-running-task", "task_not_found")
    if task.room != stop.room:
        return Broken("stop-room", "room_mismatch")
    if stop.addresses is not None and not set(stop.addresses) <= set(task.addresses):
        return Broken("stop-own-addresses", "address_not_in_task")
    return None


def _accept_stop(world: World, stop: Stop) -> Outcome:
    key = key_of(stop)
    held = world.tasks[key].addresses
    lost = held if stop.addresses is None else stop.addresses
    left = tuple(address for address in held if address not in lost)
    tasks = {other: task for other, task in world.tasks.items() if other != key}
    if left:
        tasks[key] = Task(stop.room, left)
    after = replace(world, tasks=tasks)
    if left:
        return Outcome("stop-partial", None, replace(after, unsure=world.unsure | set(lost)))
    rule = "stop-ends-task" if stop.addresses is None else "stop-partial"
    stopped = world.stopped | set(held)
    return Outcome(rule, None, replace(after, stopped=stopped, ended=world.ended | {key}))


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
    twin = (start.app, "source" if start.kind == "mixed" else "mixed", start.task)
    has_twin = twin in world.tasks or twin in world.ended
    if key in world.ended or has_twin or (task is not None and task.room != start.room):
        return False
    if len(set(start.addresses)) < len(start.addresses) or world.unsure & set(start.addresses):
        return False
    holders = {holder for each in start.addresses for holder in world.holders(each)} - {key}
    if any(holder[0] != start.app for holder in holders):
        return False
    if holders or task is not None:
        return True
    return _is_quota_plain(world, start, policy)


def _is_quota_plain(world: World, start: Start, policy: Policy) -> bool:
    """Whether it is the same to count tasks and to count addresses."""
    most = policy.concurrent_pushes
    pushes = sum(len(task.addresses) for key, task in world.tasks.items() if key[0] == start.app)
    is_over = world.count(start.app) >= most
    return not most or is_over or pushes + len(start.addresses) <= most
