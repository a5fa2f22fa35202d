"""Finished notifications: the newest are kept, and of receivers' answers a bounded amount."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from fakerelay.core.callbacks import DELIVERED, DROPPED, FAILED, Attempt, State
from fakerelay.delivery.notifications import Notification

_MOST_ANSWER_CHARACTERS: Final = 16 * 1024 * 1024
_MOST_ATTEMPTS: Final = 100  # of one notification: replays and storms would have no end
_COST_OF_AN_ENTRY: Final = 200


class History:
    """The last `size` that ended; `evicted` counts the others.

    `on_failed` is told of each that is given up, `on_told` of each change; `ended` counts by how.
    """

    def __init__(
        self,
        size: int,
        on_told: Callable[[Notification], None] | None,
        on_failed: Callable[[Notification], None] | None,
    ) -> None:
        self.on_failed = on_failed
        self.tell = on_told or _tell_nobody
        self.ended: dict[State, int] = {DELIVERED: 0, FAILED: 0, DROPPED: 0}
        self.evicted = 0
        self._finished: deque[Notification] = deque(maxlen=size)
        self._answered: deque[tuple[Notification, int]] = deque()
        self._characters = 0

    def __iter__(self) -> Iterator[Notification]:
        return iter(self._finished)

    def add(self, notification: Notification, state: State, reason: str | None = None) -> None:
        notification.state, notification.reason = state, reason
        finished = self._finished
        if len(finished) == finished.maxlen:
            self.evicted += 1
        finished.append(notification)
        self.ended[state] += 1
        self.tell(notification)
        if state == FAILED and self.on_failed is not None:
            self.on_failed(notification)

    def remove(self, notifications: Iterable[Notification]) -> None:
        """Take out what is to be posted once more."""
        numbers = {each.number for each in notifications}
        self._keep(lambda each: each.number not in numbers)

    def forget(self, appid: int) -> None:
        self._keep(lambda each: each.appid != appid)

    def note(self, notification: Notification, attempt: Attempt) -> None:
        """Keep an attempt; past a bound the oldest answers, or attempts, have to go."""
        notification.attempts = (*notification.attempts[1 - _MOST_ATTEMPTS :], attempt)
        if attempt.answer is None:
            return
        cost = len(attempt.answer) + _COST_OF_AN_ENTRY
        self._answered.append((notification, cost))
        self._characters += cost
        while self._characters > _MOST_ANSWER_CHARACTERS:
            oldest, cost = self._answered.popleft()
            self._characters -= cost
            _forget_answer(oldest)

    def _keep(self, is_kept: Callable[[Notification], bool]) -> None:
        kept = [each for each in self._finished if is_kept(each)]
        self._finished = deque(kept, maxlen=self._finished.maxlen)


def _tell_nobody(notification: Notification) -> None:
    pass


def _forget_answer(notification: Notification) -> None:
    attempts = list(notification.attempts)
    for index, attempt in enumerate(attempts):
        if attempt.answer is not None:
            attempts[index] = attempt._replace(answer=None)
            break
    notification.attempts = tuple(attempts)
