"""What one app has pending: whose turn it is, how often it is tried, and what comes of faults.

A lane is one app's address: its notifications in order. The first has its turn; once it is done,
the next. What is released in an order of its own goes to the front of its lane.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from fakerelay.core.callbacks import DELIVERED, DROPPED, FAILED, PENDING, State, next_attempt_at
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import PASS, Match, Plans
from fakerelay.delivery.history import History
from fakerelay.delivery.notifications import STOPPED, Batch, Fate, Fault, Notification
from fakerelay.delivery.posts import Poster
from fakerelay.ports import Clock, IdSource, Timer
from fakerelay.watch import Watch

_PUSHING: Final = 0
_REORDER_SECONDS: Final = 60.0
_STALE_SECONDS: Final = 5.0


class Office:
    """What the outboxes of one world share."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        poster: Poster,
        history: History,
        plans: Plans,
        *,
        max_in_flight: int,
        max_pending: int,
    ) -> None:
        self.clock = clock
        self.message_id = ids.message_id
        self.poster = poster
        self.history = history
        self.plans = plans
        self.max_in_flight = max_in_flight
        self.max_pending = max_pending
        self.refusal = "queue full"
        self.count = 0
        self.holds: list[Match] = []
        self.is_closed = False
        self.watch = Watch()

    def close(self) -> None:
        """Let nothing in or out any more."""
        self.max_pending, self.refusal, self.is_closed = 0, "shut down", True
        self.history.on_failed = None

    def holds_back(self, notification: Notification) -> bool:
        """Whether it is held, and has not been released."""
        fate = notification.fate
        if not self.holds or (fate is not None and fate.is_released):
            return False
        subject = notification.subject
        return any(match.fits(subject) for match in self.holds)


