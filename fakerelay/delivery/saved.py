"""Pending notifications as plain data, and back: all that a timer hangs on is in there."""

from dataclasses import asdict
from typing import Any, Final

from fakerelay.core.callbacks import PENDING, Attempt
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import PushAddress
from fakerelay.core.profile import CallbackPolicy
from fakerelay.delivery.notifications import Batch, Fate, Fault, Notification
from fakerelay.delivery.outboxes import Outbox

_ALIKE: Final = ("number", "msgid", "state", "reason", "tries", "next_attempt_at", "is_head")
_FATE: Final = (
    "is_spent", "is_released", "is_replayed", "goes_after", "copies_left", "waits_for",
)  # fmt: skip


def save_notification(notification: Notification) -> dict[str, Any]:
    """Durations of its attempts are left out: they are real time, and no two runs share them."""
    event, batch = notification.event, notification.batch
    return {
        **{name: getattr(notification, name) for name in _ALIKE},
        "key": list(event.key),
        "roomid": event.room_id,
        "rtmpurl": event.address.spelled,
        "address_key": event.address.key,
        "status": event.status,
        "started_at": event.started_at,
        "traceid": event.trace_id,
        "url": batch.url,
        "at": batch.at,
        "policy": {
            **asdict(batch.policy),
            "retry_delays_seconds": list(batch.policy.retry_delays_seconds),
        },
        "attempts": [_save_attempt(attempt) for attempt in notification.attempts],
        "fate": None if notification.fate is None else _save_fate(notification.fate),
    }


def restore_notification(saved: dict[str, Any]) -> Notification:
    """Its call has long been answered; what was in flight is posted once more."""
    appid, streamtype, name = saved["key"]
    event = PushStatusChanged(
        (appid, streamtype, name),
        saved["roomid"],
        PushAddress(saved["rtmpurl"], saved["address_key"]),
        saved["status"],
        saved["started_at"],
        saved["traceid"],
    )
    delays = tuple(saved["policy"]["retry_delays_seconds"])
    policy = CallbackPolicy(**{**saved["policy"], "retry_delays_seconds": delays})
    batch = Batch(saved["url"], saved["at"], policy, is_open=True)
    notification = Notification(saved["number"], saved["msgid"], event, batch)
    for field in _ALIKE:
        setattr(notification, field, saved[field])
    notification.attempts = tuple(
        Attempt(**{**attempt, "duration_seconds": 0.0}) for attempt in saved["attempts"]
    )
    if saved["fate"] is not None:
        notification.fate = _restore_fate(saved["fate"])
    return notification


def in_order(outbox: Outbox) -> list[Notification]:
    """All that is pending, each lane in its order."""
    laned = [each for lane in outbox.lanes.by_address.values() for each in lane]
    numbers = {each.number for each in laned}
    return laned + [each for each in outbox.pending.values() if each.number not in numbers]


def put_back(outbox: Outbox, notification: Notification) -> None:
    """Into its place: those of a lane come in their order."""
    fate, lanes = notification.fate, outbox.lanes
    outbox.pending[notification.number] = notification
    if notification.state == PENDING and not notification.is_stale:
        lanes.by_address.setdefault(notification.event.address.key, []).append(notification)
    if fate is not None and fate.waits_for:
        lanes.waiting[notification.number] = notification
    if fate is not None and fate.goes_after is not None:
        outbox.releases.successors[fate.goes_after] = notification


def resume(outbox: Outbox) -> None:
    """Go on with all that has been put back."""
    lanes = outbox.lanes
    for notification in [each for each in outbox.pending.values() if each.is_head]:
        if notification.tries or notification.number in lanes.waiting:
            lanes.wait_or_go(notification)
        else:  # it waited for nothing but its reply, and has yet to meet its fault
            lanes.give_turn(notification)
    outbox.pump()


def _save_attempt(attempt: Attempt) -> dict[str, Any]:
    saved = attempt._asdict()
    del saved["duration_seconds"]
    return saved


def _save_fate(fate: Fate) -> dict[str, Any]:
    fault = fate.fault
    shown = None if fault is None else {**fault._asdict(), "settings": dict(fault.settings)}
    return {"fault": shown, **{name: getattr(fate, name) for name in _FATE}}


def _restore_fate(saved: dict[str, Any]) -> Fate:
    fate = Fate(None if saved["fault"] is None else Fault(**saved["fault"]))
    for name in _FATE:
        setattr(fate, name, saved[name])
    return fate
