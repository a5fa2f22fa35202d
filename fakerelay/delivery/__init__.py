"""Posts push-status callbacks: in order on each lane, again when it fails, apart for each app.

Everything that hangs on a timer can be told from data: `save` and `restore` rely on it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from fakerelay.core.callbacks import DELIVERED, FAILED, State
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import Match, Plans
from fakerelay.core.profile import CallbackPolicy
from fakerelay.delivery.gates import Gate
from fakerelay.delivery.history import History
from fakerelay.delivery.notifications import Batch, Notification
from fakerelay.delivery.offices import Office
from fakerelay.delivery.outboxes import Outbox
from fakerelay.delivery.posts import Poster
from fakerelay.delivery.saved import (
    in_order,
    put_back,
    restore_notification,
    resume,
    save_notification,
)
from fakerelay.ports import Clock, IdSource, OpenGate, Sender

__all__ = ["CUT_OFF", "Delivery", "Notification"]

CUT_OFF: Final = "a post was still under way at shutdown"
_TOO_LATE: Final = "not delivered before shutdown"


class Delivery:
    """The callbacks of one world.

    At most `max_in_flight` posts of an app at a time; past `max_pending` of an app a notification
    fails at once. The last `history_size` finished ones are kept, `evicted` counts the others.
    `on_failed` is told of each that is given up, but not of what `close` answers; `on_told` of each
    that an attempt has been made of, or that has ended. `ended` counts these by how. `plans` are
    asked once about each notification, when it is queued.
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
        plans: Plans | None = None,
        on_told: Callable[[Notification], None] | None = None,
        on_failed: Callable[[Notification], None] | None = None,
    ) -> None:
        self._history = history = History(history_size, on_told, on_failed)
        self._office = Office(
            clock,
            ids,
            Poster(clock, sender, history, max_in_flight),
            history,
            Plans() if plans is None else plans,
            max_in_flight=max_in_flight,
            max_pending=max_pending,
        )
        self._outboxes: dict[int, Outbox] = {}
        self.watch = self._office.watch

    @property
    def evicted(self) -> int:
        return self._history.evicted

    @property
    def ended(self) -> Mapping[State, int]:
        return self._history.ended

    @property
    def pending_count(self) -> int:
        return sum(len(outbox.pending) for outbox in self._outboxes.values())

    def emit(
        self, events: Sequence[PushStatusChanged], url: str, at: float, policy: CallbackPolicy
    ) -> OpenGate:
        """Queue what one commit of one app has to tell; call it in the order of the commits.

        Takes one event or more. Nothing goes before the gate it answers is opened; what no call
        caused is open at once. All attempts go to this URL, whatever becomes of the app's later.
        """
        outbox = self._outbox(events[0].key[0])
        batch = Batch(url, at, policy)
        gate = Gate(self._office, outbox, batch, outbox.queue(events, batch))
        if self._office.plans.has("callback"):
            gate.begin_early()
        if events[0].trace_id is None:
            gate()
        self.watch.notify()
        return gate

    # Listed, forgotten, ended.

    def notifications(self) -> Iterator[Notification]:
        """The finished ones that are kept and all pending ones, in order of commit."""
        return iter(sorted(chain(self._history, self._pending()), key=_by_number))

    def drop(self, appid: int, *, grace_seconds: float = 1.0) -> asyncio.Task[None] | None:
        """Forget an app's notifications at once, and the holds that are for it alone.

        Posts in flight may end in the grace, then are cut off: the answered task ends with them.
        Where there are none, neither is there a task.
        """
        outbox = self._outboxes.pop(appid, None) or Outbox(self._office)
        self._remove_holds(appid)
        self._office.poster.forget(appid)
        self._history.forget(appid)
        self.watch.notify()
        outbox.clear()
        if not outbox.tasks:
            return None
        return asyncio.get_running_loop().create_task(_let_end(tuple(outbox.tasks), grace_seconds))

    async def settle(self, limit_seconds: float) -> None:
        """Wait, so many real seconds at most, until nothing is on its way, or will be by then."""
        give_up_at = time.monotonic() + limit_seconds
        while (left := give_up_at - time.monotonic()) > 0 and self._may_go_on_within(left):
            await self.watch.wait(left)

    async def close(self, grace_seconds: float) -> list[Notification]:
        """Give what is pending a last chance, then fail and answer what was not delivered."""
        await self.settle(grace_seconds)
        self._office.close()
        outboxes = list(self._outboxes.values())
        under_way = frozenset(self._office.poster.under_way)
        await _cut_off(chain.from_iterable(outbox.tasks for outbox in outboxes))
        left_over = sorted(self._pending(), key=_by_number)
        undelivered = [each for each in left_over if each.state != DELIVERED]
        for notification in left_over:
            if notification.state == DELIVERED:  # only copies of it were still to come
                self._history.add(notification, DELIVERED)
            else:
                is_cut_off = notification.number in under_way
                self._history.add(notification, FAILED, CUT_OFF if is_cut_off else _TOO_LATE)
        for outbox in outboxes:
            outbox.clear()
        self.watch.notify()
        return undelivered

    # Held, released, replayed.

    @property
    def holds(self) -> Sequence[Match]:
        """What is held, as patterns."""
        return self._office.holds

    def hold(self, match: Match | None = None) -> None:
        """Begin no further attempt of what fits until it is released.

        What is in flight ends as it does. What comes later on a lane waits behind what is held.
        """
        match = match or Match()
        if match not in self._office.holds:
            self._office.holds.append(match)
        for notification in self._pending():
            if notification.fate is not None and match.fits(notification.subject):
                notification.fate.is_released = False
        self.watch.notify()

    def is_pending(self, notification: Notification) -> bool:
        """Whether there is anything of it to be posted: of a delivered one, copies."""
        outbox = self._outboxes.get(notification.appid)
        return outbox is not None and notification.number in outbox.pending

    def is_in_flight(self, notification: Notification) -> bool:
        """Whether a post of it is not answered yet."""
        return notification.number in self._office.poster.under_way

    def is_held(self, notification: Notification) -> bool:
        """Whether a hold keeps it, now or when its turn comes."""
        return self.is_pending(notification) and self._office.holds_back(notification)

    def held(self, appid: int | None = None) -> list[Notification]:
        """What is held, of one app or all, in order of commit."""
        outboxes = [self._outboxes[each] for each in self._outboxes if appid in (None, each)]
        pending = chain.from_iterable(outbox.pending.values() for outbox in outboxes)
        return sorted(filter(self._office.holds_back, pending), key=_by_number)

    def release(self, appid: int | None = None) -> list[Notification]:
        """Let go all that is held, in the order of its lanes, and end the holds.

        Of one app, where one is given: a hold for all apps goes on for what comes later.
        """
        released = self.held(appid)
        self.let_go(released)
        self.end_holds(appid)
        return released

    def end_holds(self, appid: int | None = None) -> None:
        """Hold no more, or not what is held of one app alone; what nothing else keeps may go."""
        self._remove_holds(appid)
        for each, outbox in self._outboxes.items():
            if appid in (None, each):
                outbox.unhold()
        self.watch.notify()

    def let_go(self, held: Iterable[Notification]) -> None:
        """Release some of what is held, in the order of their lanes; the hold goes on."""
        for appid, notifications in _by_app(held).items():
            self._outboxes[appid].let_go(notifications)
        self.watch.notify()

    def let_go_in_order(self, held: Iterable[Notification]) -> None:
        """Release some of what is held in the order given, each when the last one of its app is
        done: past whatever else is on their lanes.
        """
        for appid, notifications in _by_app(held).items():
            self._outboxes[appid].put_first(notifications)
        self.watch.notify()

    def replay(self, finished: Sequence[Notification], urls: Mapping[int, str]) -> None:
        """Post finished ones again, as if they were new: with the same msgid and body, all tries
        of the schedule, behind whatever is on their lanes; to the URL they had, or that of `urls`,
        where their app has one there.
        """
        self._history.remove(finished)
        for notification in finished:
            notification.revive(urls.get(notification.appid))
            self._outbox(notification.appid).rejoin(notification)
        for outbox in self._outboxes.values():
            outbox.pump()
        self.watch.notify()

    # Saved and restored.

    def save(self) -> dict[str, Any]:
        """What is pending, held and to come, as plain data; `restore` goes on from there."""
        outboxes = [outbox for _, outbox in sorted(self._outboxes.items())]
        pending = chain.from_iterable(in_order(outbox) for outbox in outboxes)
        return {
            "count": self._office.count,
            "holds": [match._asdict() for match in self._office.holds],
            "pending": [save_notification(each) for each in pending],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take the place of a delivery that was saved; call it on one that has done nothing yet.

        What was in flight is posted again; durations of earlier attempts are unknown, and 0.
        """
        self._office.count = saved["count"]
        self._office.holds[:] = [Match(**each) for each in saved["holds"]]
        for notification in map(restore_notification, saved["pending"]):
            put_back(self._outbox(notification.appid), notification)
        for outbox in self._outboxes.values():
            resume(outbox)
        self.watch.notify()

    def _outbox(self, appid: int) -> Outbox:
        outbox = self._outboxes.get(appid)
        if outbox is None:
            outbox = self._outboxes[appid] = Outbox(self._office)
        return outbox

    def _remove_holds(self, appid: int | None) -> None:
        holds = self._office.holds
        holds[:] = [each for each in holds if appid is not None and each.appid != appid]

    def _pending(self) -> Iterator[Notification]:
        outboxes = self._outboxes.values()
        return chain.from_iterable(outbox.pending.values() for outbox in outboxes)

    def _may_go_on_within(self, seconds: float) -> bool:
        """Whether anything is in flight, or may be soon enough to be worth waiting for."""
        clock = self._office.clock
        due_by = clock.now() + (seconds if clock.mode == "real" else 0.0)
        return any(outbox.is_worth_waiting(due_by) for outbox in self._outboxes.values())


def _by_number(notification: Notification) -> int:
    return notification.number


def _by_app(notifications: Iterable[Notification]) -> Mapping[int, list[Notification]]:
    """In the order given."""
    sorted_out: dict[int, list[Notification]] = {}
    for notification in notifications:
        sorted_out.setdefault(notification.appid, []).append(notification)
    return sorted_out


async def _let_end(tasks: Collection[asyncio.Task[None]], grace_seconds: float) -> None:
    try:
        await asyncio.wait(tasks, timeout=grace_seconds)
    finally:
        await _cut_off(tasks)


async def _cut_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    doomed = list(tasks)
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
