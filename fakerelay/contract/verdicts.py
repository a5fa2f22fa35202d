"""What a run says of each rule, and of the server as a whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from fakerelay import schemas
from fakerelay.contract.events import Broke, Event, Left, Unclear
from fakerelay.contract.operations import Level

State = Literal["agrees", "broken", "skipped", "inconclusive"]

AGREES: Final = 0
BROKEN: Final = 1
INCONCLUSIVE: Final = 3
LEFTOVERS: Final = 4

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
    """The events of a run, and what they come to; `counts` are the comparisons of each rule.

    The `planned` rules are those to be compared; others are skipped where they are not.
    """

    def __init__(
        self, level: Level, counts: Mapping[str, int], planned: Collection[str] = ()
    ) -> None:
        self._level = level
        self._counts = counts
        self._planned = planned
        self.findings: list[Broke] = []
        self.unclear: list[Unclear] = []
        self.left: list[Left] = []
        self.gave_up: str | None = None
        self.steps = 0

    def add(self, event: Event) -> None:
        if isinstance(event, Left):
            self.left.append(event)
            return
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
        """1 for a broken rule, else 4 if a task may run on, else 3 if too little is known."""
        if self.findings:
            return BROKEN
        if self.left:
            return LEFTOVERS
        is_vague = len(self.unclear) > _MOST_UNCLEAR * max(self.steps, 1)
        is_vague |= self.gave_up is not None or not sum(self._counts.values())
        is_vague |= any(each.state == "inconclusive" for each in self.verdicts())
        return INCONCLUSIVE if is_vague else AGREES

    def _judge(self, name: str, rule: schemas.Rule, broken: Iterable[str]) -> Verdict:
        compared = self._counts.get(name, 0)
        if name in broken:
            return Verdict(name, "broken", compared)
        if compared:
            return Verdict(name, "agrees", compared)
        if name in self._planned:
            reason = self.gave_up or "the run was over before, or its calls were not answered"
            return Verdict(name, "inconclusive", 0, reason)
        return Verdict(name, "skipped", 0, rule.reason or _LATER)
