"""What the outboxes of one world share: clock, poster, history, plans, holds and bounds."""

from fakerelay.core.faults import Match, Plans
from fakerelay.delivery.history import History
from fakerelay.delivery.notifications import Notification
from fakerelay.delivery.posts import Poster
from fakerelay.ports import Clock, IdSource
from fakerelay.watch import Watch


class Office:
    """One for each world; what its outboxes do, they do by it."""

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
