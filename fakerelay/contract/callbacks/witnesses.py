"""Hears what is called and what is told, and says what of that broke a rule."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from fakerelay.contract.callbacks.books import Book, Found
from fakerelay.contract.callbacks.ledgers import Ledger
from fakerelay.contract.callbacks.retries import SILENCE_SECONDS, conclude, due_at
from fakerelay.contract.callbacks.routes import Route
from fakerelay.contract.callbacks.scenarios import MOST_SECONDS, list_troubles
from fakerelay.contract.callbacks.slices import slice_steps
from fakerelay.contract.drivers import Step
from fakerelay.contract.events import Broke, Compared, Event, Left
from fakerelay.contract.model import key_of
from fakerelay.contract.operations import Operation
from fakerelay.contract.plays import Play
from fakerelay.contract.targets import Target

_QUIET_SECONDS: Final = 0.5


class CallbackWitness:
    """Of one run: says what it finds between scenarios, and the rest by `finish`."""

    def __init__(
        self,
        target: Target,
        route: Route,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        other = target.accounts.get(1)
        self._policy = target.policy
        self._route = route
        self._silence = silence_seconds
        self._troubles = list_troubles(route.terms)
        self._book = Book(route.terms, target.accounts[0].appid, other and other.appid)
        self._ledger: Ledger | None = None
        self._sent_at: list[float] = []
        self._is_told = True
        self._new: list[Broke] = []
        self._last_at = 0.0

    @property
    def counts(self) -> Counter[str]:
        """How often each rule was compared."""
        return self._book.counts

    @property
    def none_told(self) -> bool:
        """Whether nothing came at all, where something should have."""
        return self._book.is_silent and any(ledger.foreseen for ledger in self._book.ledgers)

    def expect(self, play: Play, operation: Operation) -> None:
        """Before a call: some addresses are chosen for what goes wrong."""
        symbols = set(operation.addresses or ()) & self._troubles.keys()
        self._route.begin({play.names.address(each): self._troubles[each] for each in symbols})
        if self._is_told:
            self._sent_at.clear()
        self._is_told = False
        self._sent_at.append(time.monotonic())

    def hear(self, play: Play, event: Event) -> Iterable[Event]:
        """After a call; of one that was raced nobody knows when it was answered."""
        if self._ledger is None:
            self._ledger = Ledger(event.scenario, play.names.run_id)
        if not isinstance(event, Broke | Left):
            step = event.step
            is_clear = isinstance(event, Compared) and not _is_tied(step, play.steps)
            answered_at = time.monotonic() if len(self._sent_at) == 1 else None
            is_accepted = step.observed.is_accepted if is_clear else None
            self._note(self._ledger, step, self._sent_at[0], answered_at, is_accepted)
        self._is_told = True
        return ()

    def conclude(self, play: Play) -> Iterable[Event]:
        """A scenario is over: what has come by now is judged, of this one and of those before."""
        ledger, self._ledger, self._is_told = self._ledger, None, True
        self._route.end()
        if ledger is not None:
            self._clean_up(ledger, play)
            self._book.add(ledger)
        self._take()
        return ()

    def report(self) -> Iterable[Broke]:
        """What was found since it was asked last, about any scenario: each with its steps."""
        new, self._new = self._new, []
        return new

    def finish(self) -> Iterable[Broke]:
        """After the last scenario: wait for what is still to come, and judge all there is."""
        self._wait()
        self._new += map(self._show, conclude(self._book, time.monotonic(), self._silence))
        return self.report()

    def _note(
        self,
        ledger: Ledger,
        step: Step,
        sent_at: float,
        answered_at: float | None,
        is_accepted: bool | None,
    ) -> None:
        ledger.note(step, sent_at, answered_at, is_accepted=is_accepted)
        self._route.end(step.request.trace_id)

    def _clean_up(self, ledger: Ledger, play: Play) -> None:
        """The stops at the end; of a scenario that broke off nobody knows what they should tell."""
        is_whole = len(ledger.calls) == play.played
        for step in play.steps[len(ledger.calls) :]:
            is_accepted = True if is_whole and step.observed.is_accepted else None
            self._note(ledger, step, time.monotonic(), None, is_accepted)

    def _take(self) -> None:
        for arrival in self._route.take():
            self._last_at = arrival.at
            found = self._book.judge(arrival)
            if found is not None:
                self._new.append(self._show(found))

    def _wait(self) -> None:
        give_up_at = time.monotonic() + MOST_SECONDS
        while True:
            self._take()
            due = due_at(self._book, self._silence)
            now = time.monotonic()
            if due is None or now >= min(max(due, self._last_at + self._silence), give_up_at):
                break
            self._route.wait(min(max(due, self._last_at + self._silence), give_up_at) - now)
        self._route.wait(_QUIET_SECONDS)
        self._take()

    def _show(self, found: Found) -> Broke:
        ledger = found.ledger
        needed = [call.number for call in found.calls]
        steps = slice_steps(ledger.steps, needed, self._policy)
        return Broke(ledger.scenario, steps, found.finding)


def _is_tied(step: Step, steps: Sequence[Step]) -> bool:
    """Whether another call raced for the same task: nobody knows which of them came last."""
    key = key_of(step.operation)
    same = [each for each in steps if each.race == step.race and key_of(each.operation) == key]
    return step.race > 0 and len(same) > 1
