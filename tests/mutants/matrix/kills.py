"""The kit played against one seeded server, up to its first finding."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final, NamedTuple

from fakerelay.contract.clients import Client, show
from fakerelay.contract.drafts import Account
from fakerelay.contract.drivers import Step
from fakerelay.contract.efforts import EFFORTS, plan_scenarios
from fakerelay.contract.events import Broke, Event, Left, Unclear
from fakerelay.contract.judgements import Judge
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Level, Operation, tell
from fakerelay.contract.plays import Play
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.targets import Target
from fakerelay.profiles import merge_profile, read_profile
from tests.mutants import Mutant, open_mutant

_MADE_UP: Final = "made up"


class Trial(NamedTuple):
    """What is played: the kit with this seed against a server with this fault, or this variant."""

    name: str
    level: Level
    seed: int = 0
    effort: str = "quick"
    is_variant: bool = False
    max_seconds: float = 60.0


class Found(NamedTuple):
    """The first finding: by which rule, in which scenario, after how many calls and scenarios.

    `steps` tell its shortest script.
    """

    rule: str
    scenario: str
    calls: int
    scenarios: int
    steps: tuple[str, ...]
    told: str


class Result(NamedTuple):
    """What a trial came to; `calls` are all that it made, those that make a script short too."""

    trial: Trial
    found: Found | None
    calls: int


class Count:
    """A witness that counts; `marks` has calls and scenarios up to when a rule was broken."""

    def __init__(self) -> None:
        self.calls = 0
        self.scenarios = 0
        self.marks: dict[str, tuple[int, int]] = {}

    def expect(self, play: Play, operation: Operation) -> None:
        """Nothing is counted before it is done."""

    def hear(self, play: Play, event: Event) -> Iterable[Event]:
        broke = event.suspicion if isinstance(event, Unclear) else event
        if isinstance(broke, Broke):
            now = self.calls + len(play.steps), self.scenarios + 1
            self.marks.setdefault(broke.finding.rule, now)
        return ()

    def conclude(self, play: Play) -> Iterable[Event]:
        self.calls += len(play.steps)
        self.scenarios += 1
        return ()


def try_kit(trial: Trial) -> Result:
    """Play one trial; what nobody answers counts as found on a variant only."""
    count = Count()
    with _open_server(trial) as mutant, closing(Client(mutant.url)) as client:
        profile = merge_profile(read_profile("default"), mutant.profile, trial.name)
        policy = Policy(*(profile[name] for name in Policy._fields))
        accounts = {number: Account(*each) for number, each in enumerate(mutant.accounts)}
        target = Target(mutant.url, accounts, policy=policy)
        effort = EFFORTS[trial.effort]
        budget = Budget(effort.max_calls, trial.max_seconds)
        run = Run(target, client, Judge(trial.level, profile["errors"]), budget, [count])
        for event in run.play(plan_scenarios(target, trial.level, effort.made_up, trial.seed)):
            if isinstance(event, Broke) or (trial.is_variant and isinstance(event, Left | Unclear)):
                return Result(trial, _describe(event, count), run.calls)
    return Result(trial, None, run.calls)


def try_seeds(trials: Sequence[Trial]) -> list[Result]:
    """Trials of one server that differ in nothing but the seed.

    What is found before anything is made up is found with every seed, and tried with one only.
    """
    results = []
    for trial in trials:
        results.append(try_kit(trial))
        found = results[-1].found
        if found is not None and found.scenario != _MADE_UP and not trial.is_variant:
            return results
    return results


@contextmanager
def _open_server(trial: Trial) -> Iterator[Mutant]:
    faults = [] if trial.is_variant else [trial.name]
    with open_mutant(*faults, variant=trial.name if trial.is_variant else None) as mutant:
        yield mutant


def _describe(event: Broke | Left | Unclear, count: Count) -> Found:
    now = count.calls, count.scenarios
    if not isinstance(event, Broke):
        steps, told = [event.step], f"no answer to judge: {show(event.step.observed)}"
        return Found("-", event.scenario.name, *now, _tell(steps), told)
    rule, expected, got = event.finding
    mark = count.marks.get(rule, now)
    told = f"expected {expected}, got {got}"
    return Found(rule, event.scenario.name, *mark, _tell(event.steps), told)


def _tell(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(tell(step.operation) for step in steps)
