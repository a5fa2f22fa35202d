"""Push-status callbacks (`contract.md` section 7): what is told, and when it is told again.

Nothing is sent here: `delivery` does that, and keeps its record in a `Notification`.
"""

import json
from typing import Any, Final, Literal, NamedTuple

from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import MIXED, NAME_FIELDS, SOURCE
from fakerelay.core.profile import CallbackPolicy

State = Literal["pending", "delivered", "failed"]
PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"


class Attempt(NamedTuple):
    """One post: begun `at` (the world's time), answered with `status` or ended by `error`."""

    at: float
    status: int | None
    error: str | None
    duration_seconds: float


class Batch:
    """What the notifications of one commit share: where to, since when, how, may they go yet."""

    __slots__ = ("at", "is_open", "policy", "url")

    def __init__(self, url: str, at: float, policy: CallbackPolicy) -> None:
        self.url = url
        self.at = at
        self.policy = policy
        self.is_open = False


class Notification:
    """One status change on its way to the customer; `number` counts them in order of commit.

    `reason` says why a failed one was given up; `next_attempt_at` is set while it waits for one.
    `follower` is the next on its lane, and waits until this one is done; the first is the head.
    """

    __slots__ = (
        "attempts",
        "batch",
        "event",
        "follower",
        "is_head",
        "msgid",
        "next_attempt_at",
        "number",
        "reason",
        "state",
    )

    def __init__(self, number: int, msgid: str, event: PushStatusChanged, batch: Batch) -> None:
        self.number = number
        self.msgid = msgid
        self.event = event
        self.batch = batch
        self.state: State = PENDING
        self.attempts: tuple[Attempt, ...] = ()
        self.reason: str | None = None
        self.next_attempt_at: float | None = None
        self.is_head = False
        self.follower: Notification | None = None

    def __repr__(self) -> str:
        return f"Notification({self.msgid!r}, {self.state}, {len(self.attempts)} attempts)"

    def body(self) -> bytes:
        """The posted body: the same for each attempt, so it is made when somebody wants it."""
        return build_body(self.event, self.msgid, self.batch.at, self.batch.policy)

    # What a list of notifications can be filtered by, under the vendor's names.

    @property
    def appid(self) -> int:
        return self.event.key[0]

    @property
    def taskid(self) -> str | None:
        return self.event.key[2] if self.event.key[1] == MIXED else None

    @property
    def uid(self) -> str | None:
        return self.event.key[2] if self.event.key[1] == SOURCE else None

    @property
    def roomid(self) -> str:
        return self.event.room_id

    @property
    def rtmpurl(self) -> str:
        return self.event.address.spelled

    @property
    def traceid(self) -> str | None:
        return self.event.trace_id


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
