"""What fault plans do to a notification when it is queued, and what they add when it is done."""

from dataclasses import replace
from typing import Final

from fakerelay.core.callbacks import DROPPED
from fakerelay.core.faults import PASS
from fakerelay.delivery.notifications import STOPPED, Fate, Fault, Notification
from fakerelay.delivery.offices import Office

_PUSHING: Final = 0
_STALE_SECONDS: Final = 5.0


def is_dropped(office: Office, notification: Notification) -> bool:
    """Ask the plans, once, what it meets: whether it is never posted at all."""
    batch = notification.batch
    taken = office.plans.take("callback", notification.subject, batch.at)
    if taken is None or taken[1].fault == PASS:
        return False
    fault = Fault(taken[0].id, taken[1].fault, taken[1].settings)
    if fault.name == "drop":
        office.history.add(notification, DROPPED, f"dropped by fault plan {fault.plan!r}")
        return True
    notification.fate = Fate(fault)
    if fault.name == "delay":
        due_at = notification.next_attempt_at or batch.at
        notification.next_attempt_at = due_at + fault.settings["seconds"]
    elif fault.name == "before_reply":
        notification.next_attempt_at = None
    return False


def make_stale(office: Office, done: Notification) -> Notification | None:
    """After a stop, if that is its fault: one more that claims the push goes on.

    It belongs to no lane, so it holds up nobody.
    """
    fault = done.fault("stale_status")
    if fault is None or done.event.status != STOPPED:
        return None
    office.count += 1
    event = replace(done.event, status=_PUSHING, trace_id=None)
    stale = Notification(office.count, office.message_id(), event, done.batch)
    stale.fate = Fate(fault)
    stale.fate.is_spent = stale.is_head = True
    seconds = fault.settings.get("seconds", _STALE_SECONDS)
    stale.next_attempt_at = office.clock.now() + seconds
    return stale
