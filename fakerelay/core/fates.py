"""What is to become of a push: how it begins, and which turns it then takes by itself.

Values only, so that a command can carry them and a snapshot keep them; `cdn` lets them happen.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fakerelay.core.faults import Step
from fakerelay.core.pushes import CDN_FAILED, CONNECTING, INTERNAL_FAILED, PUSHING, STOPPED


class Turn(NamedTuple):
    """A status that a push takes `after_seconds`, and what follows it.

    With `pause_seconds` a failed one is back after them; then, `rounds` more times, it fails with
    `failure` and is back again. None rounds are without an end.
    """

    after_seconds: float
    status: int
    pause_seconds: float | None = None
    rounds: int | None = 0
    failure: int = CDN_FAILED

    def next(self) -> "Turn | None":
        """The turn after this one."""
        if self.pause_seconds is None:
            return None
        if self.status != PUSHING:
            return self._replace(after_seconds=self.pause_seconds, status=PUSHING)
        if self.rounds == 0:
            return None
        left = None if self.rounds is None else self.rounds - 1
        return self._replace(after_seconds=self.pause_seconds, status=self.failure, rounds=left)


class Fate(NamedTuple):
    """How a push begins, and its first turn; of one that is `taken` already, nothing begins."""

    begins: int = PUSHING
    turn: Turn | None = None
    is_taken: bool = False


ANY_FATE: Final = Fate()
TAKEN: Final = Fate(is_taken=True)
Fates = Mapping[str, Fate]
"""By the key of an address; what isn't in it begins as ever."""


def read_fate(step: Step) -> Fate:
    """The fate that a step of the vocabulary for pushes means."""
    return _READERS[step.fault](step.settings)


def _fail(settings: Mapping[str, Any]) -> Fate:
    status = _FAILURE_NAMES[settings.get("status", "cdn_failed")]
    return _fail_after(settings.get("after_seconds", 0), status, settings.get("recover_seconds"))


def _leave(settings: Mapping[str, Any]) -> Fate:
    """Without the user there is nothing to send, which is no fault of the CDN's."""
    seconds = settings.get("after_seconds", 0)
    return _fail_after(seconds, INTERNAL_FAILED, settings.get("recover_seconds"))


def _fail_after(seconds: float, status: int, recover_seconds: float | None) -> Fate:
    if seconds:
        return Fate(PUSHING, Turn(seconds, status, recover_seconds))
    return Fate(status, Turn(seconds, status, recover_seconds).next())


def _flap(settings: Mapping[str, Any]) -> Fate:
    status, times = _FAILURE_NAMES[settings.get("status", "cdn_failed")], settings.get("times")
    seconds = settings["seconds"]
    rounds = None if times is None else times - 1
    return Fate(PUSHING, Turn(seconds, status, seconds, rounds, status))


def _connect_slowly(settings: Mapping[str, Any]) -> Fate:
    return Fate(CONNECTING, Turn(settings["seconds"], PUSHING))


_FAILURE_NAMES: Final = {"cdn_failed": CDN_FAILED, "internal_failed": INTERNAL_FAILED}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Fate]]] = {
    "pass": lambda settings: ANY_FATE,
    "fail": _fail,
    "flap": _flap,
    "slow": _connect_slowly,
    "stop": lambda settings: Fate(turn=Turn(settings["seconds"], STOPPED)),
    "user_left": _leave,
}
