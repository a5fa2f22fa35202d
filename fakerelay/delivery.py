"""Posts push-status callbacks: in order on each lane, again when it fails, apart for each app.

A lane is one app's address. It is a linked list of what waits on it, so that a new notification
costs one look-up however many lanes there are.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from fakerelay.core.callbacks import (
    DELIVERED,
    FAILED,
    Attempt,
    Batch,
    Notification,
    State,
    next_attempt_at,
)
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.profile import CallbackPolicy
from fakerelay.ports import Clock, IdSource, OpenGate, Sender, Timer
from fakerelay.watch import Watch


class _Outbox:
    """What one app has pending, and the tasks at work on what is ready."""

    __slots__ = ("pending", "ready", "tails", "tasks", "timers")

    def __init__(self) -> None:
        self.pending: dict[int, Notification] = {}
        self.tails: dict[str, Notification] = {}
        self.ready: deque[Notification] = deque()
        self.timers: dict[int, Timer] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def clear(self) -> None:
        """Forget everything but the tasks, which find nothing to do any more."""
        for timer in self.timers.values():
            timer.cancel()
        for left in (self.pending, self.tails, self.ready, self.timers):
            left.clear()


class Delivery:
    """The callbacks of one world.

    At most `max_in_flight` posts of an app at a time; past `max_pending` of an app a notification
    fails at once. The last `history_size` finished ones are kept, `evicted` counts the others.
    `on_failed` is told of each that is given up, but not of what `close` answers; `on_told` of each
    that an attempt has been made of, or that has ended. `ended` counts these by how.
    """

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        sender: Sender,
        history_size: int = 10_000,
        *,
        max_in_flight: int = 16,
        max_pending: int = 10_000,
        on_failed: Callable[[Notification], None] | None = None,
    ) -> None:
        self._clock = clock
        self._message_id = ids.message_id
        self._sender = sender
        self._max_in_flight = max_in_flight
        self._max_pending = max_pending
        self._refusal = "queue full"
        self._on_failed = on_failed
        self._outboxes: dict[int, _Outbox] = {}
        self._finished: deque[Notification] = deque(maxlen=history_size)
        self._count = 0
        self._is_held = False
        self.evicted = 0
        self.on_told: Callable[[Notification], None] = _tell_nobody
        self.ended: dict[State, int] = {DELIVERED: 0, FAILED: 0}
        self.watch = Watch()

    def emit(
        self, events: Sequence[PushStatusChanged], url: str, at: float, policy: CallbackPolicy
    ) -> OpenGate:
        """Queue what one commit of one app has to tell; call it in the order of the commits.

        Takes one event or more. Nothing goes before the gate it answers is opened; what no call
        caused is open at once. All attempts go to this URL, whatever becomes of the app's later.
        """
        outbox = self._outboxes.get(events[0].key[0]) or self._make_outbox(events[0].key[0])
        batch = Batch(url, at, policy)
        open_gate = partial(self._open, outbox, batch, self._queue(outbox, events, batch))
        if events[0].trace_id is None:
            open_gate()
        self.watch.notify()
        return open_gate

    @property
    def pending_count(self) -> int:
        return sum(len(outbox.pending) for outbox in self._outboxes.values())

    def hold(self) -> None:
        """Begin no further attempt until `release`; what is in flight ends as it does."""
        self._is_held = True

    def release(self) -> None:
        self._is_held = False
        for outbox in self._outboxes.values():
            self._pump(outbox)

    def notifications(self) -> Iterator[Notification]:
        """The finished ones that are kept and all pending ones, in order of commit."""
        pending = (outbox.pending.values() for outbox in self._outboxes.values())
        everything = chain(self._finished, chain.from_iterable(pending))
        return iter(sorted(everything, key=_by_number))

    def drop(self, appid: int, *, grace_seconds: float = 1.0) -> asyncio.Task[None]:
        """Forget an app's notifications at once.

        Posts in flight may end in the grace, then are cut off: the answered task ends with them.
        """
        outbox = self._outboxes.pop(appid, _Outbox())
        kept = [each for each in self._finished if each.appid != appid]
        self._finished = deque(kept, maxlen=self._finished.maxlen)
        self.watch.notify()
        outbox.clear()
        return asyncio.get_running_loop().create_task(_let_end(outbox.tasks, grace_seconds))

    async def close(self, grace_seconds: float) -> list[Notification]:
        """Give what is pending a last chance, then fail and answer what was not delivered."""
        give_up_at = time.monotonic() + grace_seconds
        while (left := give_up_at - time.monotonic()) > 0 and self._may_go_on_within(left):
            await self.watch.wait(left)
        self._max_pending, self._refusal, self._is_held = 0, "shut down", True
        self._on_failed = None
        outboxes = list(self._outboxes.values())
        await _cut_off(chain.from_iterable(outbox.tasks for outbox in outboxes))
        undelivered = sorted(
            chain.from_iterable(outbox.pending.values() for outbox in outboxes), key=_by_number
        )
        for notification in undelivered:
            self._record(notification, FAILED, "not delivered before shutdown")
        for outbox in outboxes:
            outbox.clear()
        self.watch.notify()
        return undelivered

    def _make_outbox(self, appid: int) -> _Outbox:
        outbox = self._outboxes[appid] = _Outbox()
        return outbox

    def _queue(
        self, outbox: _Outbox, events: Sequence[PushStatusChanged], batch: Batch
    ) -> list[Notification]:
        """Put each event at the end of its lane; answer those that found room."""
        queued = []
        pending, tails = outbox.pending, outbox.tails
        for event in events:
            self._count = number = self._count + 1
            notification = Notification(number, self._message_id(), event, batch)
            if len(pending) >= self._max_pending:
                self._record(notification, FAILED, self._refusal)
                continue
            pending[number] = notification
            address_key = event.address.key
            predecessor = tails.get(address_key)
            if predecessor is None:
                notification.is_head = True
            else:
                predecessor.follower = notification
            tails[address_key] = notification
            queued.append(notification)
        return queued

    def _open(self, outbox: _Outbox, batch: Batch, queued: list[Notification]) -> None:
        delay = batch.policy.delay_seconds
        if delay and queued:
            let_go = partial(self._let_go_late, outbox, batch, queued)
            for notification in queued:
                notification.next_attempt_at = batch.at + delay
            what = f"callbacks from {queued[0].msgid} on"
            timer = self._clock.call_at(batch.at + delay, let_go, what)
            outbox.timers[queued[0].number] = timer
        else:
            self._let_go(outbox, batch, queued)

    def _let_go_late(self, outbox: _Outbox, batch: Batch, queued: list[Notification]) -> None:
        outbox.timers.pop(queued[0].number, None)
        for notification in queued:
            notification.next_attempt_at = None
        self._let_go(outbox, batch, queued)

    def _let_go(self, outbox: _Outbox, batch: Batch, queued: list[Notification]) -> None:
        if batch.is_open:
            return
        batch.is_open = True
        pending = outbox.pending
        for notification in queued:
            if notification.is_head and notification.number in pending:
                outbox.ready.append(notification)
        self._pump(outbox)

    def _pump(self, outbox: _Outbox) -> None:
        """Put as many tasks to work as there are things ready, up to the app's bound."""
        if self._is_held:
            return
        for _ in range(min(len(outbox.ready), self._max_in_flight - len(outbox.tasks))):
            task = asyncio.get_running_loop().create_task(self._work(outbox))
            outbox.tasks.add(task)
            task.add_done_callback(partial(self._end_work, outbox))
            self._clock.track(task)

    def _end_work(self, outbox: _Outbox, task: asyncio.Task[None]) -> None:
        outbox.tasks.discard(task)
        self._pump(outbox)

    async def _work(self, outbox: _Outbox) -> None:
        while outbox.ready and not self._is_held:
            notification = outbox.ready.popleft()
            try:
                await self._attempt(outbox, notification)
            except Exception as error:
                self._finish(outbox, notification, FAILED, f"Unexpected error: {error!r}")
            self.watch.notify()

    async def _attempt(self, outbox: _Outbox, notification: Notification) -> None:
        batch, at = notification.batch, self._clock.now()
        notification.next_attempt_at = None
        body = notification.body()
        sent = await self._sender.send(batch.url, body, batch.policy.timeout_seconds)
        notification.attempts += (Attempt(at, *sent),)
        if sent.status is not None and 200 <= sent.status < 300:
            self._finish(outbox, notification, DELIVERED)
        elif notification.number in outbox.pending:
            self._plan_next(outbox, notification)

    def _plan_next(self, outbox: _Outbox, notification: Notification) -> None:
        made = len(notification.attempts)
        due_at = next_attempt_at(notification.batch.policy, made, self._clock.now())
        if due_at is None:
            self._finish(outbox, notification, FAILED, f"given up after {_count(made)}")
            return
        notification.next_attempt_at = due_at
        retry = partial(self._retry, outbox, notification)
        what = f"retry of {notification.msgid}"
        outbox.timers[notification.number] = self._clock.call_at(due_at, retry, what)
        self.on_told(notification)

    def _retry(self, outbox: _Outbox, notification: Notification) -> None:
        outbox.timers.pop(notification.number, None)
        outbox.ready.append(notification)
        self._pump(outbox)

    def _finish(
        self, outbox: _Outbox, notification: Notification, state: State, reason: str | None = None
    ) -> None:
        """Record how it ended and let the next on its lane go; a dropped one leaves no trace."""
        if outbox.pending.pop(notification.number, None) is None:
            return
        self._record(notification, state, reason)
        follower, notification.follower = notification.follower, None
        if follower is None:
            del outbox.tails[notification.event.address.key]
            return
        follower.is_head = True
        if follower.batch.is_open:
            outbox.ready.append(follower)

    def _record(self, notification: Notification, state: State, reason: str | None) -> None:
        notification.state, notification.reason = state, reason
        finished = self._finished
        if len(finished) == finished.maxlen:
            self.evicted += 1
        finished.append(notification)
        self.ended[state] += 1
        self.on_told(notification)
        if state == FAILED and self._on_failed is not None:
            self._on_failed(notification)

    def _may_go_on_within(self, seconds: float) -> bool:
        """Whether anything is in flight, or may be soon enough to be worth waiting for."""
        outboxes = self._outboxes.values()
        if self._is_held or any(outbox.tasks for outbox in outboxes):
            return not self._is_held
        due_by = self._clock.now() + (seconds if self._clock.mode == "real" else 0.0)
        pending = chain.from_iterable(outbox.pending.values() for outbox in outboxes)
        return any(each.is_head and (each.next_attempt_at or 0.0) <= due_by for each in pending)


def _tell_nobody(notification: Notification) -> None:
    pass


def _count(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _by_number(notification: Notification) -> int:
    return notification.number


async def _let_end(tasks: set[asyncio.Task[None]], grace_seconds: float) -> None:
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
    finally:
        await _cut_off(tasks)


async def _cut_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    doomed = list(tasks)
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
