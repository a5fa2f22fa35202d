"""What is wrong with a snapshot, and where: the JSON pointer of the culprit, and the way out."""

import json
from collections.abc import Sequence
from typing import Any, Final

from fakerelay.core.plain import is_deeper
from fakerelay.errors import ControlError

# Machines' clocks are set back now and then.
_MOST_AHEAD_SECONDS: Final = 86400.0
# As deep as a call may be.
_MOST_LEVELS: Final = 200


def refuse(pointer: str, detail: str) -> ControlError:
    return ControlError("invalid_snapshot", detail, pointer=pointer, status=422)


def point(path: Sequence[str | int]) -> str:
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "".join(f"/{step}" for step in steps)


def read_past(at: float, now: float, pointer: str) -> float:
    """A time that is over by the world's `now`."""
    if at > now + _MOST_AHEAD_SECONDS:
        detail = f"{at!r} is to come: the snapshot's clock stands at {now!r}"
        raise refuse(pointer, detail)
    return float(at)


def make_plain(value: dict[str, Any], pointer: str) -> dict[str, Any]:
    """A copy, of nothing but what JSON has: no schema knows all that stands in it."""
    try:
        if is_deeper(value, _MOST_LEVELS):
            raise ValueError("nested too deeply")
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
        plain: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise refuse(pointer, f"This is no plain JSON: {error}") from None
    return plain
