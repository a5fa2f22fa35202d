"""A world's clock in the hands of a test: what the control plane says, as methods."""

import inspect
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fakerelay.loops import find_running_loop

Condition = str | Mapping[str, Any] | Callable[[], Any]
"""`idle`, `next` or `{"callbacks": {...}}` as `advance_clock` has them, or what is to be true."""

DAY_SECONDS: Final = 86400.0
CAP_SECONDS: Final = 20.0
_BLOCKED: Final = (
    "clock.advance gave up on work that was not done: it blocked the event loop of the test, and of"
    " an app in it; use 'await clock.aadvance(...)'"
)


class Timekeeper:
    """`relay.clock`: its methods work from sync code, those that begin with `a` from coroutines.

    Those that move the clock answer what `advance_clock` does. They raise ControlError where the
    clock isn't frozen, or is being moved already.
    """

    def __init__(
        self, control: Callable[..., Any], acontrol: Callable[..., Awaitable[Any]]
    ) -> None:
        self._control = control
        self._acontrol = acontrol

    def now(self) -> float:
        """Seconds since 1970."""
        __tracebackhide__ = True
        return float(self._control("clock")["now"])

    def freeze(self, now: float | None = None) -> None:
        """Let time stand still: where it is, or at a later time."""
        __tracebackhide__ = True
        later = {} if now is None else {"now": now}
        self._control("put_clock", mode="frozen", **later)

    def unfreeze(self) -> None:
        """Let time run, with the machine's, or on from where it stands if that is ahead of it."""
        __tracebackhide__ = True
        self._control("put_clock", mode="real")

    def advance(self, seconds: float, *, cap_seconds: float = CAP_SECONDS) -> dict[str, Any]:
        """Move a frozen clock; what was due by then has been done, deliveries included."""
        __tracebackhide__ = True
        answer = self._control("advance_clock", seconds=seconds, cap_seconds=cap_seconds)
        if answer["unfinished"] and find_running_loop() is not None:
            warnings.warn(_BLOCKED, stacklevel=2)
        return _answer(answer)

    async def aadvance(self, seconds: float, *, cap_seconds: float = CAP_SECONDS) -> dict[str, Any]:
        __tracebackhide__ = True
        work = self._acontrol("advance_clock", seconds=seconds, cap_seconds=cap_seconds)
        return _answer(await work)

    def run_until(
        self,
        condition: Condition,
        *,
        limit_seconds: float = DAY_SECONDS,
        cap_seconds: float = CAP_SECONDS,
    ) -> dict[str, Any]:
        """Move a frozen clock from one due time to the next, until a condition holds.

        It is asked in the caller's own thread, while the clock stands. `reached` says whether it
        came true within the limits of the world's time and of real time.
        """
        __tracebackhide__ = True
        if not callable(condition):
            bounds = _bounds(condition, limit_seconds, cap_seconds)
            return _answer(self._control("advance_clock", **bounds))
        run = _Run(
            self._control("advance_clock", seconds=0, cap_seconds=cap_seconds),
            limit_seconds,
            cap_seconds,
        )
        while not (has_come := bool(condition())) and run.goes_on:
            run.take(self._control("advance_clock", **run.bounds()))
        return run.tell(has_come)

    async def arun_until(
        self,
        condition: Condition,
        *,
        limit_seconds: float = DAY_SECONDS,
        cap_seconds: float = CAP_SECONDS,
    ) -> dict[str, Any]:
        """The same; what the condition answers is awaited where it can be."""
        __tracebackhide__ = True
        if not callable(condition):
            bounds = _bounds(condition, limit_seconds, cap_seconds)
            return _answer(await self._acontrol("advance_clock", **bounds))
        run = _Run(await self._acontrol("advance_clock", seconds=0), limit_seconds, cap_seconds)
        while not (has_come := await _holds(condition)) and run.goes_on:
            run.take(await self._acontrol("advance_clock", **run.bounds()))
        return run.tell(has_come)


class _Run:
    """Steps towards a condition that only the caller can ask."""

    def __init__(self, answer: dict[str, Any], limit_seconds: float, cap_seconds: float) -> None:
        self._answer = answer
        self._end = answer["now"] + limit_seconds
        self._give_up_at = time.monotonic() + cap_seconds
        self._is_within = True

    @property
    def goes_on(self) -> bool:
        return self._is_within and time.monotonic() < self._give_up_at

    def bounds(self) -> dict[str, Any]:
        left = max(0.0, self._end - self._answer["now"])
        return _bounds("next", left, max(0.0, self._give_up_at - time.monotonic()))

    def take(self, answer: dict[str, Any]) -> None:
        self._is_within = answer["reached"]
        summed = {key: self._answer[key] + answer[key] for key in ("fired", "fired_count")}
        self._answer = {**answer, **summed}

    def tell(self, has_come: bool) -> dict[str, Any]:
        return {**self._answer, "reached": has_come}


def _bounds(until: str | Mapping[str, Any], seconds: float, cap_seconds: float) -> dict[str, Any]:
    return {"until": until, "seconds": seconds, "cap_seconds": cap_seconds}


def _answer(answer: Any) -> dict[str, Any]:
    return dict(answer)


async def _holds(condition: Callable[[], Any]) -> bool:
    held = condition()
    return bool(await held if inspect.isawaitable(held) else held)
