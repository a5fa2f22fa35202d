"""What a server refuses for the moment alone is asked again, later."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from fakerelay.contract.answers import is_limited
from fakerelay.contract.clients import Client
from fakerelay.contract.drivers import Driver, Step
from fakerelay.contract.judgements import Judge
from fakerelay.contract.model import World, key_of
from fakerelay.contract.operations import Start, Stop
from fakerelay.contract.patience import Patience
from fakerelay.contract.targets import Target

RELEASE: Final = "release-at-once"
PATIENCE_SECONDS: Final = 10.0
_RELEASE_STEP_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 1.05
_PROBE: Final = 39
"""A task and an address that no scenario has."""


class Persistence:
    """Asks again what may have come too soon: after other calls, or after what frees its place.

    Of one scenario; how long a server takes, its `patience` and its client keep. `limited` are the
    calls up to the first that was refused for a limit of calls, told as the profile has it.
    """

    def __init__(
        self, driver: Driver, client: Client, target: Target, judge: Judge, patience: Patience
    ) -> None:
        self._driver = driver
        self._client = client
        self._release_seconds = target.release_seconds
        self._judge = judge
        self._patience = patience
        self.limited: Sequence[Step] = ()

    def ask_slower(self, step: Step) -> Step | None:
        """The same again, where it was refused for a limit of calls and is not any more."""
        calls = tuple(self._driver.calls)
        usual = self._client.calls_per_second
        again = step
        while is_limited(again.observed, self._judge.errors) and self._client.slow_down():
            again = self._driver.repeat(again)
        if again is step or is_limited(again.observed, self._judge.errors):
            self._client.calls_per_second = usual
            return None
        self.limited = self.limited or calls
        return again

    def ask_later(self, step: Step, worlds: Sequence[World]) -> Step | None:
        """The same again, where it was refused and should not have been, and is accepted later."""
        if self.is_soon(step, worlds):
            return self._wait_until_free(step)
        if self._judge.level == "documented" and not self._takes_another(step):
            return self._after_pause(lambda: self._repeat(step))
        return None

    def is_soon(self, step: Step, worlds: Sequence[World]) -> bool:
        """Whether it may want what a stop frees, or an update drops, and what may take a while."""
        start = step.operation
        return isinstance(start, Start) and (
            self._patience.late_seconds > 0
            or any(map(self._frees, self._driver.steps))
            or _takes_back(start, worlds)
        )

    def settle(self) -> None:
        """Wait until all is free that stops have freed: of a race one can't tell what was late."""
        # When it will be, nothing but the time tells that it took before.
        time.sleep(max(0.0, self._patience.late_until - time.monotonic()))

    def insist(self, end: Callable[[], Step | None]) -> Step | None:
        """What is left of what did not `end`, after a pause; in vain once, nobody waits again."""
        left = end()
        if left is None or self._judge.level == "assumed" or self._patience.waits_in_vain:
            return left
        is_over = self._after_pause(lambda: left if end() is None else None)
        self._patience.waits_in_vain = is_over is None
        return None if is_over else left

    def _after_pause(self, ask: Callable[[], Step | None]) -> Step | None:
        """What is asked after a limit of calls, told in any words; all is slower then."""
        usual = self._client.calls_per_second
        if not self._client.slow_down():
            return None
        # How many calls a second it takes, and since when it counts them, it does not say.
        time.sleep(_PAUSE_SECONDS)
        step = ask()
        if step is None:
            self._client.calls_per_second = usual
        return step

    def _takes_another(self, step: Step) -> bool:
        """Whether something else is accepted at once: there is no limit of calls then."""
        asked = step.operation
        probe = Start(_PROBE, (_PROBE,), "source", asked.room, asked.app)
        return self._driver.ask_aside(probe).observed.is_accepted

    def _repeat(self, step: Step) -> Step | None:
        again = self._driver.repeat(step)
        return again if again.observed.is_accepted else None

    def _frees(self, step: Step) -> bool:
        return step.observed.is_accepted and (
            isinstance(step.operation, Stop) or self._release_seconds > 0
        )

    def _wait_until_free(self, step: Step) -> Step | None:
        self.settle()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self._patience.reason is None:
            again = self._driver.repeat(step)
            if again.observed.is_accepted:
                self._patience.note_late()
                return again
            if time.monotonic() >= give_up_at:
                break
            step = again
            # Nothing but asking again tells when the server, which lives in real time, is done.
            time.sleep(_RELEASE_STEP_SECONDS)
        return None


def _takes_back(start: Start, worlds: Sequence[World]) -> bool:
    """Whether a task wants again what an update of its own dropped."""
    own = [world.tasks.get(key_of(start)) for world in worlds]
    return any(
        task is not None and bool((task.once - set(task.addresses)) & set(start.addresses))
        for task in own
    )
