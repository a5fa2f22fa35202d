"""How one server behaves: the numbers and codes of its profile, and the switches that are on.

Nothing of the server's own code is shared with fakerelay: it is written from the contract alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

CODES: Final[Mapping[str, int]] = {
    "malformed_json": 40001,
    "invalid_parameter": 40002,
    "unsupported_content_type": 40003,
    "appid_mismatch": 40004,
    "duplicate_address": 40005,
    "token_missing": 40101,
    "token_malformed": 40102,
    "token_invalid": 40103,
    "app_forbidden": 40301,
    "task_not_found": 40401,
    "address_not_in_task": 40402,
    "unknown_path": 40403,
    "method_not_allowed": 40501,
    "address_in_use": 40901,
    "room_mismatch": 40902,
    "body_too_large": 41301,
    "quota_exceeded": 42901,
    "room_quota_exceeded": 42902,
}
STATUSES: Final[Mapping[str, int]] = {
    "unknown_path": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
}


class Refused(Exception):
    """The service says no: the problem's name of section 6, and what it is about."""

    def __init__(self, problem: str, about: str = "") -> None:
        super().__init__(problem, about)
        self.problem = problem
        self.about = about


@dataclass(frozen=True)
class Conduct:
    """Reads the partial `profile`, of the form of `schemas/profile.json`, layered by `merge`."""

    switches: frozenset[str]
    profile: Mapping[str, Any]

    def has(self, *names: str) -> bool:
        """Whether any of these switches is on."""
        return not self.switches.isdisjoint(names)

    def number(self, key: str, default: int) -> int:
        return int(self.profile.get(key, default))

    def code(self, problem: str) -> int:
        return int(self._error(problem).get("code", CODES[problem]))

    def status(self, problem: str) -> int:
        return int(self._error(problem).get("http_status", STATUSES.get(problem, 200)))

    def _error(self, problem: str) -> Mapping[str, Any]:
        error: Mapping[str, Any] = self.profile.get("errors", {}).get(problem, {})
        return error

    @property
    def retry_delays_seconds(self) -> tuple[float, ...]:
        return tuple(self.profile.get("callback", {}).get("retry_delays_seconds", (1, 2, 4, 8, 16)))


def merge(patches: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Later patches over earlier ones: objects merge, all else replaces."""
    merged: dict[str, Any] = {}
    for patch in patches:
        for key, value in patch.items():
            inner = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = merge((merged[key], value)) if inner else value
    return merged
