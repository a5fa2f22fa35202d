"""Push-status callbacks (`contract.md` section 7): what is told, and when it is told again.

Nothing is sent here: `delivery` does that, and keeps its record in a `Notification`.
"""

import json
from typing import Any, Final, Literal, NamedTuple

from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import NAME_FIELDS
from fakerelay.core.profile import CallbackPolicy

State = Literal["pending", "delivered", "failed", "dropped"]
PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
DROPPED: Final = "dropped"
CONTENT_TYPE: Final = "application/json"


class Attempt(NamedTuple):
    """One post: begun `at` (the world's time), answered with `status` or ended by `error`.

    `answer` is the beginning of the receiver's answer. `body` and `content_type` are None where
    they were the usual ones. `cause` says why it was made, or made so, where that is not the
    ordinary course of things, and `plan` is the fault plan behind it.
    """

    at: float
    status: int | None
    error: str | None
    duration_seconds: float
    answer: str | None = None
    url: str = ""
    body: str | None = None
    content_type: str | None = None
    cause: str | None = None
    plan: str | None = None


def build_body(event: PushStatusChanged, msgid: str, at: float, policy: CallbackPolicy) -> bytes:
    """The JSON that tells of one status change which happened `at`."""
    message = {
        "msgid": msgid,
        "product": policy.product,
        "msgtype": policy.msgtype,
        "notifytime": _to_milliseconds(at),
        "context": _build_context(event, policy.msgname),
    }
    return json.dumps(message, separators=(",", ":")).encode()


def next_attempt_at(policy: CallbackPolicy, attempts_made: int, failed_at: float) -> float | None:
    """When to try again after the latest of `attempts_made` failed; None: it is given up."""
    delays = policy.retry_delays_seconds
    if attempts_made > len(delays):
        return None
    return failed_at + delays[attempts_made - 1]


def _build_context(event: PushStatusChanged, msgname: str) -> dict[str, Any]:
    appid, streamtype, name = event.key
    context = {
        "msgname": msgname,
        "appid": appid,
        "roomid": event.room_id,
        "streamtype": streamtype,
        NAME_FIELDS[streamtype]: name,
        "rtmpurl": event.address.spelled,
        "status": event.status,
        "starttime": _to_milliseconds(event.started_at),
    }
    if event.trace_id is not None:
        context["traceId"] = event.trace_id
    return context


def _to_milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
