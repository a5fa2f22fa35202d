"""Which rules a run is to compare on a target: what is left of them is no agreement."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from fakerelay.contract.catalogue import Scenario, list_scenarios
from fakerelay.contract.courses import Course, foresee_courses
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import name_rule
from fakerelay.contract.model import Policy, World
from fakerelay.contract.operations import Level, Operation, list_operations
from fakerelay.contract.targets import Target

_REPLIES: Final = frozenset({"reply-envelope", "reply-status", "reply-trace-id"})


def list_rules(target: Target, level: Level) -> frozenset[str]:
    """Those of all scenarios that are always played, made-up ones aside."""
    scenarios = [
        scenario
        for scenario in list_scenarios(level, target.policy)
        if 1 in target.accounts or not scenario.needs_other_app
    ]
    return frozenset(_list_rules(scenarios, target.policy))


def select(
    scenarios: Iterable[Scenario], only: Collection[str], policy: Policy, level: Level
) -> Iterator[Scenario]:
    """The scenarios that have any of some rules compared; all, where there are none."""
    for scenario in scenarios:
        is_of_all = level == "assumed" and not _REPLIES.isdisjoint(only)
        if not only or is_of_all or not set(only).isdisjoint(_list_rules([scenario], policy)):
            yield scenario


def _list_rules(scenarios: Iterable[Scenario], policy: Policy) -> Iterator[str]:
    for scenario in scenarios:
        world = World()
        for move in scenario.operations:
            operations = list_operations(move)
            course = next(foresee_courses(world, operations, policy, FAULTS))
            yield from _name_rules(operations, course)
            world = course.world


def _name_rules(operations: Iterable[Operation], course: Course) -> Iterator[str]:
    for operation, outcome in zip(operations, course.outcomes, strict=True):
        if outcome is not None:
            yield name_rule(operation, outcome)
