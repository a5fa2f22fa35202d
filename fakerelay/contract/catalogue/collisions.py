"""Addresses that others hold, wanted by a start or an update: each place, kind and room."""

from collections.abc import Iterator, Sequence
from itertools import cycle

from fakerelay.contract.catalogue.scenarios import CUSTOM, KINDS, OTHERS, Scenario
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Kind, Start, Stop

_FREE = (5, 6, 7, 8)


def list_collisions(policy: Policy) -> Iterator[Scenario]:
    size = min(5, policy.concurrent_pushes or 5)
    for holder in KINDS:
        for kind in KINDS:
            yield _start_into(holder, kind, tuple(range(size)))
    yield _start_into_each(max(1, min(5, policy.concurrent_pushes or 5) - 1))
    for kind in KINDS:
        yield _update_into(kind)
        yield _update_and_hold(kind, size)


def _start_into(holder: Kind, kind: Kind, held: Sequence[int]) -> Scenario:
    """One of five addresses is taken; the other four are free afterwards."""
    taken = cycle(held)
    wanted = [(*_FREE[:place], next(taken), *_FREE[place:]) for place in (0, 4, 1, 3, 2)]
    # However it is mixed, an address is held, and is another's.
    of_holder, of_first = (
        CUSTOM if each == "mixed" and holder != kind else "plain" for each in (holder, kind)
    )
    return Scenario(
        f"{kind} tasks want a {holder} task's addresses",
        [
            Start(0, tuple(held), holder, style=of_holder),
            Start(1, tuple(held[:1]), kind, style=of_first),
            *(Start(1, each, kind, room) for each in wanted for room in (0, 1)),
            Stop(0, kind=holder),
            Start(1, _FREE[: len(held)], kind, room=1),
        ],
    )


def _start_into_each(amount: int) -> Scenario:
    holders = [Start(task, (task,), KINDS[task % 2], room=task) for task in range(amount)]
    return Scenario(
        "what each of several tasks holds is wanted",
        [*holders, *(Start(7, (task, 7)) for task in range(amount)), Start(7, (7,), room=1)],
    )


def _update_into(kind: Kind) -> Scenario:
    """A refused update leaves the addresses free that were."""
    other = OTHERS[kind]
    wanted = [(0,), (4, 1), (1, 0), (0, 1, 2), (1, 2, 4), (1, 2, 3, 0), (1, 2, 3, 5, 4), (2, 0, 3)]
    return Scenario(
        f"a {kind} task's updates want what others hold",
        [
            Start(0, (0,), other, room=1),
            Start(4, (4,), kind),
            Start(1, (1,), kind),
            *(Start(1, each, kind) for each in wanted),
            Start(2, (2,), kind),
            Start(1, (3,), kind),
            Start(3, (0,), kind),
            Start(3, (3,), other),
            Stop(1, kind=kind),
            Start(3, (3,), kind),
        ],
    )


def _update_and_hold(kind: Kind, size: int) -> Scenario:
    """What an update adds and what it keeps is held; a stop frees all of it."""
    other = OTHERS[kind]
    return Scenario(
        f"a {kind} task's addresses change",
        [
            Start(0, (0,), kind),
            Start(0, (0, 1), kind),
            Start(1, (1,), other),
            Start(1, (0,), kind),
            Start(0, (2, 1, 0, 3)[:size], kind),
            Start(1, (2,), kind),
            Start(1, (1,), other),
            Start(1, (5, 0), other),
            Start(1, (3,), kind),
            Start(0, (4,), kind),
            Start(1, (4,), other),
            Stop(0, kind=kind),
            Start(1, (4, 0, 1, 2, 3)[:size], other),
        ],
    )
