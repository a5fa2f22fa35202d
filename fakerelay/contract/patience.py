"""When it is no use to go on with a server."""

import time
from typing import Final

from fakerelay.contract.clients import Observed, read_object, show

_MOST_SILENT: Final = 3
_MOST_UNANSWERED: Final = 12
_MOST_DROPPED: Final = 60
_MOST_STRANGE: Final = 20


class Patience:
    """Notes each answer, and says when it is no use to go on. `last` is the latest.

    `late_seconds` are the longest that what a stop frees was seen to take here, and `freed_at` is
    when it freed something last; `waits_in_vain` that a stop which was refused was so again after a
    pause.
    """

    def __init__(self) -> None:
        self.last: Observed | None = None
        self.has_answer = False
        self.late_seconds = 0.0
        self.freed_at = 0.0
        self.waits_in_vain = False
        self._accepted = 0
        self._refused = 0
        self._silent = 0
        self._unanswered = 0
        self._strange = 0

    def note(self, observed: Observed) -> None:
        is_whole = observed.envelope is not None
        self.last = observed
        self._silent = self._silent + 1 if observed.failure == "silent" else 0
        self._unanswered = self._unanswered + 1 if observed.failure is not None else 0
        self._strange += not is_whole
        self.has_answer |= is_whole and (observed.status or 500) < 500
        self._accepted += observed.is_accepted
        self._refused += not observed.is_accepted and read_object(observed.body) is not None

    def note_freed(self) -> None:
        self.freed_at = time.monotonic()

    def note_late(self) -> None:
        """What was freed is free only now."""
        self.late_seconds = max(self.late_seconds, time.monotonic() - self.freed_at)

    @property
    def late_until(self) -> float:
        """When all should be free, by the monotonic clock."""
        return self.freed_at + self.late_seconds

    @property
    def reason(self) -> str | None:
        """Why to give up, if so."""
        last = self.last
        if last is None:
            return None
        # A server that has answered may drop all calls of one sort, one after the other.
        is_choosy = self.has_answer and last.failure == "broken"
        most = _MOST_DROPPED if is_choosy else _MOST_UNANSWERED
        if self._silent >= _MOST_SILENT or self._unanswered >= most:
            count = self._unanswered
            return f"{count} calls in a row were not answered; of the last: {last.error}"
        if not self.has_answer and self._strange >= _MOST_STRANGE:
            return f"none of {self._strange} calls was answered as this API does: {show(last)}"
        return None

    @property
    def bias(self) -> str | None:
        """What all calls came to, where it was the same with all."""
        if not self._refused:
            return f"all of {self._accepted} calls were accepted, right or wrong"
        if not self._accepted:
            hint = "are the app, its certificate and the key those of the server?"
            return f"none of {self._refused} calls was accepted: {hint}"
        return None
