"""One scenario being played: each step foreseen, done, judged; and what runs stopped at the end."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol

from fakerelay.contract.answers import Reading
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client, Observed
from fakerelay.contract.discretion import Discretion
from fakerelay.contract.drafts import Names
from fakerelay.contract.drivers import Driver, Step, make_request
from fakerelay.contract.events import Broke, Compared, Event, Left, Lost, Unclear
from fakerelay.contract.judgements import ACCEPTED, Judge
from fakerelay.contract.leftovers import Sweep
from fakerelay.contract.model import World
from fakerelay.contract.operations import RIGHT, Move, Operation, Race, list_operations
from fakerelay.contract.patience import Patience
from fakerelay.contract.persistence import RELEASE, Persistence
from fakerelay.contract.targets import Target
from fakerelay.contract.trials import Trial, judge_steps

_MOST_WORLDS: Final = 64


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
    """A scenario, or some of its operations, on a target. `calls` are all that were made, in order,
    `steps` those that count: what was refused for the moment alone was asked again.

    Rules `known` to be broken are no news where the form of a reply breaks them. Where it is played
    again for a finding of the rule that is `sought`, no late release is waited for.
    """

    def __init__(
        self,
        target: Target,
        client: Client,
        judge: Judge,
        names: Names,
        *,
        patience: Patience,
        known: Collection[str] = (),
        sought: str | None = None,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self.target = target
        self.names = names
        self.worlds: Sequence[World] = [World()]
        self.counts: Counter[str] = Counter()
        self.played = 0
        self._client = client
        self._judge = judge
        self._known = known
        self._sought = sought
        discreet = [Discretion()] if judge.level == "assumed" else []
        self._witnesses: Sequence[Witness] = [*discreet, *witnesses]
        self._driver = Driver(client, target.accounts, names, patience)
        self._patience = patience
        self._reading = Reading(judge, patience)
        self._persistence = Persistence(self._driver, client, target, judge, patience)
        self._sweep = Sweep(self._driver, self._persistence, self._reading, patience)

    @property
    def steps(self) -> Sequence[Step]:
        return self._driver.steps

    @property
    def calls(self) -> Sequence[Step]:
        return self._driver.calls

    @property
    def limited(self) -> Sequence[Step]:
        """The calls up to the first that came too soon for the server."""
        return self._persistence.limited

    def run(self, scenario: Scenario, moves: Sequence[Move]) -> Iterator[Event]:
        """Up to the first rule that is broken, or until it is no use to go on."""
        left: list[Left] = []
        try:
            yield from self._do_all(scenario, moves)
        finally:
            self.played = len(self.steps)
            running = {key for world in self.worlds for key in world.tasks}
            left += [Left(scenario, step) for step in self._sweep.run(running)]
        yield from left
        for witness in self._witnesses:
            yield from witness.conclude(self)

    def _do_all(self, scenario: Scenario, moves: Sequence[Move]) -> Iterator[Event]:
        for move in moves:
            operations = list_operations(move)
            if len(operations) > 1 and 0 < self._client.calls_per_second < len(operations):
                return
            if not all(map(self._is_spoiled, operations)):
                continue
            for event in self._do(scenario, move):
                yield event
                if isinstance(event, Broke):
                    return
            if self._patience.reason is not None or len(self.worlds) > _MOST_WORLDS:
                return

    def _do(self, scenario: Scenario, move: Move) -> Iterator[Event]:
        for operation in list_operations(move):
            for witness in self._witnesses:
                witness.expect(self, operation)
        if isinstance(move, Race):
            self._persistence.settle()
        for event in self._judge_steps(scenario, self._driver.move(move)):
            yield event
            for witness in self._witnesses:
                yield from witness.hear(self, event)

    def _judge_steps(self, scenario: Scenario, steps: Sequence[Step]) -> Iterator[Event]:
        trial = self._try(steps)
        if len(steps) == 1 and (trial.finding is not None or None in trial.rules):
            steps, trial = self._ask_again(steps, trial)
        for rules in trial.rules:
            self.counts.update(rules or ())
        if trial.finding is not None:
            yield Broke(scenario, tuple(self.steps), trial.finding)
            return
        self.worlds = trial.worlds
        for number, step in enumerate(steps):
            yield self._tell(scenario, step, trial, number)

    def _try(self, steps: Sequence[Step]) -> Trial:
        """By all answers; those of a race that nothing explains may have come too soon."""
        trial = self._weigh(steps, self._reading.is_unclear)
        if trial.finding is None or len(steps) == 1:
            return trial
        return self._weigh(steps, self._reading.is_undecided)

    def _weigh(self, steps: Sequence[Step], is_unclear: Callable[[Observed], bool]) -> Trial:
        policy, known = self.target.policy, self._known
        return judge_steps(self._judge, self.worlds, steps, policy, known, is_unclear=is_unclear)

    def _ask_again(self, steps: Sequence[Step], trial: Trial) -> tuple[Sequence[Step], Trial]:
        """The same later, where it was refused for the moment alone; else what there is."""
        slower = self._persistence.ask_slower(steps[0])
        if slower is not None:
            steps, trial = [slower], self._try([slower])
        finding = trial.finding
        if finding is None or finding.rule in self._known or finding.expected != ACCEPTED:
            return steps, trial
        if self._sought is not None:
            is_late = self._sought == RELEASE and self._persistence.is_soon(steps[0], self.worlds)
        elif (later := self._persistence.ask_later(steps[0], self.worlds)) is not None:
            steps, trial, is_late = [later], self._try([later]), True
        else:
            return steps, trial
        if is_late and self._is_release_judged and RELEASE not in self._known:
            return steps, trial._replace(finding=finding._replace(rule=RELEASE))
        return steps, trial

    @property
    def _is_release_judged(self) -> bool:
        return self._judge.level == "assumed" and self.target.release_seconds == 0

    def _tell(self, scenario: Scenario, step: Step, trial: Trial, number: int) -> Event:
        rules, suspicion = trial.rules[number], trial.suspicions[number]
        if rules is not None:
            return Compared(scenario, step, rules)
        steps = tuple(self.steps)
        if step.observed.failure == "broken":
            return Lost(scenario, steps, trial.wanted[number])
        if suspicion is None or not self._reading.is_unclear(step.observed):
            return Unclear(scenario, step)
        return Unclear(scenario, step, Broke(scenario, steps, suspicion))

    def _is_spoiled(self, operation: Operation) -> bool:
        """Whether what is to be wrong with it is: some keys have no other case, no padding."""
        if operation.credential == RIGHT:
            return True
        request = make_request(operation, self.target.accounts, self.names)
        return ("token", request.account.token) not in request.headers
