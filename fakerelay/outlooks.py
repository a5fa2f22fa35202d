"""What is to come of a push, as plain values that a snapshot can keep."""

from bisect import insort
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
    """What is to come of one push, and how often in a row it has failed.

    `dues` are in order of time, then of making: there may be a thousand.
    """

    __slots__ = ("dues", "failures", "retry_at", "timer")

    def __init__(self) -> None:
        self.dues: list[Due] = []
        self.failures = 0
        self.retry_at: float | None = None
        self.timer: Timer | None = None

    def next_at(self) -> float | None:
        if not self.dues or self.retry_at is None:
            return self.dues[0].at if self.dues else self.retry_at
        return min(self.dues[0].at, self.retry_at)

    def pop_due(self, now: float) -> Turn | None:
        """The turn whose time has come; its follower takes its place."""
        if not self.dues or self.dues[0].at > now:
            return None
        turn = self.dues.pop(0).turn
        self.add(turn.next(), now)
        return turn

    def add(self, turn: Turn | None, now: float) -> None:
        if turn is not None:
            insort(self.dues, Due(now + turn.after_seconds, turn), key=_by_time)


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
    outlook.dues = sorted(_read_dues(saved["dues"]), key=_by_time)
    return outlook


def _read_dues(saved: Sequence[Mapping[str, Any]]) -> Iterator[Due]:
    for each in saved:
        turn = {name: value for name, value in each.items() if name != "at"}
        yield Due(each["at"], Turn(**turn))
