"""The error catalogue: why the vendor would refuse. A problem is a value, never raised.

Codes and texts are the profile's; here stands which rule each names, and what explains it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fakerelay.core.model import KIND_NAMES, NAME_FIELDS, PushAddress, TaskKey

NO_RULE: Final = ""


class Problem(NamedTuple):
    """A refusal: its `name` in the catalogue, its `rule` in the rulebook, what fills its message.

    `explanation` is for the journal only, never for the vendor's reply: the offending `value`,
    what was `expected`, and the like.
    """

    name: str
    rule: str
    facts: Mapping[str, str] = {}
    explanation: Mapping[str, Any] = {}


class RuleWarning(NamedTuple):
    """Something accepted that deserves a look; for the journal only.

    `rule` is NO_RULE where it is about something of our own, not of the vendor's.
    """

    rule: str
    detail: str
    field: str | None = None


FACTS: Final[Mapping[str, frozenset[str]]] = {
    "unknown_path": frozenset(("path",)),
    "method_not_allowed": frozenset(("method",)),
    "body_too_large": frozenset(("limit",)),
    "token_missing": frozenset(),
    "token_malformed": frozenset(("reason",)),
    "token_invalid": frozenset(),
    "app_forbidden": frozenset(("appid",)),
    "rate_limited": frozenset(("appid", "limit")),
    "unsupported_content_type": frozenset(("value",)),
    "malformed_json": frozenset(("reason",)),
    "invalid_parameter": frozenset(("field", "reason")),
    "appid_mismatch": frozenset(("appid", "path_appid")),
    "duplicate_address": frozenset(("address",)),
    "room_not_live": frozenset(("roomid",)),
    "room_mismatch": frozenset(("roomid",)),
    "address_in_use": frozenset(("address",)),
    "quota_exceeded": frozenset(("appid", "limit")),
    "room_quota_exceeded": frozenset(("limit", "roomid")),
    "task_not_found": frozenset(("kind", "name")),
    "address_not_in_task": frozenset(("address",)),
    "internal_error": frozenset(),
}
"""{name: what a profile's message for it may name in braces}: the whole catalogue."""


def unknown_path(path: str) -> Problem:
    return Problem(
        "unknown_path",
        "unknown-path",
        {"path": path},
        {"value": path, "expected": "/app/{appid}/v2/rtmpforward/startrtmp or .../stoprtmp"},
    )


def method_not_allowed(method: str) -> Problem:
    return Problem(
        "method_not_allowed",
        "method-post",
        {"method": method},
        {"value": method, "expected": "POST"},
    )


def body_too_large(limit_bytes: int) -> Problem:
    return Problem(
        "body_too_large",
        "body-size",
        {"limit": str(limit_bytes)},
        {"expected": f"at most {limit_bytes} bytes"},
    )


def token_missing() -> Problem:
    return Problem(
        "token_missing",
        "token-required",
        explanation={"expected": "token: Basic <base64 of certificateId:certificateKey>"},
    )


def token_malformed(rule: str, expected: str) -> Problem:
    return Problem("token_malformed", rule, {"reason": expected}, {"expected": expected})


def token_invalid(rule: str, why: str) -> Problem:
    return Problem("token_invalid", rule, explanation={"why": why})


def app_forbidden(appid: int, why: str) -> Problem:
    return Problem(
        "app_forbidden",
        "certificate-opens-app",
        {"appid": str(appid)},
        {"value": appid, "why": why},
    )


def rate_limited(appid: int, limit: int, retry_at: float) -> Problem:
    return Problem(
        "rate_limited",
        "rate-limit",
        {"appid": str(appid), "limit": str(limit)},
        {"expected": f"at most {limit} calls a second", "retry_at": retry_at},
    )


def unsupported_content_type(value: str | None) -> Problem:
    return Problem(
        "unsupported_content_type",
        "content-type",
        {"value": value or ""},
        {"value": value, "expected": "application/json;charset=utf-8"},
    )


def malformed_json(rule: str, reason: str) -> Problem:
    return Problem("malformed_json", rule, {"reason": reason}, {"why": reason})


def invalid_parameter(
    rule: str, field: str, reason: str, value: Any = None, expected: str | None = None
) -> Problem:
    explanation = {"field": field, "value": value, "expected": expected or reason}
    return Problem("invalid_parameter", rule, {"field": field, "reason": reason}, explanation)


def appid_mismatch(body_appid: int, path_appid: int) -> Problem:
    return Problem(
        "appid_mismatch",
        "appid-matches-path",
        {"appid": str(body_appid), "path_appid": str(path_appid)},
        {"field": "appid", "value": body_appid, "expected": str(path_appid)},
    )


def duplicate_address(first: PushAddress, second: PushAddress) -> Problem:
    return Problem(
        "duplicate_address",
        "address-once",
        {"address": second.spelled},
        {
            "field": "rtmpurl",
            "value": second.spelled,
            "same_as": first.spelled,
            "expected": "each address once",
        },
    )


def room_not_live(room_id: str) -> Problem:
    return Problem(
        "room_not_live",
        "room-live",
        {"roomid": room_id},
        {"field": "roomid", "value": room_id, "expected": "a room declared live for the app"},
    )


def room_mismatch(rule: str, wanted: str, actual: str) -> Problem:
    return Problem(
        "room_mismatch",
        rule,
        {"roomid": wanted},
        {"field": "roomid", "value": wanted, "expected": actual},
    )


def address_in_use(address: PushAddress, holder: Mapping[str, Any]) -> Problem:
    return Problem(
        "address_in_use",
        "address-unique",
        {"address": address.spelled},
        {
            "field": "rtmpurl",
            "value": address.spelled,
            "holder": holder,
            "expected": "an address no other task holds",
        },
    )


def quota_exceeded(appid: int, limit: int, running: int) -> Problem:
    return Problem(
        "quota_exceeded",
        "concurrent-pushes",
        {"limit": str(limit), "appid": str(appid)},
        {"value": running, "expected": f"fewer than {limit} running tasks of the app"},
    )


def room_quota_exceeded(room_id: str, limit: int) -> Problem:
    return Problem(
        "room_quota_exceeded",
        "mixed-tasks-per-room",
        {"limit": str(limit), "roomid": room_id},
        {"field": "roomid", "value": room_id, "expected": f"fewer than {limit} mixed tasks in it"},
    )


def task_not_found(key: TaskKey) -> Problem:
    kind = KIND_NAMES[key[1]]
    return Problem(
        "task_not_found",
        "stop-running-task",
        {"kind": kind, "name": key[2]},
        {"field": NAME_FIELDS[key[1]], "value": key[2], "expected": f"a running {kind} task"},
    )


def address_not_in_task(address: str, held: Sequence[str]) -> Problem:
    return Problem(
        "address_not_in_task",
        "stop-own-addresses",
        {"address": address},
        {"field": "rtmpurl", "value": address, "expected": list(held)},
    )


def asked_for(name: str, facts: Mapping[str, str], why: str) -> Problem:
    """Any problem of the catalogue, which no rule but its user wanted."""
    return Problem(name, NO_RULE, facts, {"why": why})
