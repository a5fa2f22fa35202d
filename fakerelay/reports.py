"""What went on in the relays of this process, for whoever tells of a test that failed."""

import sys
from collections import deque
from typing import Final, NamedTuple, Protocol
from weakref import WeakValueDictionary

_MOST_KEPT: Final = 10


class Subject(Protocol):
    """A relay, as far as one tells of it."""

    @property
    def appid(self) -> int: ...

    @property
    def is_open(self) -> bool: ...

    def report(self) -> str: ...


class Report(NamedTuple):
    appid: int
    story: str


# By identity, in order; those that were closed since are left out when it is asked.
_entered: "Final[WeakValueDictionary[int, Subject]]" = WeakValueDictionary()
_kept: Final[deque[Report]] = deque(maxlen=_MOST_KEPT)


def note_opened(relay: Subject) -> None:
    _entered[id(relay)] = relay


def keep_report(relay: Subject) -> None:
    """Tell of a relay that is about to be closed, since something goes wrong: a test, perhaps."""
    if "pytest" not in sys.modules:
        return  # nobody would ever ask
    _kept.append(make_report(relay))


def drop_kept() -> None:
    """Forget those that were kept so far: nothing had gone wrong after all."""
    _kept.clear()


def list_reports() -> list[Report]:
    """Of those that were kept, which are forgotten, and of the relays that are open."""
    kept = list(_kept)
    drop_kept()
    return kept + [make_report(relay) for relay in list(_entered.values()) if relay.is_open]


def make_report(relay: Subject) -> Report:
    """Whatever goes wrong here mustn't hide why a test has failed."""
    try:
        return Report(relay.appid, relay.report())
    except Exception as error:
        return Report(relay.appid, f"What went on in the relay can't be told: {error!r}")
