"""One scenario being played: each step foreseen, done, judged; and what runs stopped at the end."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.drafts import Names
from fakerelay.contract.drivers import Client, Driver, Step, make_request
from fakerelay.contract.events import Broke, Compared, Event, Unclear
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import Finding, Judge
from fakerelay.contract.model import Outcome, World, foresee, key_of
from fakerelay.contract.operations import RIGHT, Operation, Start, Stop
from fakerelay.contract.targets import Target

RELEASE_SECONDS: Final = 10.0
_RELEASE_STEP_SECONDS: Final = 0.5
_NAMING: Final = ("room of 64 characters", "task of 64 characters", "user of 64 characters")


class Witness(Protocol):
    """Hears of all that is done in a scenario, and may have findings of its own.

    A `Broke` of its own ends the scenario as one of a step does; it gives the steps that show it.
    """

    def expect(self, play: "Play", operation: Operation) -> None:
        """Before an operation is done; not before those that clean up."""

    def hear(self, play: "Play", event: Event) -> Iterable[Event]:
        """After a step, with what came of it: `play.worlds` are those there may be now."""

    def conclude(self, play: "Play") -> Iterable[Event]:
        """After what still ran was stopped: `play.steps` has those stops too, from `played` on."""


class Play:
    """A scenario, or some of its operations, on a target. `steps` are all calls, in order.

    `has_patience` says of a rule whether a late release is worth waiting for.
    """

    def __init__(
        self,
        target: Target,
        client: Client,
        judge: Judge,
        names: Names,
        *,
        has_patience: Callable[[str], bool],
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self.target = target
        self.names = names
        self.worlds: Sequence[World] = [World()]
        self.counts: Counter[str] = Counter()
        self.played = 0
        self._judge = judge
        self._has_patience = has_patience
        self._witnesses = witnesses
        self._driver = Driver(client, target.accounts, names)

    @property
    def steps(self) -> Sequence[Step]:
        return self._driver.steps

    def run(self, scenario: Scenario, operations: Sequence[Operation]) -> Iterator[Event]:
        """Up to the first rule that is broken."""
        try:
            yield from self._do_all(scenario, operations)
        finally:
            self.played = len(self.steps)
            self._clean_up(operations)
        for witness in self._witnesses:
            yield from witness.conclude(self)

    def _do_all(self, scenario: Scenario, operations: Sequence[Operation]) -> Iterator[Event]:
        for operation in operations:
            if not self._is_spoiled(operation):
                continue
            for event in self._do(scenario, operation):
                yield event
                if isinstance(event, Broke):
                    return

    def _do(self, scenario: Scenario, operation: Operation) -> Iterator[Event]:
        for witness in self._witnesses:
            witness.expect(self, operation)
        outcomes = [foresee(world, operation, self.target.policy, FAULTS) for world in self.worlds]
        step = self._driver.perform(operation)
        event = self._judge_step(scenario, step, outcomes)
        if not isinstance(event, Broke):
            self.worlds = self._go_on(event, outcomes)
        yield event
        for witness in self._witnesses:
            yield from witness.hear(self, event)

    def _judge_step(self, scenario: Scenario, step: Step, outcomes: Sequence[Outcome]) -> Event:
        if step.observed.is_unclear:
            return Unclear(scenario, step)
        verdicts = [self._judge.compare(step, outcome) for outcome in outcomes]
        agreed = [rules for rules, finding in verdicts if finding is None]
        if agreed:
            self.counts.update(agreed[0])
            return Compared(scenario, step, agreed[0])
        rules, finding = verdicts[0]
        assert finding is not None
        steps = tuple(self.steps)
        self.counts.update(rules)
        if self._may_come_late(finding, steps) and self._comes_late(step):
            return Compared(scenario, self.steps[-1], rules)
        return Broke(scenario, steps, finding)

    def _may_come_late(self, finding: Finding, steps: Sequence[Step]) -> bool:
        """At level `documented`, what a stop frees may take a while."""
        *before, last = steps
        return (
            self._judge.level == "documented"
            and self._has_patience(finding.rule)
            and isinstance(last.operation, Start)
            and not last.observed.is_accepted
            and any(isinstance(s.operation, Stop) and s.observed.is_accepted for s in before)
        )

    def _comes_late(self, step: Step) -> bool:
        give_up_at = time.monotonic() + RELEASE_SECONDS
        while time.monotonic() < give_up_at:
            # Nothing but asking again tells when the server, which lives in real time, is done.
            time.sleep(_RELEASE_STEP_SECONDS)
            if self._driver.perform(step.operation).observed.is_accepted:
                return True
        return False

    def _go_on(self, event: Event, outcomes: Sequence[Outcome]) -> Sequence[World]:
        """The worlds there may be now: after a lost answer, with and without what was asked."""
        if isinstance(event, Unclear):
            return [*self.worlds, *(each.world for each in outcomes if each.broken is None)]
        accepted = isinstance(event, Compared) and event.step.observed.is_accepted
        return [each.world for each in outcomes if (each.broken is None) == accepted]

    def _is_spoiled(self, operation: Operation) -> bool:
        """Whether what is to be wrong with it is: some keys have no other case, no padding."""
        if operation.credential == RIGHT:
            return True
        request = make_request(operation, self.target.accounts, self.names)
        return ("token", request.account.token) not in request.headers

    def _clean_up(self, operations: Sequence[Operation]) -> None:
        """Stop all that may run: what the model says, and what was wrongly let in."""
        styles = {key_of(each): each.style for each in operations}
        running = {key: task.room for world in self.worlds for key, task in world.tasks.items()}
        for step in self.steps:
            done = step.operation
            if isinstance(done, Start) and step.observed.is_accepted and done.flaw is None:
                running.setdefault(key_of(done), done.room)
            elif isinstance(done, Stop) and step.observed.is_accepted and done.addresses is None:
                running.pop(key_of(done), None)
        for (app, kind, task), room in running.items():
            style = styles.get((app, kind, task), "plain")
            self._driver.perform(
                Stop(task, None, kind, room, app, style=style if style in _NAMING else "plain")
            )
