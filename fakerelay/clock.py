"""The one time of a world: the machine's, or a frozen one that moves when it is told to."""

import asyncio
import math
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, NamedTuple

from fakerelay.errors import FakerelayError
from fakerelay.ports import Timer


class RealClock:
    """The machine's time; timers run on the event loop."""

    now = staticmethod(time.time)

    def call_at(self, due_at: float, callback: Callable[[], None]) -> Timer:
        delay = max(0.0, due_at - time.time())
        return asyncio.get_running_loop().call_later(delay, callback)

    def track(self, work: asyncio.Future[Any]) -> None:
        """Nobody waits for real time to be done."""


class Advance(NamedTuple):
    """What a step of time did; `unfinished` counts the work given up on when the cap was hit."""

    fired: int
    unfinished: int


class VirtualClock:
    """Stands still until `advance`, which returns once everything due by then has been done."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._made = 0
        self._work: set[asyncio.Future[Any]] = set()
        self._advancing = asyncio.Lock()

    def now(self) -> float:
        return self._now

    def call_at(self, due_at: float, callback: Callable[[], None]) -> Timer:
        if due_at <= self._now:
            return asyncio.get_running_loop().call_soon(callback)
        timer = _VirtualTimer(callback)
        self._made += 1
        heappush(self._timers, (due_at, self._made, timer))
        return timer

    def track(self, work: asyncio.Future[Any]) -> None:
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    async def advance(self, seconds: float, *, cap_seconds: float = 30.0) -> Advance:
        """Go forward from one due time to the next, each time until the work it began has ended.

        After `cap_seconds` of real time it waits for no work any more, and says how much was left.
        """
        if not (0 <= seconds < math.inf):
            raise FakerelayError(f"Can't advance by {seconds!r} seconds: time only goes forward")
        give_up_at = time.monotonic() + cap_seconds
        fired = 0
        async with self._advancing:
            target = self._now + seconds
            await self._settle(give_up_at)
            while self._timers and self._timers[0][0] <= target:
                fired += self._fire_next()
                await self._settle(give_up_at)
            self._now = target
            return Advance(fired, len(self._work))

    def _fire_next(self) -> int:
        """Step to the next due time and fire all that is due at it."""
        self._now = self._timers[0][0]
        fired = 0
        while self._timers and self._timers[0][0] <= self._now:
            timer = heappop(self._timers)[2]
            fired += timer.fire()
        return fired

    async def _settle(self, give_up_at: float) -> None:
        await asyncio.sleep(0)  # what was called "soon" begins its work first
        while self._work and (left := give_up_at - time.monotonic()) > 0:
            await asyncio.wait(self._work, timeout=left)


class _VirtualTimer:
    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def fire(self) -> bool:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()
        return callback is not None
