"""Scenarios played on a server, and what comes of them, event by event."""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import Client, Driver, Step, make_request
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import Finding, Judge
from fakerelay.contract.model import Outcome, Policy, World, foresee, key_of
from fakerelay.contract.operations import RIGHT, Operation, Start, Stop

RELEASE_SECONDS: Final = 10.0
_RELEASE_STEP_SECONDS: Final = 0.5


_USUAL: Final = Policy()


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and what may be judged there; account 1 is another one's, if there is any."""

    url: str
    accounts: Mapping[int, Account]
    push_base: str = "rtmp://push.invalid/live"
    policy: Policy = _USUAL


class Compared(NamedTuple):
    """A step that was as the contract says."""

    scenario: Scenario
    step: Step
    rules: Sequence[str]


class Broke(NamedTuple):
    """A rule that the last of the `steps` broke; they are as few as show it."""

    scenario: Scenario
    steps: Sequence[Step]
    finding: Finding


class Unclear(NamedTuple):
    """A step without an answer that can be judged."""

    scenario: Scenario
    step: Step


Event = Compared | Broke | Unclear


class Budget(NamedTuple):
    """What a run may take; a scenario that has begun is played to its end."""

    max_calls: int = 1500
    max_seconds: float = 300.0


class Run:
    """Plays scenarios, one after the other; `counts` has how often each rule was compared."""

    def __init__(
        self, target: Target, client: Client, judge: Judge, budget: Budget | None = None
    ) -> None:
        self._target = target
        self._client = client
        self._judge = judge
        self._budget = budget or Budget()
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
                if isinstance(event, Broke):
                    broke = event  # what runs is stopped first, or it would be in the way
                else:
                    yield event
            if broke is not None and broke.finding.rule not in self._known:
                self._known.add(broke.finding.rule)
                yield self._shorten(broke)

    def _play(
        self, scenario: Scenario, operations: Sequence[Operation], *, waits: bool
    ) -> Iterator[Event]:
        self._scenarios += 1
        names = Names(self._run_id, self._scenarios, self._target.push_base)
        driver = Driver(self._client, self._target.accounts, names)
        worlds: Sequence[World] = [World()]
        try:
            for operation in operations:
                if not self._is_spoiled(operation, names):
                    continue
                outcomes = [self._foresee(world, operation) for world in worlds]
                step = driver.perform(operation)
                event = self._judge_step(scenario, driver, step, outcomes, waits=waits)
                yield event
                if isinstance(event, Broke):
                    return
                worlds = self._go_on(event, worlds, outcomes)
        finally:
            self._clean_up(driver, operations, worlds)
            self.calls += len(driver.steps)

    def _foresee(self, world: World, operation: Operation) -> Outcome:
        return foresee(world, operation, self._target.policy, FAULTS)

    def _judge_step(
        self,
        scenario: Scenario,
        driver: Driver,
        step: Step,
        outcomes: Sequence[Outcome],
        *,
        waits: bool,
    ) -> Event:
        if step.observed.is_unclear:
            return Unclear(scenario, step)
        verdicts = [self._judge.compare(step, outcome) for outcome in outcomes]
        agreed = [rules for rules, finding in verdicts if finding is None]
        if agreed:
            self.counts.update(agreed[0])
            return Compared(scenario, step, agreed[0])
        rules, finding = verdicts[0]
        assert finding is not None
        steps = tuple(driver.steps)
        self.counts.update(rules)
        if waits and self._may_come_late(finding, steps) and self._comes_late(driver, step):
            return Compared(scenario, driver.steps[-1], rules)
        return Broke(scenario, steps, finding)

    def _may_come_late(self, finding: Finding, steps: Sequence[Step]) -> bool:
        """At level `documented`, what a stop frees may take a while; once for each rule."""
        *before, last = steps
        return (
            self._judge.level == "documented"
            and finding.rule not in self._known
            and isinstance(last.operation, Start)
            and not last.observed.is_accepted
            and any(isinstance(s.operation, Stop) and s.observed.is_accepted for s in before)
        )

    def _comes_late(self, driver: Driver, step: Step) -> bool:
        give_up_at = time.monotonic() + RELEASE_SECONDS
        while time.monotonic() < give_up_at:
            # Nothing but asking again tells when the server, which lives in real time, is done.
            time.sleep(_RELEASE_STEP_SECONDS)
            if driver.perform(step.operation).observed.is_accepted:
                return True
        return False

    def _go_on(
        self, event: Event, worlds: Sequence[World], outcomes: Sequence[Outcome]
    ) -> Sequence[World]:
        """The worlds there may be now: after a lost answer, with and without what was asked."""
        if isinstance(event, Unclear):
            return [*worlds, *(each.world for each in outcomes if each.broken is None)]
        accepted = isinstance(event, Compared) and event.step.observed.is_accepted
        return [each.world for each in outcomes if (each.broken is None) == accepted]

    def _is_spoiled(self, operation: Operation, names: Names) -> bool:
        """Whether what is to be wrong with it is: some keys have no other case, no padding."""
        if operation.credential == RIGHT:
            return True
        request = make_request(operation, self._target.accounts, names)
        return ("token", request.account.token) not in request.headers

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
        last = None
        for event in self._play(scenario, operations, waits=False):
            last = event
        is_same = isinstance(last, Broke) and last.finding.rule == rule
        is_whole = isinstance(last, Broke) and len(last.steps) == len(operations)
        return last if isinstance(last, Broke) and is_same and is_whole else None

    def _clean_up(
        self, driver: Driver, operations: Sequence[Operation], worlds: Sequence[World]
    ) -> None:
        """Stop all that may run: what the model says, and what was wrongly let in."""
        styles = {key_of(each): each.style for each in operations}
        running = {key: task.room for world in worlds for key, task in world.tasks.items()}
        for step in driver.steps:
            done = step.operation
            if isinstance(done, Start) and step.observed.is_accepted and done.flaw is None:
                running.setdefault(key_of(done), done.room)
            elif isinstance(done, Stop) and step.observed.is_accepted and done.addresses is None:
                running.pop(key_of(done), None)
        for (app, kind, task), room in running.items():
            style = styles.get((app, kind, task), "plain")
            driver.perform(
                Stop(task, None, kind, room, app, style=style if style in _NAMING else "plain")
            )


_NAMING: Final = ("room of 64 characters", "task of 64 characters", "user of 64 characters")
