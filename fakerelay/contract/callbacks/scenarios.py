"""Scenarios that are played for what is told of them, and addresses that get no good answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fakerelay.contract.callbacks.arrivals import Answer, Terms
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.operations import Kind, Move, Start, Stop

ONCE: Final = 90
"""An address whose first notification is refused once."""
NEVER: Final = 91
"""One that takes none, as often as it may be tried."""
LATE: Final = 92
"""One that is answered too late at first."""

MOST_SECONDS: Final = 90.0
"""What takes longer than that to be told is not waited for."""
_REFUSALS: Final = (500, 404, 302, 400, 503, None)
_KINDS: Final[tuple[Kind, ...]] = ("source", "mixed")


def list_troubles(terms: Terms) -> Mapping[int, Sequence[Answer]]:
    """What is answered to the first notifications of an address, by symbol."""
    delays = terms.retry_delays_seconds
    troubles: dict[int, Sequence[Answer]] = {}
    if sum(delays[:1]) <= MOST_SECONDS / 3:
        troubles[ONCE] = [Answer(500)]
    if terms.timeout_seconds + sum(delays[:1]) <= MOST_SECONDS / 3:
        troubles[LATE] = [Answer(200, is_late=True)]
    if sum(delays) <= MOST_SECONDS / 2:
        most = len(delays) + 1
        troubles[NEVER] = [Answer(_REFUSALS[each % len(_REFUSALS)]) for each in range(most)]
    return troubles


def list_callback_scenarios() -> Iterator[Scenario]:
    """Played first: what is told again takes its time."""
    yield Scenario("callbacks: none is taken", [Start(0, (NEVER,)), Stop(0)])
    yield Scenario("callbacks: the first is refused", [Start(0, (ONCE, 0)), Stop(0)])
    late: list[Move] = [Start(0, (0, LATE), "mixed"), Stop(0, kind="mixed")]
    yield Scenario("callbacks: the first is answered too late", late)
    for kind in _KINDS:
        start, stop = Start(0, (0, 1), kind), Stop(0, kind=kind)
        capitals = Start(0, (0, 1), kind, style="host in capitals")
        yield Scenario(f"callbacks: {kind}, spelled anew", [start, capitals, stop])
        moved: list[Move] = [start, Start(0, (1, 2), kind), Start(0, (2, 0), kind), stop]
        yield Scenario(f"callbacks: {kind}, addresses come and go", moved)
        yield Scenario(f"callbacks: {kind}, again", [start, stop, start, stop])
