"""Scenarios of requests that break several rules: the first in the contract's order answers.

The checks are those of section 2, up to addresses given twice; then come the rules of section 4.
"""

from collections.abc import Iterator
from typing import Final

from fakerelay.contract.catalogue.scenarios import KINDS, MOST_FILLED, Scenario
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.flaws import ORDERS
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Kind, Operation, Start, Stop

_TOKENS: Final = ("no token", "small basic", "another key", "of another account")
_LATER: Final = "content type before all"
_FEWEST: Final = 2
_SOME: Final = 5


def list_precedences(policy: Policy) -> Iterator[Scenario]:
    """All at level `assumed`; as long as nothing is answered wrongly, nothing changes."""
    most = min(policy.concurrent_pushes or _SOME, MOST_FILLED)
    for kind in KINDS:
        running = [Start(n, (n,), kind) for n in range(most)]
        yield Scenario(
            f"{kind}: checks of a start in order", [*running, *_wrong_starts(kind, most)]
        )
        if most >= _FEWEST:
            yield Scenario(f"{kind}: rules in order", [*running, *_broken_rules(kind, most)])
    yield Scenario("checks of a stop in order", [Start(0, (0,), "mixed"), *_wrong_stops("mixed")])
    yield from _tokens_first()


def _wrong_starts(kind: Kind, most: int) -> Iterator[Operation]:
    """At full quota, of addresses that are in use and stand there twice."""
    twice = (0, 0, most + 1)
    for name, flaw in ORDERS.items():
        is_turn = kind == "source" or "source" not in flaw.kinds
        if is_turn and kind in flaw.kinds and "startrtmp" in flaw.operations:
            yield Start(most, twice, kind, flaw=name)
    yield Start(most, twice, kind, flaw="roomid missing")
    yield Start(most, twice, kind, flaw="appid of another")
    yield Start(most, (0,), kind, flaw="appid of another")
    yield Start(0, (0,), kind, room=1, flaw="appid of another")
    yield Start(most, (0,), kind, credential="another key")


def _wrong_stops(kind: Kind) -> Iterator[Operation]:
    """In another room, of addresses that are not the task's."""
    for name, flaw in ORDERS.items():
        if kind in flaw.kinds and "stoprtmp" in flaw.operations:
            yield Stop(0, (1, 1), kind, room=1, flaw=name)
    yield Stop(0, (0,), kind, room=1, flaw="appid of another")
    yield Stop(3, None, kind, flaw="appid of another")
    yield Stop(3, None, kind, credential="another key")
    yield Stop(3, (1, 1), kind)
    yield Stop(0, (1, 1), kind, room=1)
    yield Stop(0, (0, 0), kind)
    yield Stop(3, (0,), kind, room=1)
    yield Stop(0, (1,), kind, room=1)


def _broken_rules(kind: Kind, most: int) -> Iterator[Operation]:
    free = most + 1
    yield Start(0, (1, 1), kind, room=1)
    yield Start(0, (free, free), kind, room=1)
    yield Start(most, (0, 0), kind)
    yield Start(most, (free, free), kind)
    yield Start(0, (1,), kind, room=1)
    yield Start(0, (free,), kind, room=1)
    yield Start(most, (0,), kind)
    yield Start(most, (free, 0), kind)
    yield Start(most, (free,), kind)


def _tokens_first() -> Iterator[Scenario]:
    """What is wrong with a token goes before a content type and a body that are wrong too."""
    names = [name for name in _TOKENS if CREDENTIALS[name].fault.problem != "app_forbidden"]
    for several in (names, _TOKENS[-1:]):
        starts = [Start(1, (0, 0), credential=name, flaw=_LATER) for name in several]
        stops = [Stop(0, credential=name, flaw=_LATER) for name in several]
        fields = [Start(0, (0,), credential=name, flaw="roomid missing") for name in several]
        appids = [Start(0, (0,), credential=name, flaw="appid of another") for name in several]
        name = f"checks in order: {', '.join(several)}"
        moves: list[Operation] = [Start(0, (0,)), *starts, *stops, *fields, *appids]
        yield Scenario(name, moves)
