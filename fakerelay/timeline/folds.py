"""Runs of events that are alike, told once."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from fakerelay.timeline.entries import DULL, Entry

_LONGEST: Final = 4


class Fold(NamedTuple):
    """Events that came `times` times, one after the other; the last of them at `until`."""

    entries: Sequence[Entry]
    times: int
    until: float

    @property
    def is_dull(self) -> bool:
        return all(entry.kind in DULL for entry in self.entries)

    @property
    def size(self) -> int:
        return len(self.entries) * self.times


def fold(entries: Sequence[Entry]) -> list[Fold]:
    """All events in order, with what repeats itself, up to four events at a time, folded."""
    folds, start = [], 0
    while start < len(entries):
        length, times = max(
            ((length, _count_rounds(entries, start, length)) for length in range(1, _LONGEST + 1)),
            key=lambda found: ((found[1] - 1) * found[0], -found[0]),
        )
        end = start + length * times
        folds.append(Fold(entries[start : start + length], times, entries[end - 1].at))
        start = end
    return folds


def _count_rounds(entries: Sequence[Entry], start: int, length: int) -> int:
    """How often the next so many events come in a row: once at least."""
    pattern = [entry.likeness for entry in entries[start : start + length]]
    times = 1
    while True:
        begin = start + times * length
        if [entry.likeness for entry in entries[begin : begin + length]] != pattern:
            return times
        times += 1
