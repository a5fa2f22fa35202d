"""What is assumed of the vendor and may be replaced: switches, numbers, codes.

The values come from `schemas/profiles/`, validated; nothing here has a default of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """How a problem is told: HTTP status, `code`, and the `message` with `{facts}` in braces."""

    http_status: int
    code: int
    message: str

    def render(self, facts: Mapping[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: facts.get(match[1], match[0]), self.message)


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """How notifications are numbered and sent; delays and the timeout in seconds."""

    product: int
    msgtype: int
    msgname: str
    delay_seconds: float
    timeout_seconds: float
    retry_delays_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PushPolicy:
    """What the service does by itself about pushes that fail; 0 is nothing."""

    retry_seconds: float
    stop_after_failures: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One consistent set of assumptions; `hash` tells two sets apart."""

    name: str
    version: int
    hash: str
    address_scope: Literal["service", "app"]
    concurrent_pushes: int
    mixed_tasks_per_room: int
    rate_limit_per_second: int
    release_seconds: float
    requires_live_room: bool
    taskid_style: Literal["sdk", "alphanumeric20"]
    legacy_paths: bool
    errors: Mapping[str, ErrorReply]
    callback: CallbackPolicy
    push: PushPolicy

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, digest: str) -> "Profile":
        """Build one from complete data that `schemas/profile.json` has found valid."""
        callback = dict(data["callback"])
        callback["retry_delays_seconds"] = tuple(callback["retry_delays_seconds"])
        parts = {
            "hash": digest,
            "errors": {name: ErrorReply(**reply) for name, reply in data["errors"].items()},
            "callback": CallbackPolicy(**callback),
            "push": PushPolicy(**data["push"]),
        }
        return cls(**{**data, **parts})
