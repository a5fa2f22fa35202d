"""How calls may have gone: one, or several at the same moment, in any order there can have been."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import Final, NamedTuple

from fakerelay.contract.model import (
    Broken,
    Fault,
    Outcome,
    Policy,
    World,
    foresee,
    is_documented,
    key_of,
)
from fakerelay.contract.operations import Move, Operation, Start, list_operations


class Course(NamedTuple):
    """The outcome of each operation, None for one that never came through; and the world after.

    Those `disturbed` are refused since others have the quota, in an account that is shared.
    """

    outcomes: Sequence[Outcome | None]
    world: World
    disturbed: frozenset[int] = frozenset()


_OTHERS_FIRST: Final = Broken("concurrent-pushes", "quota_exceeded")


def foresee_courses(
    world: World,
    operations: Sequence[Operation],
    policy: Policy,
    faults: Mapping[str, Fault],
    *,
    lost: Collection[int] = (),
) -> Iterator[Course]:
    """One for each order of the operations; those whose answer is `lost` may not have been done."""
    begun = Course([None] * len(operations), world)
    for missing in _subsets(lost):
        done = [number for number in range(len(operations)) if number not in missing]
        for order in permutations(done):
            for course in _follow(begun, operations, order, policy, faults):
                told = [course.outcomes[number] for number in lost]
                if all(each is None or each.broken is None for each in told):
                    yield course


def is_move_documented(
    world: World, move: Move, policy: Policy, faults: Mapping[str, Fault]
) -> bool:
    """Whether documented rules alone decide it, in whatever order it comes."""
    operations = list_operations(move)
    for order in permutations(operations):
        now = world
        for operation in order:
            if not is_documented(now, operation, policy, faults):
                return False
            now = foresee(now, operation, policy, faults).world
    return True


def _follow(
    course: Course,
    operations: Sequence[Operation],
    order: Sequence[int],
    policy: Policy,
    faults: Mapping[str, Fault],
) -> Iterator[Course]:
    if not order:
        yield course
        return
    number, *rest = order
    outcome = foresee(course.world, operations[number], policy, faults)
    yield from _follow(_extend(course, number, outcome), operations, rest, policy, faults)
    if policy.is_shared and _is_new_start(course.world, operations[number], outcome):
        refused = outcome._replace(broken=_OTHERS_FIRST, world=course.world)
        disturbed = _extend(course, number, refused)
        disturbed = disturbed._replace(disturbed=disturbed.disturbed | {number})
        yield from _follow(disturbed, operations, rest, policy, faults)


def _extend(course: Course, number: int, outcome: Outcome) -> Course:
    outcomes = [*course.outcomes[:number], outcome, *course.outcomes[number + 1 :]]
    return course._replace(outcomes=outcomes, world=outcome.world)


def _is_new_start(world: World, operation: Operation, outcome: Outcome) -> bool:
    is_accepted_start = isinstance(operation, Start) and outcome.broken is None
    return is_accepted_start and key_of(operation) not in world.tasks


def _subsets(numbers: Collection[int]) -> Iterator[Collection[int]]:
    for count in range(len(numbers) + 1):
        yield from combinations(numbers, count)
