"""What comes of a scenario, step by step."""

from collections.abc import Sequence
from typing import NamedTuple

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.drivers import Step
from fakerelay.contract.judgements import Finding


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
    """A step without an answer that can be judged; `suspicion` is what it breaks if it repeats."""

    scenario: Scenario
    step: Step
    suspicion: Broke | None = None


class Lost(NamedTuple):
    """The connection was lost at the last of the `steps`: it breaks nothing.

    Where it `is_lasting`, that came each time that it was tried: it leaves the `rule` open.
    """

    scenario: Scenario
    steps: Sequence[Step]
    rule: str
    is_lasting: bool = False

    @property
    def step(self) -> Step:
        return self.steps[-1]


class Left(NamedTuple):
    """A task that runs on: its stop, the `step`, was not answered, or is no use to be sent."""

    scenario: Scenario
    step: Step


Event = Compared | Broke | Unclear | Lost | Left


class Conduct(NamedTuple):
    """What a run had to bear: a budget that ended it, and what the target took its time for.

    `ran_out` is an option; it let in `calls_per_second` at most, where that isn't 0, and kept what
    a stop frees for `late_seconds`. Callbacks were awaited, and `none_told` where none came.
    """

    ran_out: str | None = None
    calls_per_second: int = 0
    late_seconds: float = 0.0
    none_told: bool = False
