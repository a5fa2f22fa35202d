"""What is to come of a push, as plain values that a snapshot can keep."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fakerelay.core.fates import Turn
from fakerelay.core.model import TaskKey
from fakerelay.ports import Timer

Place = tuple[TaskKey, str]
"""Names a push: the task's key and the address's."""


class Due(NamedTuple):
    """A turn, and when it comes."""

    at: float
    turn: Turn


class Outlook:
    """What is to come of one push, and how often in a row it has failed."""

    __slots__ = ("dues", "failures", "retry_at", "timer")

    def __init__(self) -> None:
        self.dues: list[Due] = []
        self.failures = 0
        self.retry_at: float | None = None
        self.timer: Timer | None = None

    def next_at(self) -> float | None:
        times = [due.at for due in self.dues]
        return min(times if self.retry_at is None else [*times, self.retry_at], default=None)

    def pop_due(self, now: float) -> Turn | None:
        """The turn whose time has come; its follower takes its place."""
        due = min(self.dues, key=_by_time, default=None)
        if due is None or due.at > now:
            return None
        self.dues.remove(due)
        self.add(due.turn.next(), now)
        return due.turn

    def add(self, turn: Turn | None, now: float) -> None:
        if turn is not None:
            self.dues.append(Due(now + turn.after_seconds, turn))


def _by_time(due: Due) -> float:
    return due.at


def save_outlook(place: Place, outlook: Outlook) -> dict[str, Any]:
    (appid, streamtype, name), address_key = place
    return {
        "appid": appid,
        "streamtype": streamtype,
        "name": name,
        "address": address_key,
        "failures": outlook.failures,
        "retry_at": outlook.retry_at,
        "dues": [{"at": due.at, **due.turn._asdict()} for due in outlook.dues],
    }


def read_place(saved: Mapping[str, Any]) -> Place:
    return (saved["appid"], saved["streamtype"], saved["name"]), saved["address"]


def read_outlook(saved: Mapping[str, Any]) -> Outlook:
    outlook = Outlook()
    outlook.failures, outlook.retry_at = saved["failures"], saved["retry_at"]
    outlook.dues = list(_read_dues(saved["dues"]))
    return outlook


def _read_dues(saved: Sequence[Mapping[str, Any]]) -> Iterator[Due]:
    for each in saved:
        turn = {name: value for name, value in each.items() if name != "at"}
        yield Due(each["at"], Turn(**turn))
