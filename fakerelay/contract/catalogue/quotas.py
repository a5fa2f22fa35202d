"""How many pushes an app may have, and mixed tasks a room: what counts, and what doesn't."""

from collections.abc import Iterator, Sequence

from fakerelay.contract.catalogue.scenarios import KINDS, MOST_FILLED, Scenario
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Start, Stop

_ENDLESS = 7


def list_quotas(policy: Policy) -> Iterator[Scenario]:
    most, room = policy.concurrent_pushes, policy.mixed_tasks_per_room
    if most == 0:
        yield Scenario("no quota", _fill(_ENDLESS))
    elif most <= MOST_FILLED:
        yield _change_at_full_quota(most)
        yield _count_no_refusals(most)
        yield _count_apart(most)
    if 0 < room <= MOST_FILLED:
        yield _fill_a_room(room, most)


def _fill(amount: int, first: int = 0) -> Sequence[Start]:
    """Tasks of one address each, of both kinds, in several rooms."""
    return [
        Start(number, (number,), KINDS[number % 2], room=number // 2 % 2)
        for number in range(first, amount)
    ]


def _change_at_full_quota(most: int) -> Scenario:
    *full, next_, last = _fill(most + 2)
    return Scenario(
        "over quota, updated at full quota, and again once one has ended",
        [
            *full,
            *(Start(most, (most,), kind, room) for kind in KINDS for room in (2, 1 - next_.room)),
            *full[:2],
            next_,
            Stop(0),
            last,
            next_,
            *_end_second(full, next_),
        ],
    )


def _end_second(full: Sequence[Start], next_: Start) -> Sequence[Start | Stop]:
    """A mixed task makes room for another, and for one only."""
    if len(full) < 2:
        return []
    stop = Stop(1, kind=full[1].kind, room=full[1].room)
    return [stop, next_, Start(len(full) + 2, (len(full) + 2,))]


def _count_no_refusals(most: int) -> Scenario:
    """Nor updates, nor what has ended."""
    first, *others = _fill(most)
    free = most + 1
    return Scenario(
        "neither refusals nor updates count for the quota",
        [
            Start(free, (free,), "mixed", 1),
            Stop(free, None, "mixed", 1),
            first,
            first,
            first,
            Start(free + 1, (0, free)),
            Start(free + 2, (free,), credential="another key"),
            Start(free + 3, (free,), flaw="roomid missing"),
            Start(free + 4, tuple(range(free, free + 6))),
            *others,
            Stop(0, credential="another key"),
            Start(free + 1, (free,)),
        ],
    )


def _count_apart(most: int) -> Scenario:
    """Each app has a quota of its own."""
    theirs = [Start(most + n, (most + n,), app=1) for n in range(2)]
    return Scenario(
        "one app's tasks are nothing to another's quota",
        [theirs[0], *_fill(most), Start(most + 2, (most + 2,)), *theirs[1:][: most - 1]],
    )


def _fill_a_room(room: int, most: int) -> Scenario:
    """As far as the app's quota lets it be filled; source tasks don't count."""
    amount = min(room, most) if most else room
    spare = _ENDLESS if most == 0 else most - amount
    sources = [Start(number, (number,)) for number in range(min(2, max(spare - 1, 0)))]
    mixed = [Start(n, (n,), "mixed") for n in range(len(sources), len(sources) + amount + 2)]
    full, over = mixed[:amount], mixed[amount]
    elsewhere = [Start(20, (20,), "mixed", room=1)] if spare > len(sources) else []
    stop = Stop(full[0].task, kind="mixed")
    another = Start(21, over.addresses, "mixed")
    return Scenario(
        "mixed tasks of a room",
        [*sources, *full, over, full[0], *elsewhere, stop, another, *mixed[amount + 1 :]],
    )
