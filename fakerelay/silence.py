"""Why a callback that a test waits for has not come, as far as the world can tell."""

from collections.abc import Callable, Iterator
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
    times = [
        each["next_attempt_at"]
        for each in notifications
        if each["next_attempt_at"] is not None and not each["held"]
    ]
    if times:
        seconds = max(0.0, min(times) - clock["now"])
        way_out = f"; time stands still: clock.advance({seconds:g})" * (clock["mode"] == "frozen")
        yield f"{_count(times)} to be posted, the next in {seconds:g} s{way_out}"
    going = len(notifications) - len(held) - len(times)
    if going:
        yield f"{_count(notifications[:going])} being posted, or next in line: not answered yet"


def _count(some: list[Any]) -> str:
    return "1 callback is" if len(some) == 1 else f"{len(some)} callbacks are"
