"""How calls may have gone: one, or several at the same moment, in any order there can have been."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import NamedTuple

from fakerelay.contract.model import Fault, Outcome, Policy, World, foresee, is_documented
from fakerelay.contract.operations import Move, Operation, list_operations


class Course(NamedTuple):
    """The outcome of each operation, None for one that never came through; and the world after."""

    outcomes: Sequence[Outcome | None]
    world: World


def foresee_courses(
    world: World,
    operations: Sequence[Operation],
    policy: Policy,
    faults: Mapping[str, Fault],
    *,
    lost: Collection[int] = (),
) -> Iterator[Course]:
    """One for each order of the operations; those whose answer is `lost` may not have been done."""
    for missing in _subsets(lost):
        done = [number for number in range(len(operations)) if number not in missing]
        for order in permutations(done):
            course = _follow(world, operations, order, policy, faults)
            told = [each for number, each in enumerate(course.outcomes) if number in lost]
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
    world: World,
    operations: Sequence[Operation],
    order: Sequence[int],
    policy: Policy,
    faults: Mapping[str, Fault],
) -> Course:
    outcomes: list[Outcome | None] = [None] * len(operations)
    for number in order:
        outcome = foresee(world, operations[number], policy, faults)
        outcomes[number], world = outcome, outcome.world
    return Course(outcomes, world)


def _subsets(numbers: Collection[int]) -> Iterator[Collection[int]]:
    for count in range(len(numbers) + 1):
        yield from combinations(numbers, count)
