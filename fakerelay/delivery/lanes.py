"""Whose turn it is among the notifications of one app.

A lane is one of its addresses: its notifications in order. The first has its turn; once it is
done, the next. A fault may have it let others go first.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fakerelay.delivery.notifications import Fate, Fault, Notification
from fakerelay.ports import Clock, Timer

_REORDER_SECONDS: Final = 60.0


class Lanes:
    """Brings what has its turn to `ready`, at once or by a timer: `pump` is told of the latter.

    `waiting` lets others go first.
    """

    __slots__ = ("_clock", "_pump", "by_address", "ready", "timers", "waiting")

    def __init__(self, clock: Clock, pump: Callable[[], None]) -> None:
        self._clock = clock
        self._pump = pump
        self.by_address: dict[str, list[Notification]] = {}
        self.ready: deque[Notification] = deque()
        self.timers: dict[int, Timer] = {}
        self.waiting: dict[int, Notification] = {}

    def clear(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        for left in (self.by_address, self.ready, self.timers, self.waiting):
            left.clear()

    def join(self, notification: Notification) -> None:
        """Make it the last of its lane."""
        key = notification.event.address.key
        lane = self.by_address.get(key)
        if lane is None:
            notification.is_head = True
            self.by_address[key] = [notification]
            return
        lane.append(notification)
        if len(lane) == 2 and self._is_to_be_overtaken(lane[0]):
            self._stop_waiting(lane[0])
            self._swap(lane)

    def leave(self, notification: Notification) -> None:
        key = notification.event.address.key
        lane = self.by_address.get(key)
        if lane is None or notification not in lane:
            return
        lane.remove(notification)
        if not lane:
            del self.by_address[key]
            return
        first = lane[0]
        if not first.is_head:
            first.is_head = True
            if first.may_go:
                self.give_turn(first)

    def move_to_front(self, chosen: Sequence[Notification]) -> None:
        """Before all others of their lanes, in the order given."""
        numbers = {each.number for each in chosen}
        by_lane: dict[str, list[Notification]] = {}
        for notification in chosen:
            by_lane.setdefault(notification.event.address.key, []).append(notification)
        for key, wanted in by_lane.items():
            lane = self.by_address.get(key, [])
            on_it = {each.number for each in lane}  # what is stale is on none
            first = [each for each in wanted if each.number in on_it]
            lane[:] = first + [each for each in lane if each.number not in numbers]

    # Turns.

    def give_turn(self, notification: Notification) -> None:
        """It is the first of its lane and need not wait for a reply."""
        fate = notification.fate
        fault = notification.fault("reorder")
        if fate is not None and fault is not None and not fate.is_spent:
            self._let_others_go_first(notification, fate, fault)
        else:
            self.wait_or_go(notification)

    def wait_or_go(self, notification: Notification) -> None:
        due_at = notification.next_attempt_at
        if due_at is not None and due_at > self._clock.now():
            self.wait_until(notification, due_at, "retry" if notification.tries else "callback")
            return
        notification.next_attempt_at = None
        self.wait_no_more(notification)
        self.ready.append(notification)

    def wait_until(self, notification: Notification, due_at: float, what: str) -> None:
        notification.next_attempt_at = due_at
        wake, what = partial(self._wake, notification), f"{what} of {notification.msgid}"
        self.timers[notification.number] = self._clock.call_at(due_at, wake, what)

    def _wake(self, notification: Notification) -> None:
        del self.timers[notification.number]
        self.wait_no_more(notification)
        notification.next_attempt_at = None
        self.ready.append(notification)
        self._pump()

    def cancel_timer(self, notification: Notification) -> None:
        if (timer := self.timers.pop(notification.number, None)) is not None:
            timer.cancel()

    # Others go first.

    def end_wait(self, notification: Notification) -> None:
        """Let it go, whoever was to go first."""
        self._stop_waiting(notification)
        self.ready.append(notification)

    def wait_no_more(self, notification: Notification) -> None:
        if self.waiting.pop(notification.number, None) is not None:
            notification.make_fate().waits_for = 0

    def count_down(self, done: Notification) -> None:
        """One more has been delivered: those it was to overtake may go once there were enough."""
        for notification in list(self.waiting.values()):
            if done.number <= notification.number or self._is_to_be_overtaken(notification):
                continue
            fate = notification.make_fate()
            fate.waits_for -= 1
            if fate.waits_for == 0:
                self.end_wait(notification)

    def _let_others_go_first(self, notification: Notification, fate: Fate, fault: Fault) -> None:
        fate.is_spent = True
        is_across = fault.settings.get("scope") == "app"
        lane = self.by_address[notification.event.address.key]
        if not is_across and lane[0] is notification and len(lane) > 1 and not lane[1].is_head:
            self._swap(lane)
            return
        fate.waits_for = fault.settings.get("after", 1) if is_across else 1
        self.waiting[notification.number] = notification
        begins_at = max(notification.next_attempt_at or 0.0, self._clock.now())
        bound = fault.settings.get("within_seconds", _REORDER_SECONDS)
        self.wait_until(notification, begins_at + bound, "callback")

    def _is_to_be_overtaken(self, notification: Notification) -> bool:
        if notification.number not in self.waiting:
            return False
        fault = notification.fault("reorder")
        return fault is not None and fault.settings.get("scope") != "app"

    def _swap(self, lane: list[Notification]) -> None:
        """Let the second of a lane go first, straight away: it is part of the same reordering."""
        last, first = lane[0], lane[1]
        lane[0], lane[1] = first, last
        last.is_head, first.is_head = False, True
        if first.fault("reorder") is not None:
            first.make_fate().is_spent = True
        if first.may_go:
            self.give_turn(first)

    def _stop_waiting(self, notification: Notification) -> None:
        self.wait_no_more(notification)
        self.cancel_timer(notification)
        notification.next_attempt_at = None
