"""Posts push-status callbacks: in order on each lane, again when it fails, apart for each app.

A lane is one app's address. It is a linked list of what waits on it, so that a new notification
costs one look-up however many lanes there are.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from fakerelay.core.callbacks import (
    DELIVERED,
    FAILED,
    Attempt,
    Dispatch,
    Notification,
    State,
    next_attempt_at,
)
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.profile import CallbackPolicy
from fakerelay.ports import Clock, IdSource, Sender, Timer
from fakerelay.watch import Watch


class Batch(Dispatch):
    """The notifications of one commit; they go nowhere before the batch is opened."""

    __slots__ = ("is_due", "is_opened", "notifications")

    def __init__(self, url: str, at: float, policy: CallbackPolicy) -> None:
        super().__init__(url, at, policy)
        self.notifications: list[_Queued] = []
        self.is_opened = False
        self.is_due = False


class _Queued(Notification):
    """A notification and its place: `follower` waits on the same lane, the head waits for none."""

    __slots__ = ("batch", "follower", "is_head", "timer")

    def __init__(self, number: int, msgid: str, event: PushStatusChanged, batch: Batch) -> None:
        super().__init__(number, msgid, event, batch)
        self.batch = batch
        self.follower: _Queued | None = None
        self.is_head = False
        self.timer: Timer | None = None


class _Outbox:
    """What one app has pending, and the tasks at work on what is ready."""

    __slots__ = ("pending", "ready", "tails", "tasks")

    def __init__(self) -> None:
        self.pending: dict[int, _Queued] = {}
        self.tails: dict[str, _Queued] = {}
        self.ready: deque[_Queued] = deque()
        self.tasks: set[asyncio.Task[None]] = set()


class Delivery:
    """The callbacks of one world.

    At most `max_in_flight` posts of an app at a time; past `max_pending` of an app a notification
    fails at once. The last `history_size` finished ones are kept, `evicted` counts the others.
    """

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        sender: Sender,
        *,
        history_size: int = 10_000,
        max_in_flight: int = 16,
        max_pending: int = 10_000,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._sender = sender
        self._max_in_flight = max_in_flight
        self._max_pending = max_pending
        self._refusal = "queue full"
        self._outboxes: dict[int, _Outbox] = {}
        self._finished: deque[Notification] = deque(maxlen=history_size)
        self._count = 0
        self._is_held = False
        self.evicted = 0
        self.watch = Watch()

    def emit(
        self, events: Sequence[PushStatusChanged], url: str, at: float, policy: CallbackPolicy
    ) -> Batch:
        """Queue what one commit of one app has to tell; call it in the order of the commits.

        What no call caused is open at once; else `open` the batch when the reply has been written.
        """
        batch = Batch(url, at, policy)
        if not events:
            return batch
        outbox = self._outbox(events[0].key[0])
        for event in events:
            self._queue(outbox, event, batch)
        if events[0].trace_id is None:
            self.open(batch)
        self.watch.notify()
        return batch

    def open(self, batch: Batch) -> None:
        """Let a batch go, its delay after the commit; opening it again does nothing."""
        if batch.is_opened or not batch.notifications:
            return
        batch.is_opened = True
        due_at = batch.at + batch.policy.delay_seconds
        if due_at > self._clock.now():
            self._clock.call_at(due_at, partial(self._let_go, batch))
        else:
            self._let_go(batch)

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

    async def drop(self, appid: int, *, grace_seconds: float = 1.0) -> None:
        """Forget an app's notifications; posts in flight may end in the grace, then are cut off."""
        outbox = self._outboxes.pop(appid, None)
        kept = [each for each in self._finished if each.appid != appid]
        self._finished = deque(kept, maxlen=self._finished.maxlen)
        self.watch.notify()
        if outbox is None:
            return
        for queued in outbox.pending.values():
            _cancel_timer(queued)
        outbox.pending.clear()
        outbox.tails.clear()
        outbox.ready.clear()
        if outbox.tasks:
            await asyncio.wait(outbox.tasks, timeout=grace_seconds)
        await _cut_off(outbox.tasks)

    async def close(self, grace_seconds: float) -> list[Notification]:
        """Give what is pending a last chance, then fail and answer what was not delivered."""
        give_up_at = time.monotonic() + grace_seconds
        while (left := give_up_at - time.monotonic()) > 0 and self._may_finish_within(left):
            await self.watch.wait(left)
        self._max_pending, self._refusal, self._is_held = 0, "shut down", True
        outboxes = list(self._outboxes.values())
        await _cut_off([task for outbox in outboxes for task in outbox.tasks])
        undelivered: list[Notification] = []
        for outbox in outboxes:
            for queued in list(outbox.pending.values()):
                _cancel_timer(queued)
                self._finish(outbox, queued, FAILED, "not delivered before shutdown")
                undelivered.append(queued)
        return sorted(undelivered, key=_by_number)

    def _outbox(self, appid: int) -> _Outbox:
        outbox = self._outboxes.get(appid)
        if outbox is None:
            outbox = self._outboxes[appid] = _Outbox()
        return outbox

    def _queue(self, outbox: _Outbox, event: PushStatusChanged, batch: Batch) -> None:
        self._count = number = self._count + 1
        queued = _Queued(number, self._ids.message_id(), event, batch)
        if len(outbox.pending) >= self._max_pending:
            queued.state = FAILED
            queued.reason = self._refusal
            self._remember(queued)
            return
        batch.notifications.append(queued)
        outbox.pending[number] = queued
        key = event.address.key
        predecessor = outbox.tails.get(key)
        if predecessor is None:
            queued.is_head = True
        else:
            predecessor.follower = queued
        outbox.tails[key] = queued

    def _let_go(self, batch: Batch) -> None:
        batch.is_due = True
        outbox = self._outboxes.get(batch.notifications[0].appid)
        if outbox is None:
            return
        for queued in batch.notifications:
            if queued.is_head:
                self._make_ready(outbox, queued)
        self._pump(outbox)

    def _make_ready(self, outbox: _Outbox, queued: _Queued) -> None:
        if queued.number in outbox.pending:
            outbox.ready.append(queued)

    def _pump(self, outbox: _Outbox) -> None:
        """Put as many tasks to work as there are things ready, up to the app's bound."""
        if self._is_held:
            return
        wanted = min(len(outbox.ready), self._max_in_flight - len(outbox.tasks))
        for _ in range(wanted):
            task = asyncio.get_running_loop().create_task(self._work(outbox))
            outbox.tasks.add(task)
            task.add_done_callback(partial(self._end_work, outbox))
            self._clock.track(task)

    def _end_work(self, outbox: _Outbox, task: asyncio.Task[None]) -> None:
        outbox.tasks.discard(task)
        self._pump(outbox)

    async def _work(self, outbox: _Outbox) -> None:
        while outbox.ready and not self._is_held:
            queued = outbox.ready.popleft()
            try:
                await self._attempt(outbox, queued)
            except Exception as error:
                self._finish(outbox, queued, FAILED, f"Unexpected error: {error!r}")
            self.watch.notify()

    async def _attempt(self, outbox: _Outbox, queued: _Queued) -> None:
        clock, policy = self._clock, queued.batch.policy
        at = clock.now()
        queued.next_attempt_at = None
        sent = await self._sender.send(queued.batch.url, queued.body(), policy.timeout_seconds)
        queued.attempts += (Attempt(at, *sent),)
        if sent.status is not None and 200 <= sent.status < 300:
            self._finish(outbox, queued, DELIVERED)
            return
        retry_at = next_attempt_at(policy, len(queued.attempts), clock.now())
        if retry_at is None:
            self._finish(outbox, queued, FAILED, f"gave up after {len(queued.attempts)} attempts")
        elif queued.number in outbox.pending:
            queued.next_attempt_at = retry_at
            queued.timer = clock.call_at(retry_at, partial(self._retry, outbox, queued))

    def _retry(self, outbox: _Outbox, queued: _Queued) -> None:
        queued.timer = None
        self._make_ready(outbox, queued)
        self._pump(outbox)

    def _finish(
        self, outbox: _Outbox, queued: _Queued, state: State, reason: str | None = None
    ) -> None:
        """Record how it ended and let the next on its lane go; a dropped one leaves no trace."""
        if outbox.pending.pop(queued.number, None) is None:
            return
        queued.state, queued.reason = state, reason
        self._remember(queued)
        follower, queued.follower = queued.follower, None
        if follower is None:
            del outbox.tails[queued.event.address.key]
            return
        follower.is_head = True
        if follower.batch.is_due:
            outbox.ready.append(follower)

    def _remember(self, queued: _Queued) -> None:
        if len(self._finished) == self._finished.maxlen:
            self.evicted += 1
        self._finished.append(queued)

    def _may_finish_within(self, seconds: float) -> bool:
        """Whether anything is in flight, or will be soon enough to be worth waiting for."""
        outboxes = self._outboxes.values()
        if any(outbox.tasks for outbox in outboxes):
            return True
        due_by = self._clock.now() + seconds
        pending = chain.from_iterable(outbox.pending.values() for outbox in outboxes)
        return not self._is_held and any(
            queued.is_head and (queued.next_attempt_at or 0) <= due_by for queued in pending
        )


def _by_number(notification: Notification) -> int:
    return notification.number


def _cancel_timer(queued: _Queued) -> None:
    if queued.timer is not None:
        queued.timer.cancel()
        queued.timer = None


async def _cut_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    doomed = list(tasks)
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
