"""How a run was asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fakerelay.contract.divergences import Divergence
from fakerelay.contract.operations import Level
from fakerelay.contract.targets import Target
from fakerelay.contract.verdicts import USUAL_TROUBLES, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that a report says of it. `baseline` are the rules that an earlier run found broken;
    `is_deaf` says that a place for callbacks was named where none is judged.
    """

    kit: str
    began_at: datetime
    target: Target
    is_own: bool
    level: Level
    effort: str
    seed: int
    profile: str
    max_calls: int
    max_seconds: float
    only: Sequence[str] = ()
    fails_on: Collection[Trouble] = USUAL_TROUBLES
    accepted: Mapping[str, Divergence] = field(default_factory=dict)
    baseline: Collection[str] | None = None
    is_deaf: bool = False

    @property
    def expired(self) -> Collection[str]:
        """The rules that were accepted as broken until some earlier day."""
        today = self.began_at.date()
        return {name for name, each in self.accepted.items() if each.has_expired(today)}
