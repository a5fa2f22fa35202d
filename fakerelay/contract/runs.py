"""Scenarios played on a server, one after the other, within a budget; findings made short."""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.drafts import Names
from fakerelay.contract.drivers import Client
from fakerelay.contract.events import Broke, Event
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Operation
from fakerelay.contract.plays import Play, Witness
from fakerelay.contract.targets import Target


class Budget(NamedTuple):
    """What a run may take; a scenario that has begun is played to its end."""

    max_calls: int = 1500
    max_seconds: float = 300.0


class Run:
    """Plays scenarios, one after the other; `counts` has how often each rule was compared.

    The `witnesses` hear of each of them, and of those that make a finding short too.
    """

    def __init__(
        self,
        target: Target,
        client: Client,
        judge: Judge,
        budget: Budget | None = None,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self._target = target
        self._client = client
        self._judge = judge
        self._budget = budget or Budget()
        self._witnesses = witnesses
        self._give_up_at = time.monotonic() + self._budget.max_seconds
        self._run_id = secrets.token_hex(4)
        self._scenarios = 0
        self._known: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.calls = 0

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent."""
        return self.calls >= self._budget.max_calls or time.monotonic() >= self._give_up_at

    def play(self, scenarios: Iterable[Scenario]) -> Iterator[Event]:
        """Each rule is told broken once; the first scenario that shows it is made short."""
        for scenario in scenarios:
            if self.is_over:
                return
            if scenario.needs_other_app and 1 not in self._target.accounts:
                continue
            broke = None
            for event in self._play(scenario, scenario.operations, waits=True):
                if not isinstance(event, Broke):
                    yield event
                elif broke is None and event.finding.rule not in self._known:
                    broke = event  # what runs is stopped first, or it would be in the way
            if broke is not None:
                self._known.add(broke.finding.rule)
                yield self._shorten(broke)

    def _play(
        self, scenario: Scenario, operations: Sequence[Operation], *, waits: bool
    ) -> Iterator[Event]:
        self._scenarios += 1
        play = Play(
            self._target,
            self._client,
            self._judge,
            Names(self._run_id, self._scenarios, self._target.push_base),
            has_patience=lambda rule: waits and rule not in self._known,
            witnesses=self._witnesses,
        )
        try:
            yield from play.run(scenario, operations)
        finally:
            self.counts.update(play.counts)
            self.calls += len(play.steps)

    def _shorten(self, broke: Broke) -> Broke:
        """Leave out each step that the finding doesn't need; what it needs is played to the end."""
        operations = [step.operation for step in broke.steps]
        shortest = broke
        for number in reversed(range(len(operations) - 1)):
            fewer = [each for place, each in enumerate(operations) if place != number]
            again = self._find(broke.scenario, fewer, broke.finding.rule)
            if again is not None:
                operations, shortest = fewer, again
        return shortest

    def _find(self, scenario: Scenario, operations: Sequence[Operation], rule: str) -> Broke | None:
        """The finding again, at the last of some operations."""
        for event in list(self._play(scenario, operations, waits=False)):
            is_same = isinstance(event, Broke) and event.finding.rule == rule
            if isinstance(event, Broke) and is_same and len(event.steps) == len(operations):
                return event
        return None
