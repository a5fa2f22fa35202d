"""What a run is to compare on a target, and why not the rest."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from fakerelay.contract.abstentions import ABSTENTIONS
from fakerelay.contract.catalogue import MOST_FILLED, Scenario, list_scenarios
from fakerelay.contract.courses import Course, foresee_courses
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import name_rule
from fakerelay.contract.model import Policy, World
from fakerelay.contract.operations import Level, Operation, Race, list_operations
from fakerelay.contract.targets import Target

_REPLIES: Final = frozenset({"reply-envelope", "reply-status", "reply-trace-id"})
_NAMING_ROOMS: Final = ("room of 64 characters", "letters and digits")
_QUOTA_RULES: Final = ("concurrent-pushes", "update-at-full-quota")


class Scope(NamedTuple):
    """The rules `planned` to be compared; and those `skipped`, each with the reason."""

    planned: frozenset[str]
    skipped: Mapping[str, str]


NO_SCOPE: Final = Scope(frozenset(), {})


def find_scope(target: Target, level: Level) -> Scope:
    """By the scenarios that are always played, those made up aside."""
    planned: set[str] = set()
    skipped: dict[str, str] = {}
    for scenario in list_scenarios(level, target.policy):
        rules = set(list_rules(scenario, target.policy))
        obstacle = find_obstacle(scenario, target)
        if obstacle is None:
            planned |= rules
        else:
            skipped |= dict.fromkeys(rules - skipped.keys(), obstacle)
    skipped = {**ABSTENTIONS, **dict(_list_unplanned(target.policy)), **skipped}
    return Scope(
        frozenset(planned), {rule: why for rule, why in skipped.items() if rule not in planned}
    )


def select(
    scenarios: Iterable[Scenario], only: Collection[str], policy: Policy, level: Level
) -> Iterator[Scenario]:
    """The scenarios that have any of some rules compared; all, where there are none."""
    for scenario in scenarios:
        is_of_all = level == "assumed" and not _REPLIES.isdisjoint(only)
        if not only or is_of_all or not set(only).isdisjoint(list_rules(scenario, policy)):
            yield scenario


def find_obstacle(scenario: Scenario, target: Target) -> str | None:
    """Why a scenario can't be played on a target, if so."""
    operations = [each for move in scenario.operations for each in list_operations(move)]
    if 1 not in target.accounts and any(each.app for each in operations):
        return "it needs an app of another account's: --other-app"
    if target.policy.is_shared and _fills_quota(scenario, target.policy):
        return "it would take the whole quota of an account that others use: --shared-account"
    rooms = 1 + max((each.room for each in operations), default=0)
    if target.live_rooms and target.policy.live_rooms is None and rooms > len(target.live_rooms):
        return f"it needs {rooms} rooms that are live: --room"
    styles = {each.style for each in operations}
    if target.live_rooms and not styles.isdisjoint(_NAMING_ROOMS):
        return "only rooms that are live are asked for: --room"
    if target.has_short_names and "task of 64 characters" in styles:
        return "the profile has stricter names of tasks: taskid_style"
    racing = max(
        (len(each.starts) for each in scenario.operations if isinstance(each, Race)), default=0
    )
    if 0 < target.calls_per_second < racing:
        return "the profile allows fewer calls a second: rate_limit_per_second"
    return None


def _list_unplanned(policy: Policy) -> Iterator[tuple[str, str]]:
    """Rules that no scenario is made for, by what the profile says, or at the level."""
    yield "legacy-paths", "the vendor's slip of the pen: only a profile says whether it is answered"
    most, room = policy.concurrent_pushes, policy.mixed_tasks_per_room
    if not most:
        yield from (
            (rule, "the profile knows no quota: concurrent_pushes=0") for rule in _QUOTA_RULES
        )
    elif most > MOST_FILLED:
        reason = f"a quota of {most} takes more calls than a run has: concurrent_pushes"
        yield from ((rule, reason) for rule in _QUOTA_RULES)
    if not room:
        yield "mixed-tasks-per-room", "the profile knows no such quota: mixed_tasks_per_room=0"
    elif room > MOST_FILLED:
        yield "mixed-tasks-per-room", f"a quota of {room} takes more calls than a run has"
    if policy.live_rooms is None:
        yield "room-live", "the profile takes any room: requires_live_room=false"


def _fills_quota(scenario: Scenario, policy: Policy) -> bool:
    return any(
        0 < policy.concurrent_pushes <= course.world.count(app)
        for _operations, course in _follow(scenario, policy)
        for app in (0, 1)
    )


def list_rules(scenario: Scenario, policy: Policy) -> Iterator[str]:
    """Those that a scenario is to have compared, reply by reply."""
    for operations, course in _follow(scenario, policy):
        for operation, outcome in zip(operations, course.outcomes, strict=True):
            if outcome is not None:
                yield name_rule(operation, outcome)


def _follow(scenario: Scenario, policy: Policy) -> Iterator[tuple[Iterable[Operation], Course]]:
    """What each move is to come to."""
    world = World()
    for move in scenario.operations:
        operations = list_operations(move)
        course = next(foresee_courses(world, operations, policy, FAULTS))
        yield operations, course
        world = course.world