class Outbox:
    """The pending notifications of one app, and the tasks at work on what is ready.

    `parked` has its turn but is held, or is to go after another; `waiting` lets others go first.
    """

    __slots__ = (
        "_office",
        "_successors",
        "_waiting",
        "lanes",
        "parked",
        "pending",
        "ready",
        "tasks",
        "timers",
    )

    def __init__(self, office: Office) -> None:
        self._office = office
        self.pending: dict[int, Notification] = {}
        self.lanes: dict[str, list[Notification]] = {}
        self.ready: deque[Notification] = deque()
        self.parked: dict[int, Notification] = {}
        self.timers: dict[int, Timer] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, Notification] = {}
        self._successors: dict[int, Notification] = {}

    def clear(self) -> None:
        """Forget everything but the tasks, which find nothing to do any more."""
        for timer in self.timers.values():
            timer.cancel()
        for left in (self.pending, self.lanes, self.ready, self.parked, self.timers):
            left.clear()
        self._waiting.clear()
        self._successors.clear()

    # In.

    def queue(self, events: Sequence[PushStatusChanged], batch: Batch) -> list[Notification]:
        """Put each event at the end of its lane; answer those that are to be posted."""
        queued = []
        office, delay = self._office, batch.policy.delay_seconds
        has_plans = office.plans.has("callback")
        for event in events:
            office.count = number = office.count + 1
            notification = Notification(number, office.message_id(), event, batch)
            if delay:
                notification.next_attempt_at = batch.at + delay
            if len(self.pending) >= office.max_pending:
                office.history.add(notification, FAILED, office.refusal)
            elif not (has_plans and self._is_dropped(notification)):
                self.join(notification)
                queued.append(notification)
        return queued

    def open(self, batch: Batch, queued: Sequence[Notification]) -> None:
        """Let go what waited for the reply of a call."""
        if batch.is_open:
            return
        batch.is_open = True
        if not queued:
            return
        heads = [each for each in queued if each.is_head and each.number in self.pending]
        for notification in heads:
            if notification.next_attempt_at is None and notification.fate is None:
                self.ready.append(notification)
            elif notification.fault("before_reply") is None:
                self._give_turn(notification)
        self.pump()

    def go_ahead(self, early: Sequence[Notification]) -> None:
        """Begin with what overtakes a reply."""
        for notification in early:
            if notification.is_head:
                self._give_turn(notification)
        self.pump()

    def join(self, notification: Notification) -> None:
        """Make it the last of its lane."""
        self.pending[notification.number] = notification
        key = notification.event.address.key
        lane = self.lanes.get(key)
        if lane is None:
            notification.is_head = True
            self.lanes[key] = [notification]
            return
        lane.append(notification)
        if len(lane) == 2 and self._is_to_be_overtaken(lane[0]):
            self._stop_waiting(lane[0])
            self._swap(lane)

    def rejoin(self, notification: Notification) -> None:
        """Take in what has its turn as soon as it is the first."""
        is_alone = notification.event.address.key not in self.lanes
        self.join(notification)
        if is_alone:
            self._wait_or_go(notification)

    # Kept back, and let go.

    def let_go(self, held: Sequence[Notification]) -> None:
        """Release what is held: each goes when its turn comes."""
        for notification in held:
            notification.make_fate().is_released = True
            self._unpark(notification)
        self.pump()

    def put_first(self, held: Sequence[Notification]) -> None:
        """Release in this order: past all others of their lanes, each when the last one is done."""
        self.let_go([each for each in held if each.state != PENDING])  # copies, on no lane
        held = [each for each in held if each.state == PENDING]
        for notification in held:
            self._take_out(notification)
        predecessor: Notification | None = None
        for notification in held:
            fate = notification.make_fate()
            fate.is_released = fate.is_spent = True
            if predecessor is not None:
                fate.goes_after = predecessor.number
                self._successors[predecessor.number] = notification
            predecessor = notification
        for notification in reversed(held):
            self._move_to_front(notification)
        for notification in held:
            if notification.number in self._waiting:
                self._stop_waiting(notification)
                self.ready.append(notification)
            elif notification.is_head:
                self._unpark(notification)
            else:
                notification.is_head = True
                if notification.may_go:
                    self._give_turn(notification)
        self.pump()

    def unhold(self) -> None:
        """Let go what no hold keeps any more."""
        for notification in list(self.parked.values()):
            self._unpark(notification)
        self.pump()

    def pump(self) -> None:
        """Put as many tasks to work as there are things ready, up to the app's bound."""
        office = self._office
        if office.is_closed or not self.ready:
            return
        for _ in range(min(len(self.ready), office.max_in_flight - len(self.tasks))):
            task = asyncio.get_running_loop().create_task(self._work())
            self.tasks.add(task)
            task.add_done_callback(self._end_work)
            office.clock.track(task)

    # Saved and restored.

    def in_order(self) -> list[Notification]:
        """All that is pending, each lane in its order."""
        laned = [each for lane in self.lanes.values() for each in lane]
        numbers = {each.number for each in laned}
        return laned + [each for each in self.pending.values() if each.number not in numbers]

    def restore(self, notification: Notification) -> None:
        """Put one back into its place: those of a lane come in their order."""
        fate = notification.fate
        self.pending[notification.number] = notification
        if notification.state == PENDING and not notification.is_stale:
            self.lanes.setdefault(notification.event.address.key, []).append(notification)
        if fate is not None and fate.waits_for:
            self._waiting[notification.number] = notification
        if fate is not None and fate.goes_after is not None:
            self._successors[fate.goes_after] = notification

    def resume(self) -> None:
        """Go on with all that has been put back."""
        heads = [each for each in self.pending.values() if each.is_head]
        for notification in heads:
            self._resume(notification)
        self.pump()

    def _resume(self, notification: Notification) -> None:
        """One that waited for nothing but its reply has yet to meet its fault."""
        if notification.tries or notification.number in self._waiting:
            self._wait_or_go(notification)
        else:
            self._give_turn(notification)

    def is_worth_waiting(self, due_by: float) -> bool:
        """Whether anything is in flight, or may be by then."""
        return bool(self.tasks) or any(
            each.is_head and (each.next_attempt_at or 0.0) <= due_by
            for each in self.pending.values()
            if each.number not in self.parked
        )

    # Out.

    def _end_work(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.pump()

    async def _work(self) -> None:
        office = self._office
        while self.ready and not office.is_closed:
            notification = self.ready.popleft()
            try:
                if (office.holds or notification.fate is not None) and self._is_kept(notification):
                    self.parked[notification.number] = notification
                    continue
                await self._attempt(notification)
            except Exception as error:
                self._abandon(notification, error)
            office.watch.notify()

    async def _attempt(self, notification: Notification) -> None:
        notification.next_attempt_at = None
        if notification.state == DELIVERED:
            return await self._send_copy(notification)
        is_taken = await self._office.poster.post(notification)
        if notification.number not in self.pending:
            return
        notification.tries += 1
        if not is_taken:
            return self._plan_next(notification)
        if (fault := notification.fault("duplicate")) is not None:
            await self._send_copies(notification, fault)
        self._finish(notification, DELIVERED)

    async def _send_copies(self, notification: Notification, fault: Fault) -> None:
        """At once, before the lane goes on; or else leave them for later."""
        times = fault.settings.get("times", 1)
        if fault.settings.get("seconds"):
            notification.make_fate().copies_left = times
            return
        for _ in range(times):
            if notification.number in self.pending:
                await self._office.poster.post_again(notification, fault)

    async def _send_copy(self, notification: Notification) -> None:
        fate = notification.make_fate()
        if fate.fault is not None:
            await self._office.poster.post_again(notification, fate.fault)
        fate.copies_left -= 1
        if notification.number in self.pending:
            self._end(notification)

    def _plan_next(self, notification: Notification) -> None:
        made, policy = notification.tries, notification.batch.policy
        due_at = next_attempt_at(policy, made, self._office.clock.now())
        if due_at is None:
            return self._finish(notification, FAILED, f"given up after {_count(made)}")
        self._wait_until(notification, due_at, "retry")
        self._office.history.tell(notification)

    def _wait_until(self, notification: Notification, due_at: float, what: str) -> None:
        notification.next_attempt_at = due_at
        wake, what = partial(self._wake, notification), f"{what} of {notification.msgid}"
        self.timers[notification.number] = self._office.clock.call_at(due_at, wake, what)

    def _wake(self, notification: Notification) -> None:
        del self.timers[notification.number]
        self._wait_no_more(notification)
        notification.next_attempt_at = None
        self.ready.append(notification)
        self.pump()

    def _finish(self, notification: Notification, state: State, reason: str | None = None) -> None:
        """Note how it ended and let the next go; a forgotten one leaves no trace."""
        if notification.number not in self.pending:
            return
        if notification.state == PENDING:
            notification.state, notification.reason = state, reason
        self._end(notification)
        if notification.fate is not None or self._successors:
            self._go_on_after(notification)
        if self._waiting and state == DELIVERED:
            self._count_down(notification)
        self._leave_lane(notification)

    def _abandon(self, notification: Notification, error: Exception) -> None:
        """What nobody foresaw ends this one alone: however far it came, what follows goes on."""
        self._wait_no_more(notification)
        self._cancel_timer(notification)
        is_pending = self.pending.pop(notification.number, None) is not None
        self._let_successor_go(notification)
        self._leave_lane(notification)
        if is_pending:
            state = FAILED if notification.state == PENDING else notification.state
            self._office.history.add(notification, state, f"Unexpected error: {error!r}")

    def _cancel_timer(self, notification: Notification) -> None:
        if (timer := self.timers.pop(notification.number, None)) is not None:
            timer.cancel()

    def _end(self, notification: Notification) -> None:
        """Into the history with it, unless there are copies to come."""
        fate = notification.fate
        if notification.state == DELIVERED and fate is not None and fate.copies_left > 0:
            seconds = fate.fault.settings["seconds"] if fate.fault is not None else 0.0
            self._wait_until(notification, self._office.clock.now() + seconds, "duplicate")
            return
        del self.pending[notification.number]
        self._office.history.add(notification, notification.state, notification.reason)

    def _leave_lane(self, notification: Notification) -> None:
        key = notification.event.address.key
        lane = self.lanes.get(key)
        if lane is None or notification not in lane:
            return
        lane.remove(notification)
        if not lane:
            del self.lanes[key]
            return
        first = lane[0]
        if not first.is_head:
            first.is_head = True
            if first.may_go:
                self._give_turn(first)

    def _give_turn(self, notification: Notification) -> None:
        """It is the first of its lane and need not wait for a reply."""
        fate = notification.fate
        fault = notification.fault("reorder")
        if fate is not None and fault is not None and not fate.is_spent:
            self._let_others_go_first(notification, fate, fault)
        else:
            self._wait_or_go(notification)

    def _wait_or_go(self, notification: Notification) -> None:
        due_at = notification.next_attempt_at
        if due_at is not None and due_at > self._office.clock.now():
            self._wait_until(notification, due_at, "retry" if notification.tries else "callback")
            return
        notification.next_attempt_at = None
        self._wait_no_more(notification)
        self.ready.append(notification)

    # Faults.

    def _is_dropped(self, notification: Notification) -> bool:
        """Ask the plans, once: whether it is never posted at all."""
        office = self._office
        batch = notification.batch
        taken = office.plans.take("callback", notification.subject, batch.at)
        if taken is None or taken[1].fault == PASS:
            return False
        fault = Fault(taken[0].id, taken[1].fault, taken[1].settings)
        if fault.name == "drop":
            reason = f"dropped by fault plan {fault.plan!r}"
            office.history.add(notification, DROPPED, reason)
            return True
        notification.fate = Fate(fault)
        if fault.name == "delay":
            due_at = notification.next_attempt_at or batch.at
            notification.next_attempt_at = due_at + fault.settings["seconds"]
        elif fault.name == "before_reply":
            notification.next_attempt_at = None
        return False

    def _let_others_go_first(self, notification: Notification, fate: Fate, fault: Fault) -> None:
        fate.is_spent = True
        is_across = fault.settings.get("scope") == "app"
        lane = self.lanes[notification.event.address.key]
        if not is_across and lane[0] is notification and len(lane) > 1 and not lane[1].is_head:
            self._swap(lane)
            return
        fate.waits_for = fault.settings.get("after", 1) if is_across else 1
        self._waiting[notification.number] = notification
        begins_at = max(notification.next_attempt_at or 0.0, self._office.clock.now())
        bound = fault.settings.get("within_seconds", _REORDER_SECONDS)
        self._wait_until(notification, begins_at + bound, "callback")

    def _is_to_be_overtaken(self, notification: Notification) -> bool:
        if notification.number not in self._waiting:
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
            self._give_turn(first)

    def _stop_waiting(self, notification: Notification) -> None:
        self._wait_no_more(notification)
        self._cancel_timer(notification)
        notification.next_attempt_at = None

    def _wait_no_more(self, notification: Notification) -> None:
        if self._waiting.pop(notification.number, None) is not None:
            notification.make_fate().waits_for = 0

    def _count_down(self, done: Notification) -> None:
        """One more has been delivered: those it was to overtake may go once there were enough."""
        for notification in list(self._waiting.values()):
            if done.number <= notification.number or self._is_to_be_overtaken(notification):
                continue
            fate = notification.make_fate()
            fate.waits_for -= 1
            if fate.waits_for == 0:
                self._stop_waiting(notification)
                self.ready.append(notification)

    def _go_on_after(self, notification: Notification) -> None:
        """What was to come after this one, by a release or by a fault."""
        self._let_successor_go(notification)
        fault = notification.fault("stale_status")
        if fault is not None and notification.event.status == STOPPED:
            self._add_stale(notification, fault)

    def _let_successor_go(self, notification: Notification) -> None:
        successor = self._successors.pop(notification.number, None)
        if successor is not None:
            successor.make_fate().goes_after = None
            self._unpark(successor)

    def _add_stale(self, stop: Notification, fault: Fault) -> None:
        """One more that claims the push goes on; it belongs to no lane, so it holds up nobody."""
        office = self._office
        office.count += 1
        event = replace(stop.event, status=_PUSHING, trace_id=None)
        stale = Notification(office.count, office.message_id(), event, stop.batch)
        stale.fate = Fate(fault)
        stale.fate.is_spent = stale.is_head = True
        self.pending[stale.number] = stale
        seconds = fault.settings.get("seconds", _STALE_SECONDS)
        stale.next_attempt_at = office.clock.now() + seconds
        self._wait_or_go(stale)

    # Holds.

    def _is_kept(self, notification: Notification) -> bool:
        fate = notification.fate
        if fate is not None and fate.goes_after is not None:
            return True
        return self._office.holds_back(notification)

    def _unpark(self, notification: Notification) -> None:
        if self.parked.pop(notification.number, None) is not None:
            self.ready.append(notification)

    def _take_out(self, notification: Notification) -> None:
        """Of an earlier order, if it was held again since: those around it close up."""
        fate = notification.make_fate()
        before, fate.goes_after = fate.goes_after, None
        successor = self._successors.pop(notification.number, None)
        if before is not None:
            del self._successors[before]
        if successor is None:
            return
        successor.make_fate().goes_after = before
        if before is not None:
            self._successors[before] = successor
        else:
            self._unpark(successor)

    def _move_to_front(self, notification: Notification) -> None:
        lane = self.lanes.get(notification.event.address.key)
        if lane is not None and notification in lane:
            lane.remove(notification)
            lane.insert(0, notification)


def _count(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"
