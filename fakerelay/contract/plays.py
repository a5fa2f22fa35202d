"""One scenario being played: each step foreseen, done, judged; and what runs stopped at the end."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol

from fakerelay.contract.answers import is_limited, is_unclear, may_refuse
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client, Observed
from fakerelay.contract.discretion import Discretion
from fakerelay.contract.drafts import Draft, Names
from fakerelay.contract.drivers import Driver, Step, make_request
from fakerelay.contract.events import Broke, Compared, Event, Left, Unclear
from fakerelay.contract.judgements import ACCEPTED, Finding, Judge
from fakerelay.contract.leftovers import list_loose, list_stops
from fakerelay.contract.model import Key, World, key_of
from fakerelay.contract.operations import (
    RIGHT,
    Move,
    Operation,
    Race,
    Start,
    Stop,
    list_operations,
)
from fakerelay.contract.patience import Patience
from fakerelay.contract.targets import Target
from fakerelay.contract.trials import judge_steps

RELEASE_SECONDS: Final = 10.0
_RELEASE_STEP_SECONDS: Final = 0.5
_MOST_WORLDS: Final = 64
_PACES: Final = (10, 5, 2, 1)
_PAUSE_SECONDS: Final = 1.05
_PROBE: Final = 39
"""A task and an address that no scenario has."""
_NAMING: Final = ("room of 64 characters", "task of 64 characters", "user of 64 characters")
_NAMED: Final = ("roomid ", "taskid ", "uid ")


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
    """A scenario, or some of its operations, on a target. `steps` are all calls, in order;
    `limited` are those up to the first that came too soon for the server.

    Rules `known` to be broken are no news where the form of a reply breaks them; `waits` says
    whether a late release is waited for, where another rule would be broken.
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
        waits: bool = True,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self.target = target
        self.names = names
        self.worlds: Sequence[World] = [World()]
        self.counts: Counter[str] = Counter()
        self.played = 0
        self.limited: Sequence[Step] = ()
        self._client = client
        self._judge = judge
        self._known = known
        self._waits = waits
        discreet = [Discretion()] if judge.level == "assumed" else []
        self._witnesses: Sequence[Witness] = [*discreet, *witnesses]
        self._driver = Driver(client, target.accounts, names, patience)
        self._patience = patience

    @property
    def steps(self) -> Sequence[Step]:
        return self._driver.steps

    def run(self, scenario: Scenario, moves: Sequence[Move]) -> Iterator[Event]:
        """Up to the first rule that is broken, or until it is no use to go on."""
        left: list[Left] = []
        try:
            yield from self._do_all(scenario, moves)
        finally:
            self.played = len(self.steps)
            left += self._clean_up(scenario)
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
            self._settle()
        for event in self._judge_steps(scenario, self._driver.move(move)):
            yield event
            for witness in self._witnesses:
                yield from witness.hear(self, event)

    def _judge_steps(self, scenario: Scenario, steps: Sequence[Step]) -> Sequence[Event]:
        trial = judge_steps(
            self._judge,
            self.worlds,
            steps,
            self.target.policy,
            self._known,
            is_unclear=self._is_unclear if len(steps) == 1 else self._is_undecided,
        )
        finding, played = trial.finding, tuple(self.steps)
        is_answer = finding is None and None not in trial.rules
        if not is_answer and len(steps) == 1 and (slower := self._ask_slower(steps[0])) is not None:
            return self._judge_steps(scenario, [slower])
        if (
            finding is not None
            and self._may_come_late(finding, steps)
            and self._comes_late(steps[0])
        ):
            return self._judge_steps(scenario, self.steps[-1:])
        if finding is not None and self._may_be_limited(finding, steps):
            again = self._ask_later(steps[0])
            if again is not None:
                return self._judge_steps(scenario, [again])
        for rules in trial.rules:
            self.counts.update(rules or ())
        if finding is not None:
            return [Broke(scenario, played, finding)]
        self.worlds = trial.worlds
        return [
            Unclear(scenario, step, suspicion and Broke(scenario, tuple(self.steps), suspicion))
            if rules is None
            else Compared(scenario, step, rules)
            for step, rules, suspicion in zip(steps, trial.rules, trial.suspicions, strict=True)
        ]

    def _ask_slower(self, step: Step) -> Step | None:
        """The same again, where it was refused for coming too soon and is not any more."""
        usual = self._client.calls_per_second
        is_limited_before = is_limited(step.observed, self._judge.errors)
        for pace in _PACES if is_limited_before else ():
            if not 0 < usual <= pace:
                self._client.calls_per_second = pace
                again = self._driver.send(step.operation, step.request)
                if not is_limited(again.observed, self._judge.errors):
                    self.limited = self.limited or [*self._up_to(step)]
                    return again
        self._client.calls_per_second = usual
        return None

    def _up_to(self, step: Step) -> Iterator[Step]:
        for each in self.steps:
            yield each
            if each is step:
                return

    def _may_be_limited(self, finding: Finding, steps: Sequence[Step]) -> bool:
        """Where only the documented counts, a limit of calls may be told in any words."""
        return (
            self._judge.level == "documented"
            and self._waits
            and finding.rule not in self._known
            and finding.expected == ACCEPTED
            and len(steps) == 1
        )

    def _ask_later(self, step: Step) -> Step | None:
        """The same again, if at once nothing else was accepted either, but is after a pause."""
        probe = Start(_PROBE, (_PROBE,), "source", step.operation.room, step.operation.app)
        usual = self._client.calls_per_second
        slower = [pace for pace in _PACES if not 0 < usual <= pace]
        if not slower or self._driver.perform(probe).observed.is_accepted:
            return None
        self._client.calls_per_second = slower[0]
        # How many calls a second it takes, and since when it counts them, it does not say.
        time.sleep(_PAUSE_SECONDS)
        again = self._driver.perform(step.operation)
        if again.observed.is_accepted:
            return again
        self._client.calls_per_second = usual
        return None

    def _may_come_late(self, finding: Finding, steps: Sequence[Step]) -> bool:
        """At level `documented`, what a stop frees may take a while; nothing is raced for then.

        At level `assumed` the profile says how long what a task held is kept.
        """
        before, (last, *others) = self.steps[: -len(steps)], steps
        return (
            (self._judge.level == "documented" or self.target.release_seconds > 0)
            and self._waits
            and finding.rule not in self._known
            and not others
            and isinstance(last.operation, Start)
            and not last.observed.is_accepted
            and (
                self._patience.late_seconds > 0
                or any(map(self._frees, before))
                or self._takes_back(last.operation)
            )
        )

    def _frees(self, step: Step) -> bool:
        return step.observed.is_accepted and (
            isinstance(step.operation, Stop) or self.target.release_seconds > 0
        )

    def _takes_back(self, start: Start) -> bool:
        """Whether a task wants again what an update of its own dropped."""
        own = [world.tasks.get(key_of(start)) for world in self.worlds]
        return any(
            task is not None and bool((task.once - set(task.addresses)) & set(start.addresses))
            for task in own
        )

    def _comes_late(self, last: Step) -> bool:
        """Whether the last operation is accepted after a while."""
        operation = last.operation
        began = time.monotonic()
        give_up_at = began + RELEASE_SECONDS
        while time.monotonic() < give_up_at and self._patience.reason is None:
            # Nothing but asking again tells when the server, which lives in real time, is done.
            time.sleep(_RELEASE_STEP_SECONDS)
            if self._driver.perform(operation).observed.is_accepted:
                self._patience.note_late(time.monotonic() - began)
                return True
        return False

    def _settle(self) -> None:
        """Wait until all is free that stops have freed: of a race one can't tell what was late."""
        # When it will be, nothing but the time tells that it took before.
        time.sleep(self._patience.late_seconds)

    def _is_spoiled(self, operation: Operation) -> bool:
        """Whether what is to be wrong with it is: some keys have no other case, no padding."""
        if operation.credential == RIGHT:
            return True
        request = make_request(operation, self.target.accounts, self.names)
        return ("token", request.account.token) not in request.headers

    def _clean_up(self, scenario: Scenario) -> Iterator[Left]:
        """Stop all that may run, what was wrongly let in too."""
        running = {key for world in self.worlds for key in world.tasks}
        ended: set[Key] = set()
        for begun, is_sure in reversed(list_loose(self.steps, running, self._is_unclear)):
            key, step = key_of(begun.operation), self._end(begun)
            if step is None:
                ended.add(key)
            elif is_sure and key not in ended and not self._ends_later(begun):
                yield Left(scenario, step)

    def _end(self, begun: Step) -> Step | None:
        """The last stop that was tried, if what began may run on."""
        step = None
        for stop, request in list_stops(begun, self.target.accounts, self.names):
            step = self._stop(stop, request)
            if step is None:
                return None
        return step

    def _ends_later(self, begun: Step) -> bool:
        """Whether its stop came too soon; where that was not so once, nobody waits again."""
        if self._judge.level == "assumed" or self._patience.waits_in_vain:
            return False
        # A limit of calls that is told in any words: see `_ask_later`.
        time.sleep(_PAUSE_SECONDS)
        self._patience.waits_in_vain = self._end(begun) is not None
        if not self._patience.waits_in_vain:
            usual = self._client.calls_per_second
            self._client.calls_per_second = next(
                (pace for pace in _PACES if not 0 < usual <= pace), usual
            )
        return not self._patience.waits_in_vain

    def _stop(self, stop: Stop, request: Draft) -> Step | None:
        """The step, if what it was to stop may run on: refused, not answered, or not to be sent."""
        last = self._patience.last
        for _attempt in range(2):
            if last is not None and self._patience.reason is not None:
                step = Step(stop, request, last)
                break
            step = self._driver.send(stop, request)
            step = self._ask_slower(step) or step
            last = step.observed
            if not self._is_unclear(last):
                return None if last.is_accepted else step
        # With a server of this machine that is gone, all that it ran is gone.
        return None if last is not None and last.failure == "gone" else step

    def _is_undecided(self, observed: Observed) -> bool:
        """Of a race: what came too soon can't be asked again."""
        return self._is_unclear(observed) or is_limited(observed, self._judge.errors)

    def _is_unclear(self, observed: Observed) -> bool:
        """A refusal of another form is one, where its form is only assumed; at a server that has
        shown that it speaks this API.
        """
        is_form_free = self._judge.level == "documented" and self._patience.has_answer
        is_refusal = is_form_free and may_refuse(observed)
        return not is_refusal and is_unclear(observed, self._judge.errors)


def stop_what_began(key: Key, room: int, start: Start | None) -> Stop:
    """The stop of a task, which says its names as the start did that began it."""
    app, kind, task = key
    style = start.style if start is not None and start.style in _NAMING else "plain"
    flaw = start.flaw if start is not None and (start.flaw or "").startswith(_NAMED) else None
    return Stop(task, None, kind, room, app, flaw=flaw, style=style)
