"""What is on its way to a customer, and how far each is."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fakerelay.core.callbacks import PENDING, Attempt, State, build_body
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import Subject
from fakerelay.core.model import MIXED, SOURCE
from fakerelay.core.profile import CallbackPolicy

STOPPED: Final = 3


class Batch:
    """What the notifications of one commit share: where to, since when, how, may they go yet."""

    __slots__ = ("at", "is_open", "policy", "url")

    def __init__(
        self, url: str, at: float, policy: CallbackPolicy, *, is_open: bool = False
    ) -> None:
        self.url = url
        self.at = at
        self.policy = policy
        self.is_open = is_open


class Fault(NamedTuple):
    """A step of a fault plan, as one notification met it."""

    plan: str
    name: str
    settings: Mapping[str, Any]


class Fate:
    """What a fault, a release or a replay has in store for a notification; most have none.

    `is_spent`: a fault that acts once has. `goes_after` is the number of the one that was released
    before it and is not done, `copies_left` how often it is posted again once it was delivered,
    `waits_for` how many others it lets go first.
    """

    __slots__ = (
        "copies_left",
        "fault",
        "goes_after",
        "is_released",
        "is_replayed",
        "is_spent",
        "waits_for",
    )

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.is_spent = False
        self.is_released = False
        self.is_replayed = False
        self.goes_after: int | None = None
        self.copies_left = 0
        self.waits_for = 0


class Notification:
    """One status change on its way to the customer; `number` counts them in order of commit.

    `reason` says why a failed one was given up; `next_attempt_at` is set while it waits for one.
    The head of a lane has its turn, the others wait. `tries` counts towards the retry schedule,
    each once it was answered: one in flight when it is saved is made again.
    """

    __slots__ = (
        "attempts",
        "batch",
        "event",
        "fate",
        "is_head",
        "msgid",
        "next_attempt_at",
        "number",
        "reason",
        "state",
        "tries",
    )

    def __init__(self, number: int, msgid: str, event: PushStatusChanged, batch: Batch) -> None:
        self.number = number
        self.msgid = msgid
        self.event = event
        self.batch = batch
        self.state: State = PENDING
        self.attempts: tuple[Attempt, ...] = ()
        self.tries = 0
        self.reason: str | None = None
        self.next_attempt_at: float | None = None
        self.is_head = False
        self.fate: Fate | None = None

    def __repr__(self) -> str:
        return f"Notification({self.msgid!r}, {self.state}, {len(self.attempts)} attempts)"

    def body(self) -> bytes:
        """The posted body: the same for each attempt, so it is made when somebody wants it."""
        return build_body(self.event, self.msgid, self.batch.at, self.batch.policy)

    def fault(self, name: str) -> Fault | None:
        """The fault of a name, if that is the one it met."""
        fault = self.fate.fault if self.fate is not None else None
        return fault if fault is not None and fault.name == name else None

    def make_fate(self) -> Fate:
        """Its fate, to be changed."""
        self.fate = self.fate or Fate()
        return self.fate

    def revive(self, url: str | None) -> None:
        """Become pending once more, for a replay; earlier attempts stay."""
        batch = self.batch
        self.batch = Batch(url or batch.url, batch.at, batch.policy, is_open=True)
        self.state, self.reason, self.tries = PENDING, None, 0
        self.next_attempt_at, self.is_head = None, False
        self.fate = Fate()
        self.fate.is_replayed = True

    @property
    def may_go(self) -> bool:
        """Whether it need not wait for the reply of the call that caused it."""
        return self.batch.is_open or self.fault("before_reply") is not None

    @property
    def is_stale(self) -> bool:
        """Whether a fault made it up: it belongs to no lane."""
        return self.fault("stale_status") is not None and self.event.status != STOPPED

    @property
    def subject(self) -> Subject:
        """What fault plans and holds are held against."""
        address = self.event.address
        return Subject(
            self.appid,
            None,
            self.roomid,
            self.taskid,
            self.uid,
            (address.spelled, address.key),
            self.event.status,
        )

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
