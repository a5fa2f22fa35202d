"""What is due when: in order of time, then of making."""

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush, nsmallest
from typing import Final

_FEW_CANCELLED: Final = 64


class Timers:
    """One heap; `made` is the number of the last one, which counts up."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._cancelled = 0
        self.made = 0

    @property
    def count(self) -> int:
        """How many are still to come."""
        return len(self._heap) - self._cancelled

    def add(self, due_at: float, callback: Callable[[], None], what: str) -> "Timer":
        self.made += 1
        timer = Timer(due_at, self.made, callback, what, self)
        heappush(self._heap, timer)
        return timer

    def find_first(self) -> "Timer | None":
        heap = self._heap
        while heap and heap[0].callback is None:
            heappop(heap)
            self._cancelled -= 1
        return heap[0] if heap else None

    def take_first(self) -> "Timer":
        """Raises IndexError where there is none."""
        return heappop(self._heap)

    def list_first(self, most: int) -> "list[Timer]":
        return nsmallest(most, (timer for timer in self._heap if timer.callback is not None))

    def forget(self) -> None:
        """Count a timer that was cancelled; when most are, they have to make room."""
        self._cancelled += 1
        if self._cancelled > _FEW_CANCELLED and self._cancelled * 2 > len(self._heap):
            self._heap = [timer for timer in self._heap if timer.callback is not None]
            heapify(self._heap)
            self._cancelled = 0


class Timer:
    __slots__ = ("callback", "due_at", "number", "timers", "what")

    def __init__(
        self,
        due_at: float,
        number: int,
        callback: Callable[[], None],
        what: str,
        timers: Timers,
    ) -> None:
        self.due_at = due_at
        self.number = number
        self.callback: Callable[[], None] | None = callback
        self.what = what
        self.timers = timers

    def __lt__(self, other: "Timer") -> bool:
        return (self.due_at, self.number) < (other.due_at, other.number)

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self.timers.forget()

    def fire(self) -> None:
        """One that fails is a bug, and keeps no other from its turn."""
        callback, self.callback = self.callback, None
        if callback is None:
            return
        try:
            callback()
        except Exception as error:
            context = {"message": f"A timer failed: {self.what}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
