"""Why a callback that a test waits for has not come, as far as the world can tell."""

from collections.abc import Iterator, Mapping
from typing import Any


def explain_silence(pending: Mapping[str, Any], clock: Mapping[str, Any]) -> Iterator[str]:
    """What keeps those that are pending, of what the verbs `callbacks` and `clock` tell."""
    notifications = pending["items"]
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


def _count(some: list[Any]) -> str:
    return "1 callback is" if len(some) == 1 else f"{len(some)} callbacks are"
