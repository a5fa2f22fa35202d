"""The few of a scenario's steps that a finding takes, by the model alone: nothing is played."""

from collections.abc import Collection, Sequence
from typing import Any

from fakerelay.contract.drivers import Step
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.model import Policy, World, foresee, key_of


def slice_steps(steps: Sequence[Step], needed: Collection[int], policy: Policy) -> Sequence[Step]:
    """Up to the last that is needed; what changes nothing for those that are is left out.

    Whoever raced is not left out: only the server knows who came first.
    """
    kept = list(range(max(needed) + 1))
    if any(steps[number].race for number in kept):
        return tuple(steps[number] for number in kept)
    wanted = _follow(steps, kept, needed, policy)
    for number in reversed(kept):
        fewer = [each for each in kept if each != number]
        if number not in needed and _follow(steps, fewer, needed, policy) == wanted:
            kept = fewer
    return tuple(steps[number] for number in kept)


def _follow(
    steps: Sequence[Step], numbers: Sequence[int], needed: Collection[int], policy: Policy
) -> Sequence[Any]:
    """What becomes of those needed, and what their tasks push to before and after."""
    world, told = World(), []
    for number in numbers:
        operation = steps[number].operation
        key = key_of(operation)
        outcome = foresee(world, operation, policy, FAULTS)
        if number in needed:
            before, after = world.tasks.get(key), outcome.world.tasks.get(key)
            told.append((number, outcome.broken, before, after))
        world = outcome.world
    return told
