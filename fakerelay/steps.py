"""Steps of time: how far one may go, and what it did."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

_MOST_FIRED: Final = 100_000


class Fired(NamedTuple):
    """Something that was done because its time had come."""

    at: float
    what: str


class Advance(NamedTuple):
    """What a step of time did, in order.

    `reached` says whether it got where it should: to its end, or to what it was to run until.
    `unfinished` counts the work that was given up on when the cap was hit.
    """

    fired: tuple[Fired, ...]
    reached: bool
    unfinished: int


class Step:
    """How far a step of time may go, and what it has done."""

    def __init__(
        self, target: float, give_up_at: float, condition: Callable[[], bool] | None
    ) -> None:
        self.target = target
        self.give_up_at = give_up_at
        self.condition = condition
        self.fired: list[Fired] = []

    def is_late(self) -> bool:
        return time.monotonic() >= self.give_up_at

    def is_full(self) -> bool:
        return len(self.fired) >= _MOST_FIRED

    def is_cut_off(self) -> bool:
        """Whether it ends where it stands. Without a condition only too much to do ends it."""
        return self.is_full() or (self.condition is not None and self.is_late())

    def is_over(self) -> bool:
        return self.is_cut_off() or (self.condition is not None and self.condition())
