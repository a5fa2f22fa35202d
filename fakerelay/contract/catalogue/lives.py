"""From a start to a stop: what a stop frees and leaves alone, and whose name is whose."""

from collections.abc import Iterator
from typing import Final

from fakerelay.contract.catalogue.scenarios import CUSTOM, KINDS, MOST_FILLED, Scenario
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Kind, Level, Operation, Start, Stop

_OFTEN: Final = 11


def list_releases(policy: Policy) -> Iterator[Scenario]:
    """To be first of all: it shows whether a stop frees something late, before others need it."""
    most = policy.concurrent_pushes
    places = range(2, most + 1 if most <= MOST_FILLED else 2)
    fill: list[Operation] = [Start(place, (place,)) for place in places]
    freed: list[Operation] = [Start(0, (0,)), Stop(0), Start(1, (0,))]
    yield Scenario("a stop frees address and place", freed + fill)


def list_lives(policy: Policy, level: Level) -> Iterator[Scenario]:
    size = min(5, policy.concurrent_pushes or 5)
    for kind in KINDS:
        start, stop, again = Start(0, (0,), kind), Stop(0, kind=kind), Start(1, (0,), kind)
        yield Scenario(f"{kind}: start and stop", [start, stop])
        yield Scenario(
            f"{kind}: freed by a stop", [start, stop, again, Start(2, (0,)), Stop(1, kind=kind)]
        )
        again_and_again = [start] * (_OFTEN if level == "documented" else 4)
        yield Scenario(f"{kind}: updated again and again", [*again_and_again, stop])
        yield Scenario(
            f"{kind}: one to five addresses",
            [each for count in range(1, size + 1) for each in _live(count, count, kind)],
        )
        six = tuple(range(6))
        yield Scenario(
            f"{kind}: six addresses", [Start(0, six, kind), Start(0, (5, 0, 2)[:size], kind, 1)]
        )
    for first in KINDS:
        for second in KINDS:
            yield _stop_one_of_three(first, second)


def list_layout_changes() -> Iterator[Scenario]:
    """From a template to a layout of its own, and back."""
    styles = ("plain", CUSTOM, "plain")
    starts = [Start(0, (0,), "mixed", style=style) for style in styles]
    yield Scenario("mixed: another sort of layout", [*starts, Stop(0, kind="mixed")])


def list_names() -> Iterator[Scenario]:
    """Names that differ in little are names of different tasks."""
    for kind in KINDS:
        alike, long = (0, 8, 16, 24), (32, 40)
        yield Scenario(
            f"{kind}: names that differ in little",
            [
                *(Start(name, (place,), kind) for place, name in enumerate(alike)),
                *(Stop(name, kind=kind) for name in alike),
                *(Start(name, (place + 4,), kind) for place, name in enumerate(long)),
                *(Stop(name, kind=kind) for name in long),
            ],
        )


def _live(task: int, addresses: int, kind: Kind) -> list[Operation]:
    return [Start(task, tuple(range(addresses)), kind), Stop(task, kind=kind)]


def _stop_one_of_three(kind: Kind, other: Kind) -> Scenario:
    """That in the middle; its address is free, and what the others hold is not."""
    return Scenario(
        f"a {other} task ends between two {kind} ones",
        [
            Start(0, (0,), kind),
            Start(1, (1,), other),
            Start(2, (2,), kind),
            Stop(1, kind=other),
            Start(3, (0,), other),
            Start(3, (2,), kind),
            Start(3, (1,), kind),
            Stop(0, kind=kind),
            Start(4, (2,), other),
            Start(4, (0,), other),
        ],
    )
