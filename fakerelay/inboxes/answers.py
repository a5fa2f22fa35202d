"""How an inbox answers: as told, for as many callbacks as told, then as usual again."""

import math
from typing import Final

from fakerelay.errors import FakerelayError
from fakerelay.targets import check_callback_url


class Spell:
    """A way of answering the next `left` callbacks, or all of them.

    After `seconds`, which may be infinite, comes `status`, or the usual answer where it is None.
    """

    __slots__ = ("left", "note", "seconds", "status")

    def __init__(
        self, note: str | None, times: int | None = None, *, status: int | None, seconds: float = 0
    ) -> None:
        self.note = note
        self.left = times
        self.status = status
        self.seconds = seconds


_USUAL: Final = Spell(None, status=None)


class Answers:
    """Set from any thread, asked in one: a spell is replaced as a whole."""

    def __init__(self) -> None:
        self._spell = _USUAL
        self._forward_url: str | None = None

    def accept(self) -> None:
        """End what `fail`, `hang` and `delay` began; what hangs already goes on hanging."""
        self._spell = _USUAL

    def fail(self, status: int = 500, times: int | None = None) -> None:
        """Answer with an HTTP status that makes the sender try again: the next so many `times`,
        or always.
        """
        if not isinstance(status, int) or not 300 <= status <= 599:
            raise FakerelayError(
                f"Can't fail with status {status!r}: give one from 300 to 599; 2xx is accept()"
            )
        self._spell = Spell("fail", _check_times(times), status=status)

    def hang(self, times: int | None = None) -> None:
        """Answer nothing until the sender gives up, or the inbox is closed."""
        self._spell = Spell("hang", _check_times(times), status=None, seconds=math.inf)

    def delay(self, seconds: float, times: int | None = None) -> None:
        """Answer as usual, but so many real seconds later."""
        is_number = isinstance(seconds, int | float) and math.isfinite(seconds)
        if not is_number or seconds < 0:
            raise FakerelayError(
                f"Can't delay by {seconds!r} seconds: give a number from 0; hang() never answers"
            )
        note = f"delay of {seconds:g} s"
        self._spell = Spell(note, _check_times(times), status=None, seconds=seconds)

    def forward_to(self, url: str | None) -> None:
        """From now on post each callback to the app under test too, and answer as it does.

        None ends it. Raises ConfigError for what is no URL.
        """
        self._forward_url = None if url is None else check_callback_url(url)

    def take(self) -> tuple[Spell, str | None]:
        """For one callback: how it is answered, and where it is forwarded to, if it is."""
        spell = self._spell
        if spell.left == 0:
            spell = _USUAL
        elif spell.left is not None:
            spell.left -= 1
        is_forwarded = spell.status is None and math.isfinite(spell.seconds)
        return spell, self._forward_url if is_forwarded else None


def _check_times(times: int | None) -> int | None:
    if times is None or (isinstance(times, int) and times >= 1):
        return times
    raise FakerelayError(f"times is {times!r}: give how many callbacks it is for, from 1, or None")
