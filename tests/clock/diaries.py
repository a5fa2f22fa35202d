"""What was called, and when by a clock."""

from functools import partial

from fakerelay.clock import WorldClock


class Diary:
    """Notes what was called, and when by its clock."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.entries: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.entries.append((self.clock.now(), what))

    def plan(self, due_at: float, what: str) -> None:
        self.clock.call_at(due_at, partial(self.note, what), what)
