"""What a run says of each rule, and of the server as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from fakerelay import schemas
from fakerelay.contract.events import Broke, Event, Unclear
from fakerelay.contract.operations import Level

State = Literal["agrees", "broken", "skipped", "inconclusive"]

AGREES: Final = 0
BROKEN: Final = 1
INCONCLUSIVE: Final = 3

_DOCUMENTED: Final = ("D", "S")
_MOST_UNCLEAR: Final = 0.05
_LATER: Final = "this kit does not judge it yet"


class Verdict(NamedTuple):
    """What became of one rule; `reason` says why it was skipped, or is inconclusive."""

    rule: str
    state: State
    compared: int
    reason: str | None = None


class Tally:
    """The events of a run, and what they come to; `counts` are the comparisons of each rule."""

    def __init__(self, level: Level, counts: Mapping[str, int]) -> None:
        self._level = level
        self._counts = counts
        self.findings: list[Broke] = []
        self.unclear: list[Unclear] = []
        self.steps = 0

    def add(self, event: Event) -> None:
        self.steps += 1
        if isinstance(event, Broke):
            self.findings.append(event)
        elif isinstance(event, Unclear):
            self.unclear.append(event)

    def verdicts(self) -> Sequence[Verdict]:
        """One for each rule of the level, in the order of the rulebook."""
        broken = {each.finding.rule for each in self.findings}
        return [
            self._judge(name, rule, broken)
            for name, rule in schemas.rulebook().items()
            if self._level == "assumed" or rule.level in _DOCUMENTED or name in broken
        ]

    @property
    def exit_code(self) -> int:
        """1 where a rule is broken; 3 where too little could be compared; else 0."""
        if self.findings:
            return BROKEN
        is_vague = len(self.unclear) > _MOST_UNCLEAR * max(self.steps, 1)
        return INCONCLUSIVE if is_vague or not sum(self._counts.values()) else AGREES

    def _judge(self, name: str, rule: schemas.Rule, broken: Iterable[str]) -> Verdict:
        compared = self._counts.get(name, 0)
        if name in broken:
            return Verdict(name, "broken", compared)
        if compared:
            return Verdict(name, "agrees", compared)
        if self.unclear:
            return Verdict(name, "inconclusive", 0, "calls were left without an answer")
        return Verdict(name, "skipped", 0, rule.reason or _LATER)
