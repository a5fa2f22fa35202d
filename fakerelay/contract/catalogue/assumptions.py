"""Sequences of right requests whose answers only assumed rules decide (sections 4 and 5)."""

from collections.abc import Iterator

from fakerelay.contract.catalogue.scenarios import KINDS, MOST_FILLED, OTHERS, Scenario
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Kind, Start, Stop


def list_assumptions(policy: Policy) -> Iterator[Scenario]:
    for kind in KINDS:
        yield from _list_stops(kind)
        yield from _list_updates(kind)
        yield from _list_restarts(kind)
    yield from _list_places(policy)
    yield from _list_apps()
    yield _enter_from_outside()
    yield from _list_secrets()


def _list_stops(kind: Kind) -> Iterator[Scenario]:
    start, stop = Start(0, (0,), kind), Stop(0, kind=kind)
    yield Scenario(f"{kind}: stop of nothing, and twice", [stop, start, stop, stop, start])
    yield Scenario(
        f"{kind}: stop in another room, or of the other kind",
        [start, Stop(0, kind=kind, room=1), Stop(0, kind=OTHERS[kind]), Start(1, (0,)), stop],
    )
    yield Scenario(
        f"{kind}: stopped bit by bit",
        [
            Start(0, (0, 1, 2), kind),
            Stop(0, (3,), kind),
            Stop(0, (0, 3), kind),
            Stop(0, (1, 1), kind),
            Start(1, (1,)),
            Stop(0, (1,), kind),
            Start(1, (1,)),
            Start(2, (0,)),
            Stop(0, (1,), kind),
            Stop(0, (0, 2), kind),
            Start(2, (0, 2)),
            stop,
            Start(0, (3,), kind, 1),
        ],
    )


def _list_updates(kind: Kind) -> Iterator[Scenario]:
    start, stop = Start(0, (0,), kind), Stop(0, kind=kind)
    yield Scenario(
        f"{kind}: moved to another room",
        [start, Start(0, (0, 1), kind, 1), Start(1, (1,), kind), Start(2, (0,)), stop],
    )
    yield Scenario(
        f"{kind}: addresses come and go",
        [
            Start(0, (0, 1), kind),
            Start(0, (1, 2), kind),
            Start(1, (0,)),
            Start(2, (1,)),
            Start(2, (2,)),
            Start(0, (2, 0), kind),
            Start(2, (1,)),
            Start(0, (2, 3), kind),
            Start(3, (1, 3)),
            Start(3, (4,)),
        ],
    )
    yield Scenario(
        f"{kind}: an update that is refused",
        [
            Start(0, (0, 1), kind),
            Start(1, (2,)),
            Start(0, (1, 3, 2), kind),
            Start(2, (0,)),
            Start(2, (3,)),
            Start(0, (4, 4), kind),
            Start(3, (4, 1)),
            Start(3, (4,)),
        ],
    )
    yield Scenario(f"{kind}: an address twice", [Start(0, (0, 1, 0), kind), Start(1, (0, 1))])


def _list_restarts(kind: Kind) -> Iterator[Scenario]:
    start, stop, other = Start(0, (0,), kind), Stop(0, kind=kind), OTHERS[kind]
    elsewhere = Stop(0, kind=kind, room=1)
    yield Scenario(
        f"{kind}: one name again and again",
        [
            *(start, stop, start, stop),
            *(Start(0, (1,), kind, 1), stop, elsewhere),
            *(Start(0, (0, 1), other), Start(1, (1,)), Stop(0, kind=other), start),
        ],
    )
    yield Scenario(
        f"{kind}: one name for both",
        [
            start,
            Start(0, (0,), other, 1),
            Start(0, (1,), other, 1),
            Start(1, (0,)),
            Stop(0, kind=other, room=1),
            Start(1, (1,)),
            Start(2, (0,)),
            stop,
        ],
    )


def _list_places(policy: Policy) -> Iterator[Scenario]:
    """A task is one push, however many addresses it has, and whatever bears its name too."""
    most = policy.concurrent_pushes
    if not 0 < most <= MOST_FILLED:
        return
    wide = [Start(n // 2, (2 * n, 2 * n + 1), KINDS[n % 2]) for n in range(most)]
    free = 2 * most
    yield Scenario(
        "tasks count, not addresses",
        [
            *wide,
            Start(0, (0, 1, free + 1)),
            Start(most, (free,)),
            Stop(0, (0,)),
            Start(most, (0,)),
            Stop(most),
            Stop(0, room=1),
            Start(most, (free,)),
            Stop(0, (1,)),
            Start(most, (free,)),
            Start(most + 1, (0,), "mixed"),
        ],
    )


def _list_apps() -> Iterator[Scenario]:
    for kind in KINDS:
        yield Scenario(
            f"{kind}: two apps want one address",
            [
                Start(0, (0,), kind),
                Start(1, (0,), app=1),
                Start(1, (1, 0), "mixed", app=1),
                Start(2, (1,)),
                Stop(0, kind=kind),
                Start(1, (0,), app=1),
                Start(3, (0,), kind),
            ],
        )
        yield Scenario(
            f"{kind}: two apps use one name",
            [
                Start(0, (0,), kind),
                Stop(0, kind=kind, app=1),
                Start(0, (1,), kind, room=1, app=1),
                Start(0, (2,), kind),
                Stop(0, kind=kind, room=1, app=1),
                Start(1, (2,)),
                Start(1, (1,)),
                Stop(0, kind=kind),
            ],
        )


def _enter_from_outside() -> Scenario:
    """Another account's certificate opens no app in which something runs, either."""
    foreign = "of another account"
    return Scenario(
        "another account in an app that is at work",
        [
            Start(0, (0,)),
            Start(0, (0, 1), credential=foreign),
            Start(1, (2,), "mixed", credential=foreign),
            Start(1, (2,), "mixed"),
            Start(1, (2, 3), "mixed", credential=foreign),
            Stop(0, credential=foreign),
        ],
    )


def _list_secrets() -> Iterator[Scenario]:
    """What is to be refused in the same words, each twice."""
    wrong = [Start(0, (0,), credential=name) for name in ("another key", "unknown certificate")]
    yield Scenario("key or certificate: the same refusal", [*wrong, *wrong])
    foreign = Start(0, (0,), app=1, credential="of another account")
    nobodys = Start(0, (0,), flaw="app that is nobody's")
    yield Scenario("another's app or none: the same refusal", [foreign, nobodys] * 2)
