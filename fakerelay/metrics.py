"""What is counted call by call for `metrics`: cheap, and bounded whatever is called."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
"""Upper bounds of durations, in seconds."""

NONE: Final = "none"
OTHER: Final = "other"
_MOST_ROWS: Final = 200
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
        self._rows: dict[tuple[str | None, object], list[float]] = {}

    def count(self, operation: str | None, code: int | None, duration_seconds: float) -> None:
        row = self._rows.get((operation, code)) or self._make_row(operation, code)
        row[bisect_left(BUCKETS, duration_seconds)] += 1
        row[_SUM] += duration_seconds

    def __iter__(self) -> Iterator[CallCount]:
        for (operation, code), row in self._rows.items():
            counts = tuple(map(int, row[:_SUM]))
            yield CallCount(
                operation or NONE, NONE if code is None else str(code), counts, row[_SUM]
            )

    def _make_row(self, operation: str | None, code: object) -> list[float]:
        """A profile may have any codes, one after the other: past a bound they are counted as one.

        There are few operations, so that even those rows are few.
        """
        key = (operation, code if len(self._rows) < _MOST_ROWS else OTHER)
        return self._rows.setdefault(key, [0] * (_SUM + 1))
