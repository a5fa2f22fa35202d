"""What is counted call by call for `metrics`: cheap, and bounded whatever is called."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
"""Upper bounds of durations, in seconds."""

NONE: Final = "none"
OTHER: Final = "other"
_MOST_CODES: Final = 100
_SUM: Final = len(BUCKETS) + 1


class CallCount(NamedTuple):
    """The calls of one operation that were answered with one code, by how long they took.

    `counts` has one more than there are `BUCKETS`: what took longer.
    """

    operation: str
    code: str
    counts: tuple[int, ...]
    total_seconds: float


class CallCounts:
    """The calls of a world."""

    def __init__(self) -> None:
        self._rows: dict[str | None, dict[int | str | None, list[float]]] = {}

    def count(self, operation: str | None, code: int | None, duration_seconds: float) -> None:
        try:
            row = self._rows[operation][code]
        except KeyError:
            row = self._make_row(operation, code)
        row[bisect_left(BUCKETS, duration_seconds)] += 1
        row[_SUM] += duration_seconds

    def __iter__(self) -> Iterator[CallCount]:
        for operation, rows in self._rows.items():
            for code, row in rows.items():
                counts = tuple(map(int, row[:_SUM]))
                shown = NONE if code is None else str(code)
                yield CallCount(operation or NONE, shown, counts, row[_SUM])

    def _make_row(self, operation: str | None, code: int | None) -> list[float]:
        """A profile may have any codes, one after the other: past a bound they count as one."""
        rows = self._rows.setdefault(operation, {})
        return rows.setdefault(code if len(rows) < _MOST_CODES else OTHER, [0] * (_SUM + 1))
