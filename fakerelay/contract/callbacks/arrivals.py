"""What came to the receiver, and what it was answered."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """An HTTP status, or None: the connection is closed without one. `is_late` has no patience."""

    status: int | None = 200
    is_late: bool = False

    @property
    def is_success(self) -> bool:
        return self.status is not None and self.status // 100 == 2 and not self.is_late


class Arrival(NamedTuple):
    """One request. `at` is in seconds of the monotonic clock; names of headers are small."""

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    answer: Answer

    @property
    def content(self) -> Any:
        """The JSON in it; None where there is none."""
        return read_json(self.body)


class Terms(NamedTuple):
    """What the profile's `callback` says; `epoch` is when the monotonic clock began, since 1970."""

    product: int = 2
    msgtype: int = 1
    msgname: str = "rtmptask_status"
    delay_seconds: float = 0.0
    timeout_seconds: float = 5.0
    retry_delays_seconds: tuple[float, ...] = (1, 2, 4, 8, 16)
    epoch: float = 0.0

    @classmethod
    def from_profile(cls, callback: Mapping[str, Any]) -> "Terms":
        known = {name: callback[name] for name in cls._fields if name in callback}
        return cls(**{**known, "retry_delays_seconds": tuple(callback["retry_delays_seconds"])})


def read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def read_text(content: Any, field: str) -> str | None:
    """A field of the `context`, if it is there and a text."""
    context = content.get("context") if isinstance(content, dict) else None
    value = context.get(field) if isinstance(context, dict) else None
    return value if isinstance(value, str) else None
