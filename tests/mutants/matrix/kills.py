"""The kit played against one seeded server, up to its first finding."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Final, NamedTuple

from fakerelay.contract.callbacks.arrivals import Terms
from fakerelay.contract.callbacks.routes import Route
from fakerelay.contract.callbacks.scenarios import list_callback_scenarios
from fakerelay.contract.callbacks.witnesses import CallbackWitness
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client, show
from fakerelay.contract.drafts import Account
from fakerelay.contract.drivers import Step
from fakerelay.contract.efforts import EFFORTS, plan_scenarios
from fakerelay.contract.events import Broke, Event, Left, Lost, Unclear
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level, Operation, tell
from fakerelay.contract.plays import Play
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.targets import make_target
from fakerelay.profiles import merge_profile, read_profile
from tests.mutants import VARIANTS, Mutant, open_mutant
from tests.mutants.faults.callbacks import FAULTS as CALLBACK_FAULTS

_MADE_UP: Final = "made up"
_SILENCE_SECONDS: Final = 2.0
_DELAYS: Final = [0.4, 0.4, 0.5, 0.5, 0.6]
_SOON: Final = {"callback": {"timeout_seconds": 1.5, "retry_delays_seconds": _DELAYS}}


class Trial(NamedTuple):
    """What is played: the kit with this seed against a server with this fault, or this variant."""

    name: str
    level: Level
    seed: int = 0
    effort: str = "quick"
    is_variant: bool = False
    max_seconds: float = 60.0

    @property
    def has_callbacks(self) -> bool:
        """Whether the server tells what happens: where nothing else shows what is wrong with it."""
        return self.level == "assumed" and (self.is_variant or self.name in CALLBACK_FAULTS)


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
            now = self.calls + len(play.calls), self.scenarios + 1
            self.marks.setdefault(broke.finding.rule, now)
        return ()

    def conclude(self, play: Play) -> Iterable[Event]:
        self.calls += len(play.calls)
        self.scenarios += 1
        return ()


def try_kit(trial: Trial) -> Result:
    """Play one trial; what nobody answers counts as found on a variant only."""
    count = Count()
    with ExitStack() as stack:
        mutant = stack.enter_context(_open_server(trial))
        client = stack.enter_context(closing(Client(mutant.url)))
        profile = merge_profile(read_profile("default"), mutant.profile, trial.name)
        accounts = {number: Account(*each) for number, each in enumerate(mutant.accounts)}
        target = make_target(mutant.url, accounts, profile)
        effort = EFFORTS[trial.effort]
        budget = Budget(effort.max_calls, trial.max_seconds)
        callbacks = None
        if trial.has_callbacks:
            route = stack.enter_context(Route(Terms.from_profile(profile["callback"])))
            mutant.callback_url = route.url
            callbacks = CallbackWitness(target, route, _SILENCE_SECONDS)
        judge = Judge(trial.level, profile["errors"])
        run = Run(target, client, judge, budget, [count], callbacks)
        for event in _play_all(
            run, plan_scenarios(target, trial.level, effort.made_up, trial.seed)
        ):
            if isinstance(event, Broke) or (
                trial.is_variant and isinstance(event, Left | Lost | Unclear)
            ):
                return Result(trial, _describe(event, count), run.calls)
    return Result(trial, None, run.calls)


def _play_all(run: Run, scenarios: Iterable[Scenario]) -> Iterator[Event]:
    """What only shows after a while is waited for twice: soon, and at the end."""
    yield from run.play(list_callback_scenarios() if run.has_callbacks else ())
    yield from run.finish()
    yield from run.play(scenarios)
    yield from run.finish()


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
    variant = trial.name if trial.is_variant else None
    is_told = variant is not None and "callback" in VARIANTS[variant].profile
    profile = _SOON if trial.has_callbacks and not is_told else None
    with open_mutant(*faults, variant=variant, profile=profile) as mutant:
        yield mutant


def _describe(event: Broke | Left | Lost | Unclear, count: Count) -> Found:
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
