"""Why a callback that a test waits for has not come, as far as the world can tell."""

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Final

_LOST: Final = {"failed": "given up", "dropped": "dropped"}


def explain_silence(control: Callable[..., Any]) -> Iterator[str]:
    """What keeps those that are pending, and what became of those that never come."""
    yield from _explain_pending(control("callbacks", state="pending")["items"], control("clock"))
    for state, told in _LOST.items():
        lost = control("callbacks", state=state, order="newest")["items"]
        if lost:
            why = f", the last for: {lost[0]['reason']}" if lost[0]["reason"] else ""
            yield f"{_count(lost)} {told}{why}; notifications(state={state!r}) lists them"


def _explain_pending(notifications: list[Any], clock: dict[str, Any]) -> Iterator[str]:
    held = [each for each in notifications if each["held"]]
    if held:
        yield f"{_count(held)} held: control('release_callbacks') lets them go"
    free = [each for each in notifications if not each["held"]]
    waiting = [each for each in free if each["next_attempt_at"] is not None]
    if waiting:
        soonest = min(waiting, key=itemgetter("next_attempt_at"))
        seconds = max(0.0, soonest["next_attempt_at"] - clock["now"])
        way_out = f"; time stands still: clock.advance({seconds:g})" * (clock["mode"] == "frozen")
        failed = f", after {_tell(soonest['attempts'][-1])}" if soonest["attempts"] else ""
        yield f"{_count(waiting)} to be posted, the next in {seconds:g} s{failed}{way_out}"
    going = [each for each in free if each["in_flight"]]
    if going:
        yield f"{_count(going)} being posted: not answered yet"
    behind = [each for each in free if each not in going and each not in waiting]
    if behind:
        yield f"{_count(behind)} waiting for its turn, behind an earlier one of its address"


def _tell(attempt: Mapping[str, Any]) -> str:
    """How it failed."""
    error: str | None = attempt["error"]
    return error or f"HTTP {attempt['status']}"


def _count(some: list[Any]) -> str:
    return "1 callback is" if len(some) == 1 else f"{len(some)} callbacks are"
