"""What one app has pending: how often each is tried, and what comes of it."""

import asyncio
from collections.abc import Sequence

from fakerelay.core.callbacks import DELIVERED, FAILED, PENDING, State, next_attempt_at
from fakerelay.core.events import PushStatusChanged
from fakerelay.delivery.faults import is_dropped, make_stale
from fakerelay.delivery.lanes import Lanes
from fakerelay.delivery.notifications import Batch, Fault, Notification
from fakerelay.delivery.offices import Office
from fakerelay.delivery.releases import Releases


class Outbox:
    """The pending notifications of one app, and the tasks at work on what is ready."""

    __slots__ = ("_office", "lanes", "pending", "releases", "tasks")

    def __init__(self, office: Office) -> None:
        self._office = office
        self.pending: dict[int, Notification] = {}
        self.lanes = Lanes(office.clock, self.pump)
        self.releases = Releases(self.lanes)
        self.tasks: set[asyncio.Task[None]] = set()

    def clear(self) -> None:
        """Forget everything but the tasks, which find nothing to do any more."""
        self.pending.clear()
        self.lanes.clear()
        self.releases.clear()

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
            elif not (has_plans and is_dropped(office, notification)):
                self.pending[number] = notification
                self.lanes.join(notification)
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
                self.lanes.ready.append(notification)
            elif notification.fault("before_reply") is None:
                self.lanes.give_turn(notification)
        self.pump()

    def go_ahead(self, early: Sequence[Notification]) -> None:
        """Begin with what overtakes a reply."""
        for notification in early:
            if notification.is_head:
                self.lanes.give_turn(notification)
        self.pump()

    def rejoin(self, notification: Notification) -> None:
        """Take in what has its turn as soon as it is the first."""
        is_alone = notification.event.address.key not in self.lanes.by_address
        self.pending[notification.number] = notification
        self.lanes.join(notification)
        if is_alone:
            self.lanes.wait_or_go(notification)

    # Kept back, and let go.

    def let_go(self, held: Sequence[Notification]) -> None:
        """Release what is held: each goes when its turn comes."""
        self.releases.let_go(held)
        self.pump()

    def put_first(self, held: Sequence[Notification]) -> None:
        """Release in this order: past all others of their lanes, each when the last one is done."""
        self.let_go([each for each in held if each.state != PENDING])  # copies, on no lane
        self.releases.put_first([each for each in held if each.state == PENDING])
        self.pump()

    def unhold(self) -> None:
        """Let go what no hold keeps any more."""
        self.releases.unpark_all()
        self.pump()

    # Out.

    def is_worth_waiting(self, due_by: float) -> bool:
        """Whether anything is in flight, or may be by then."""
        return bool(self.tasks) or any(
            each.is_head and (each.next_attempt_at or 0.0) <= due_by
            for each in self.pending.values()
            if each.number not in self.releases.parked
        )

    def pump(self) -> None:
        """Put as many tasks to work as there are things ready, up to the app's bound."""
        office = self._office
        if office.is_closed or not self.lanes.ready:
            return
        for _ in range(min(len(self.lanes.ready), office.max_in_flight - len(self.tasks))):
            task = asyncio.get_running_loop().create_task(self._work())
            self.tasks.add(task)
            task.add_done_callback(self._end_work)
            office.clock.track(task)

    def _end_work(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.pump()

    async def _work(self) -> None:
        office = self._office
        while self.lanes.ready and not office.is_closed:
            notification = self.lanes.ready.popleft()
            try:
                if (office.holds or notification.fate is not None) and self._is_kept(notification):
                    self.releases.parked[notification.number] = notification
                    continue
                await self._attempt(notification)
            except Exception as error:
                self._abandon(notification, error)
            office.watch.notify()

    def _is_kept(self, notification: Notification) -> bool:
        fate = notification.fate
        if fate is not None and fate.goes_after is not None:
            return True
        return self._office.holds_back(notification)

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
        self.lanes.wait_until(notification, due_at, "retry")
        self._office.history.tell(notification)

    def _finish(self, notification: Notification, state: State, reason: str | None = None) -> None:
        """Note how it ended and let the next go; a forgotten one leaves no trace."""
        if notification.number not in self.pending:
            return
        if notification.state == PENDING:
            notification.state, notification.reason = state, reason
        self._end(notification)
        if notification.fate is not None or self.releases.successors:
            self._go_on_after(notification)
        if self.lanes.waiting and state == DELIVERED:
            self.lanes.count_down(notification)
        self.lanes.leave(notification)

    def _go_on_after(self, notification: Notification) -> None:
        """What was to come after this one, by a release or by a fault."""
        self.releases.let_successor_go(notification)
        stale = make_stale(self._office, notification)
        if stale is not None:
            self.pending[stale.number] = stale
            self.lanes.wait_or_go(stale)

    def _abandon(self, notification: Notification, error: Exception) -> None:
        """What nobody foresaw ends this one alone: however far it came, what follows goes on."""
        self.lanes.wait_no_more(notification)
        self.lanes.cancel_timer(notification)
        is_pending = self.pending.pop(notification.number, None) is not None
        self.releases.let_successor_go(notification)
        self.lanes.leave(notification)
        if is_pending:
            state = FAILED if notification.state == PENDING else notification.state
            self._office.history.add(notification, state, f"Unexpected error: {error!r}")

    def _end(self, notification: Notification) -> None:
        """Into the history with it, unless there are copies to come."""
        fate = notification.fate
        if notification.state == DELIVERED and fate is not None and fate.copies_left > 0:
            seconds = fate.fault.settings["seconds"] if fate.fault is not None else 0.0
            self.lanes.wait_until(notification, self._office.clock.now() + seconds, "duplicate")
            return
        del self.pending[notification.number]
        self._office.history.add(notification, notification.state, notification.reason)


def _count(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"
