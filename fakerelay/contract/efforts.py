"""How much is tried on a server: what is always played, then what is made up, in one order."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from fakerelay.contract.catalogue import Scenario, list_scenarios
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.machines import explore
from fakerelay.contract.operations import Level
from fakerelay.contract.targets import Target


class Effort(NamedTuple):
    """At most so many calls, or a few more, and so many scenarios made up."""

    max_calls: int
    made_up: int


EFFORTS: Final[Mapping[str, Effort]] = {
    "quick": Effort(1475, 40),
    "deep": Effort(60_000, 2000),
}


def plan_scenarios(target: Target, level: Level, made_up: int, seed: int) -> Iterator[Scenario]:
    """All that a run is to play, drawn as it is asked for."""
    yield from list_scenarios(level, target.policy)
    yield from explore(
        level,
        target.policy,
        FAULTS,
        has_other_app=1 in target.accounts,
        seed=seed,
        scenarios=made_up,
    )
