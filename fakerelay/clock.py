"""The one time of a world: the machine's, or a frozen one that moves when it is told to."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, get_args

from fakerelay.errors import FakerelayError, nearest
from fakerelay.ports import ClockMode
from fakerelay.steps import Advance, Fired, Step
from fakerelay.timers import Timer, Timers

REAL: Final = "real"
FROZEN: Final = "frozen"
MODES: Final[tuple[str, ...]] = get_args(ClockMode)
CAP_SECONDS: Final = 20.0
LATEST: Final = 4102444800.0
"""2100-01-01T00:00:00Z: no clock is moved beyond, where dates stop making sense to others."""

_MOST_AT_ONCE: Final = 200

machine_time = time.time


class ClockError(FakerelayError):
    """Time can't be moved in this way; `code` says why in a word."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class WorldClock:
    """Runs as the machine's does (`real`), or stands still until `advance` (`frozen`).

    Switching loses no timer, and time never goes back: a clock that was ahead of the machine's
    runs on from where it stands. All is due in order of time, then of making. `now` is another
    function after a switch, so don't keep it: real time has to cost no more than the machine's.
    """

    def __init__(
        self,
        mode: ClockMode = REAL,
        now: float | None = None,
        *,
        machine: Callable[[], float] = machine_time,
    ) -> None:
        self._machine = machine
        self._timers = Timers()
        self.fired_count = 0
        self._work: set[asyncio.Future[Any]] = set()
        self._wakeup: asyncio.Handle | None = None
        self.is_moving = False
        self.restore(mode, machine() if now is None else now)

    mode: ClockMode
    now: Callable[[], float]
    """Seconds since 1970."""

    # What a world does with it.

    def call_at(self, due_at: float, callback: Callable[[], None], what: str = "") -> Timer:
        """Call back once `now()` has reached `due_at`; `what` says what for."""
        timer = self._timers.add(due_at, callback, what)
        if self._timers.find_first() is timer:
            self._arm()
        return timer

    def track(self, work: asyncio.Future[Any]) -> None:
        """Name a task that a step of time has to wait for before it counts as done."""
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    # How it is moved.

    def set(self, mode: ClockMode | None = None, now: float | None = None) -> None:
        """Switch the mode, set the time forward, or both; what is overdue then fires at once.

        Raises ClockError for a time that has passed, and while it is being advanced.
        """
        mode = mode or self.mode
        if mode == self.mode and now is None:
            return
        passed = max(self.now(), self._machine()) if mode == REAL else self.now()
        if now is not None and not (passed <= now <= LATEST):
            raise ClockError(
                "time_goes_forward",
                f"Can't set the clock to {now!r}: it goes only forward, from {passed!r} on and to"
                f" {LATEST!r} at most",
            )
        self.restore(mode, self.now() if now is None else now)

    def restore(self, mode: ClockMode, now: float) -> None:
        """Set mode and time, even back: for a world that begins, or begins again.

        Raises ClockError while it is being advanced.
        """
        self._refuse_moving()
        self.mode = mode
        self._now = now
        ahead = now - self._machine()
        if mode == FROZEN:
            self.now = self._frozen_now
        elif ahead > 0:
            self.now = lambda: self._machine() + ahead
        else:
            self.now = self._machine
        self._arm()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is pending: no timer, and no work under way."""
        return self._timers.find_first() is None and not self._work

    def pending(self, most: int) -> list[Fired]:
        """What is due next, in order."""
        return [Fired(timer.due_at, timer.what) for timer in self._timers.list_first(most)]

    @property
    def pending_count(self) -> int:
        return self._timers.count

    async def advance(self, seconds: float, *, cap_seconds: float = CAP_SECONDS) -> Advance:
        """Go forward from one due time to the next, each time until the work it began has ended.

        After `cap_seconds` of real time it waits for no work any more, and says how much was left.
        Raises ClockError where the clock is real, or is being advanced already.
        """
        return await self._move(seconds, cap_seconds, None)

    async def run_until(
        self,
        condition: Callable[[], bool],
        *,
        limit_seconds: float,
        cap_seconds: float = CAP_SECONDS,
    ) -> Advance:
        """Advance from one due time to the next, and no further once the condition holds.

        Ends at the limit of the world's time as well, and at the cap of real time.
        """
        return await self._move(limit_seconds, cap_seconds, condition)

    async def _move(
        self, seconds: float, cap_seconds: float, condition: Callable[[], bool] | None
    ) -> Advance:
        if not (0 <= seconds <= LATEST - self.now()):
            raise ClockError(
                "time_goes_forward",
                f"Can't advance by {seconds!r} seconds: time only goes forward, and it is"
                f" {self.now()!r} of {LATEST!r} at most",
            )
        with self._moving():
            step = Step(self._now + seconds, time.monotonic() + cap_seconds, condition)
            await self._settle(step)
            while (
                not step.is_over()
                and (head := self._timers.find_first())
                and head.due_at <= step.target
            ):
                await self._fire_due(max(self._now, head.due_at), step)
            has_come = condition is not None and condition()
            if not has_come and not step.is_cut_off():
                self._now = step.target
            reached = has_come if condition is not None else self._now == step.target
            return Advance(tuple(step.fired), reached, len(self._work) if step.is_late() else 0)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        if self.mode != FROZEN:
            raise ClockError(
                "clock_is_real", "A real clock runs by itself: freeze it before you advance it"
            )
        self._refuse_moving()
        self.is_moving = True
        try:
            yield
        finally:
            self.is_moving = False
            self._arm()

    def _refuse_moving(self) -> None:
        if self.is_moving:
            raise ClockError(
                "advance_under_way",
                "The clock is being advanced: wait until that is answered. A callback's receiver"
                " can't move the clock, since the advance waits for the receiver",
            )

    async def _fire_due(self, now: float, step: Step) -> None:
        """Step to a time and fire all that is due then, one after the other."""
        self._now = now
        while not step.is_full() and (timer := self._pop_due()):
            step.fired.append(Fired(now, timer.what))
            timer.fire()
            await self._settle(step)

    async def _settle(self, step: Step) -> None:
        await _let_others()  # what was called "soon" begins its work first
        while self._work and (left := step.give_up_at - time.monotonic()) > 0:
            await asyncio.wait(self._work, timeout=left)

    # Timers have one handle of the event loop, for what is due first.

    def _frozen_now(self) -> float:
        return self._now

    def _pop_due(self) -> Timer | None:
        head = self._timers.find_first()
        if head is None or head.due_at > self.now():
            return None
        self.fired_count += 1
        return self._timers.take_first()

    def _arm(self) -> None:
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None
        head = None if self.is_moving else self._timers.find_first()
        if head is None:
            return
        left = head.due_at - self.now()
        if left <= 0:
            self._wakeup = asyncio.get_running_loop().call_soon(self._wake)
        elif self.mode == REAL:
            self._wakeup = asyncio.get_running_loop().call_later(left, self._wake)

    def _wake(self) -> None:
        self._wakeup = None
        last = self._timers.made  # what these make has its turn later, or they could go on for ever
        for _ in range(_MOST_AT_ONCE):  # others have their turn in between
            head = self._timers.find_first()
            if head is None or head.number > last or (timer := self._pop_due()) is None:
                break
            timer.fire()
        self._arm()


class Start(NamedTuple):
    """Where the clocks of worlds begin: a frozen one at `now`; a real one with the machine's."""

    mode: ClockMode = REAL
    now: float | None = None

    def open_clock(self, mode: ClockMode | None = None, now: float | None = None) -> WorldClock:
        """A clock like this, or as it is told. Raises ClockError for what can't be."""
        mode = mode or self.mode
        if mode not in MODES:
            raise ClockError("unknown_mode", f"Unknown clock {mode!r}{nearest(mode, MODES)}")
        if mode == FROZEN:
            now = self.now if now is None else now
            if now is not None and not (0 <= now <= LATEST):
                detail = f"Can't begin at {now!r}: expected 0 to {LATEST!r} seconds since 1970"
                raise ClockError("invalid_time", detail)
            return WorldClock(FROZEN, now)
        if now is not None:
            raise ClockError(
                "clock_is_real",
                f"Can't begin at {now!r}: a real clock begins with the machine's; make it frozen",
            )
        return WorldClock()


def _end(work: asyncio.Future[None]) -> None:
    if not work.done():
        work.set_result(None)


async def _let_others() -> None:
    """Like `asyncio.sleep(0)`, but nobody who drives a coroutine by hand takes it for nothing."""
    loop = asyncio.get_running_loop()
    turn: asyncio.Future[None] = loop.create_future()
    loop.call_soon(_end, turn)
    await turn
