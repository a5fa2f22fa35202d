"""What is wrong with a snapshot, and where: the JSON pointer of the culprit, and the way out."""

from collections.abc import Sequence
from typing import Final

from fakerelay.errors import ControlError

# Machines' clocks are set back now and then.
_MOST_AHEAD_SECONDS: Final = 86400.0


def refuse(pointer: str, detail: str) -> ControlError:
    return ControlError("invalid_snapshot", detail, pointer=pointer)


def point(path: Sequence[str | int]) -> str:
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "".join(f"/{step}" for step in steps)


def read_past(at: float, now: float, pointer: str) -> float:
    """A time that is over by the world's `now`."""
    if at > now + _MOST_AHEAD_SECONDS:
        detail = f"{at!r} is to come: the snapshot's clock stands at {now!r}"
        raise refuse(pointer, detail)
    return float(at)
