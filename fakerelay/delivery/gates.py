"""What one call caused waits here for its reply, but for what a fault has overtake it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fakerelay.delivery.notifications import Batch, Notification
from fakerelay.delivery.offices import Office
from fakerelay.delivery.outboxes import Outbox

_BEFORE_REPLY_SECONDS: Final = 5.0


class Gate:
    """Keeps what one call caused until it is called, once its caller has been answered."""

    __slots__ = ("_batch", "_early", "_office", "_outbox", "_queued", "wait_first")

    def __init__(
        self, office: Office, outbox: Outbox, batch: Batch, queued: Sequence[Notification]
    ) -> None:
        self._office = office
        self._outbox = outbox
        self._batch = batch
        self._queued = queued
        self._early: Sequence[Notification] = ()
        self.wait_first: Callable[[], Awaitable[None]] | None = None

    def __call__(self) -> None:
        self.wait_first = None
        self._outbox.open(self._batch, self._queued)

    def begin_early(self) -> None:
        """Post what a fault has overtake the reply."""
        self._early = [each for each in self._queued if each.fault("before_reply")]
        if self._early:
            self._outbox.go_ahead(self._early)
            self.wait_first = self._wait_for_early

    async def _wait_for_early(self) -> None:
        """Until each was tried once, or can't be for now; for so long, in real time, as its plan
        would have it wait.
        """
        early = self._early
        faults = filter(None, (each.fault("before_reply") for each in early))
        bound = max(each.settings.get("within_seconds", _BEFORE_REPLY_SECONDS) for each in faults)
        give_up_at = time.monotonic() + bound
        while any(not each.attempts and self._goes_on(each) for each in early):
            left = give_up_at - time.monotonic()
            if left <= 0 or not await self._office.watch.wait(left):
                return

    def _goes_on(self, notification: Notification) -> bool:
        """Whether it is in flight, or will be without a release or an advance of the clock."""
        office, outbox, lanes = self._office, self._outbox, self._outbox.lanes
        if notification.number not in outbox.pending:
            return False
        lane = lanes.by_address.get(notification.event.address.key)
        first = notification if notification.is_head or not lane else lane[0]
        if first.number in outbox.releases.parked:
            return False
        if first.number in lanes.timers:
            return office.clock.mode == "real" and not office.holds_back(first)
        return not (first in lanes.ready and office.holds_back(first))
