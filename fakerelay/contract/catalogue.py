"""Scenarios that are always played: each rule has one at least, each boundary its own."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

from fakerelay.contract.courses import foresee_courses, is_move_documented
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.flaws import FLAWS
from fakerelay.contract.model import Policy, World
from fakerelay.contract.operations import Kind, Level, Move, Race, Start, Stop, list_operations
from fakerelay.contract.styles import STYLES

_KINDS: Final[tuple[Kind, ...]] = ("source", "mixed")
_SPOILED_AT_ONCE: Final = 4
_RACES: Final = 3


class Scenario(NamedTuple):
    """What is to be done, one move after the other, beginning with nothing that runs."""

    name: str
    operations: Sequence[Move]
    needs_other_app: bool = False


def list_scenarios(level: Level, policy: Policy) -> Iterator[Scenario]:
    """Those whose every answer is decided by rules of the level."""
    for scenario in _list_all(level, policy):
        if level == "assumed" or _is_documented(scenario, policy):
            yield scenario


def _is_documented(scenario: Scenario, policy: Policy) -> bool:
    worlds = [World()]
    for move in scenario.operations:
        if not all(is_move_documented(world, move, policy, FAULTS) for world in worlds):
            return False
        operations = list_operations(move)
        courses = [foresee_courses(world, operations, policy, FAULTS) for world in worlds]
        worlds = [course.world for each in courses for course in each]
    return True


def _list_all(level: Level, policy: Policy) -> Iterator[Scenario]:
    # First, as long as nothing that went before can have been counted.
    yield from _quotas(policy)
    yield from _lives()
    yield from _addresses()
    yield from _races(policy)
    yield from _tokens(level)
    yield from _spoiled(level)
    yield from _styles(level)
    if level == "assumed":
        yield from _assumed()


def _lives() -> Iterator[Scenario]:
    for kind in _KINDS:
        start = Start(0, (0,), kind)
        yield Scenario(f"{kind}: start and stop", [start, Stop(0, kind=kind)])
        yield Scenario(
            f"{kind}: freed by a stop",
            [start, Stop(0, kind=kind), Start(1, (0,), kind), Stop(1, kind=kind)],
        )
        yield Scenario(
            f"{kind}: updated again and again",
            [start, start, Start(0, (0,), kind), start, Stop(0, kind=kind)],
        )
        for count in range(2, 6):
            addresses = tuple(range(count))
            yield Scenario(
                f"{kind}: {count} addresses",
                [Start(0, addresses, kind), Stop(0, kind=kind), Start(1, addresses, kind)],
            )
        yield Scenario(
            f"{kind}: six addresses",
            [Start(0, tuple(range(6)), kind), *(Start(n, (n,), kind) for n in range(1, 4))],
        )


def _addresses() -> Iterator[Scenario]:
    for place, taken in enumerate(((0, 1, 2), (1, 0, 2), (1, 2, 0))):
        for holder in _KINDS:
            for other in _KINDS:
                refused = Start(1, taken, other, room=1)
                yield Scenario(
                    f"{other} wants a {holder} task's address, number {place + 1} of three",
                    [
                        Start(0, (0,), holder),
                        refused,
                        Start(2, (1, 2), other),
                        Stop(0, kind=holder),
                    ],
                )
    for place in range(5):
        held = tuple(range(5))
        yield Scenario(
            f"address {place + 1} of five is taken",
            [Start(0, held), Start(1, (place,)), Stop(0), Start(1, (place, 5)), Stop(1)],
        )


def _quotas(policy: Policy) -> Iterator[Scenario]:
    most = policy.concurrent_pushes
    if most:
        full = [Start(n, (n,)) for n in range(most)]
        over = Start(most, (most,))
        yield Scenario(
            "over quota, updated at full quota, and again once one has ended",
            [*full, over, Start(0, (0,)), Stop(0), over, Start(most + 1, (most + 1,))],
        )
        unknown = [Start(n, (n,), credential="another key") for n in range(most)]
        yield Scenario("what is refused counts for no quota", [*unknown, *full, over])
    room = policy.mixed_tasks_per_room
    if room and (not most or room < most):
        mixed = [Start(n, (n,), "mixed") for n in range(room + 1)]
        other = Start(room + 1, (room + 1,), "mixed", room=1)
        yield Scenario("mixed tasks of a room", [*mixed, other, Stop(0, kind="mixed"), mixed[-1]])


def _races(policy: Policy) -> Iterator[Scenario]:
    """Whoever comes first is right: but both can't be, and neither can't be."""
    for first, second in combinations_with_replacement(_KINDS, 2):
        for attempt in range(_RACES):
            starts = (Start(0, (0,), first), Start(1, (0,), second))
            yield Scenario(
                f"a {first} and a {second} task race for an address, {attempt + 1}",
                [Race(starts), Start(2, (0,))],
            )
    most = policy.concurrent_pushes
    if most:
        full = [Start(n, (n,)) for n in range(most - 1)]
        racing = tuple(Start(n, (n,)) for n in range(most - 1, most + 2))
        for attempt in range(_RACES):
            name = f"{len(racing)} tasks race for the last place, {attempt + 1}"
            yield Scenario(name, [*full, Race(racing), Start(most + 2, (most + 2,))])
    for kind in _KINDS:
        updates = (Start(0, (0, 1), kind), Start(0, (0, 2), kind))
        yield Scenario(
            f"{kind}: two starts of one task race", [Race(updates), Start(0, (0,), kind)]
        )
        yield Scenario(
            f"{kind}: two updates race", [Start(0, (0,), kind), Race(updates), Stop(0, kind=kind)]
        )
        hasty = [(Start(n, (0,), kind), Stop(n, kind=kind)) for n in range(6)]
        yield Scenario(
            f"{kind}: an address from hand to hand", [each for two in hasty for each in two]
        )


def _tokens(level: Level) -> Iterator[Scenario]:
    for name, credential in CREDENTIALS.items():
        if level == "documented" and credential.fault.level != "documented":
            continue
        yield Scenario(
            f"token: {name}",
            [
                Start(0, (0,), credential=name),
                Start(1, (0,)),
                Stop(1, credential=name),
                Start(2, (0,)),
                Stop(1),
            ],
        )


def _spoiled(level: Level) -> Iterator[Scenario]:
    """Several flaws to a scenario, each with an address of its own; then all of them are free."""
    for kind in _KINDS:
        for operation in ("startrtmp", "stoprtmp"):
            names = [
                name
                for name, flaw in FLAWS.items()
                if operation in flaw.operations
                and kind in flaw.kinds
                and (level == "assumed" or flaw.fault.level == "documented")
            ]
            for begin in range(0, len(names), _SPOILED_AT_ONCE):
                yield _spoil(operation, kind, names[begin : begin + _SPOILED_AT_ONCE])


def _spoil(operation: str, kind: Kind, names: Sequence[str]) -> Scenario:
    told = f"{operation}, {kind}: {', '.join(names)}"
    if operation == "stoprtmp":
        stops = [Stop(0, kind=kind, flaw=name) for name in names]
        return Scenario(told, [Start(0, (0,), kind), *stops, Start(1, (0,), kind)])
    starts = [Start(n, (n,), kind, flaw=name) for n, name in enumerate(names)]
    return Scenario(told, [*starts, Start(9, tuple(range(len(names))), kind), Stop(9, kind=kind)])


def _styles(level: Level) -> Iterator[Scenario]:
    for name, style in STYLES.items():
        if level == "documented" and style.level != "documented":
            continue
        stop_style = name if "stoprtmp" in style.operations else "plain"
        for kind in style.kinds:
            start, stop = Start(0, (0,), kind, style=name), Stop(0, kind=kind, style=stop_style)
            yield Scenario(f"{kind}: {name}", [start, start, stop])
            if style.rule == "address-comparison":
                yield Scenario(f"{kind}: the same by {name}", [start, Start(1, (0,)), stop])


def _assumed() -> Iterator[Scenario]:
    for kind in _KINDS:
        other: Kind = "mixed" if kind == "source" else "source"
        start, stop = Start(0, (0,), kind), Stop(0, kind=kind)
        yield Scenario(f"{kind}: stopped twice", [start, stop, stop, start])
        yield Scenario(f"{kind}: stop of nothing", [stop, start])
        yield Scenario(f"{kind}: stop in another room", [start, Stop(0, kind=kind, room=1), stop])
        yield Scenario(f"{kind}: stop of the other kind", [start, Stop(0, kind=other), stop])
        yield Scenario(f"{kind}: moved to another room", [start, Start(0, (0, 1), kind, 1), stop])
        yield Scenario(
            f"{kind}: one name for both", [start, Start(0, (1,), other), Stop(0, kind=other), stop]
        )
        yield Scenario(
            f"{kind}: addresses come and go",
            [
                Start(0, (0, 1), kind),
                Start(0, (1, 2), kind),
                Start(1, (0,)),
                Start(2, (1,)),
                Start(0, (2, 0), kind),
                Start(2, (1,)),
                Start(0, (2, 3), kind),
            ],
        )
        yield Scenario(
            f"{kind}: stopped bit by bit",
            [
                Start(0, (0, 1, 2), kind),
                Stop(0, (3,), kind),
                Stop(0, (1,), kind),
                Start(1, (1,)),
                Start(2, (0,)),
                Stop(0, (1,), kind),
                Stop(0, (0, 2), kind),
                Start(2, (0, 2)),
                stop,
            ],
        )
        yield Scenario(f"{kind}: an address twice", [Start(0, (0, 1, 0), kind), Start(1, (0, 1))])
    yield Scenario(
        "another app wants the address",
        [Start(0, (0,)), Start(0, (0,), app=1), Start(0, (1,), app=1), Stop(0, app=1), Stop(0)],
        needs_other_app=True,
    )
