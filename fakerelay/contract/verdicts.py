"""What a run says of each rule, and of the server as a whole."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from fakerelay import schemas
from fakerelay.contract.events import Broke, Conduct, Event, Left, Lost, Unclear
from fakerelay.contract.operations import MADE_UP, Level, tell
from fakerelay.contract.scopes import NO_SCOPE, Scope

State = Literal["agrees", "broken", "skipped", "inconclusive"]
Trouble = Literal["broken", "expired", "leftovers", "inconclusive", "skipped"]

AGREES: Final = 0
EXIT_CODES: Final[Mapping[Trouble, int]] = {
    "broken": 1,
    "expired": 1,
    "leftovers": 4,
    "inconclusive": 3,
    "skipped": 3,
}
"""{what a run may fail for: the exit code}, the worst first."""
USUAL_TROUBLES: Final[tuple[Trouble, ...]] = ("broken", "expired", "leftovers", "inconclusive")

_DOCUMENTED: Final = ("D", "S")
_MOST_UNCLEAR: Final = 0.05
_HIDDEN: Final = "a rule that is broken comes before it wherever it would be judged"
_LOST: Final = "the connection was lost each time"
_LATER: Final = "this kit does not judge it yet"


class Verdict(NamedTuple):
    """What became of one rule; `reason` says why it was skipped, or is inconclusive."""

    rule: str
    state: State
    compared: int
    reason: str | None = None


class Tally:
    """The events of a run, and what they come to; `counts` are the comparisons of each rule.

    What the scope has planned and was not compared is inconclusive; what else was not is skipped,
    for the `reasons` put down for it. With `only`, no other rules count.
    """

    def __init__(
        self,
        level: Level,
        counts: Mapping[str, int],
        scope: Scope = NO_SCOPE,
        only: Collection[str] = (),
    ) -> None:
        self._level = level
        self._counts = counts
        self._scope = scope
        self._only = only
        self.findings: list[Broke] = []
        self.unclear: list[Unclear | Lost] = []
        self.left: list[Left] = []
        self.gave_up: str | None = None
        self.conduct = Conduct()
        self.reasons: dict[str, str] = {}
        self.steps = 0
        self._has_played_all = False
        self._lost: dict[str, str] = {}

    def add(self, event: Event) -> None:
        if isinstance(event, Left):
            self.left.append(event)
            return
        self.steps += 1
        self._has_played_all |= event.scenario.name == MADE_UP
        if isinstance(event, Unclear | Lost):
            self.unclear.append(event)
            if isinstance(event, Lost) and event.is_lasting:
                self._lost[event.rule] = f"{tell(event.step.operation)}: {_LOST}"
        elif isinstance(event, Broke) and self._counts_for(event.finding.rule):
            self.findings.append(event)

    def verdicts(self) -> Sequence[Verdict]:
        """One for each rule of the level, in the order of the rulebook."""
        broken = {each.finding.rule for each in self.findings}
        return [
            self._judge(name, rule, broken)
            for name, rule in schemas.rulebook().items()
            if self._counts_for(name)
            and (self._level == "assumed" or rule.level in _DOCUMENTED or name in broken)
        ]

    @property
    def exit_code(self) -> int:
        """Where nothing is accepted, and the run fails for what runs usually fail for."""
        return conclude(self).exit_code

    @property
    def is_vague(self) -> bool:
        """Whether it was given up, too many answers can't be judged, or nothing was compared."""
        is_unclear = len(self.unclear) > _MOST_UNCLEAR * max(self.steps, 1)
        return is_unclear or self.gave_up is not None or self.is_empty

    @property
    def is_empty(self) -> bool:
        return not any(verdict.compared for verdict in self.verdicts())

    def _counts_for(self, rule: str) -> bool:
        return not self._only or rule in self._only

    def _judge(self, name: str, rule: schemas.Rule, broken: Iterable[str]) -> Verdict:
        compared = self._counts.get(name, 0)
        if name in broken:
            return Verdict(name, "broken", compared)
        if name in self._lost:
            return Verdict(name, "inconclusive", compared, self._lost[name])
        if compared:
            return Verdict(name, "agrees", compared)
        if name in self._scope.planned and self._has_played_all and self.findings:
            return Verdict(name, "skipped", 0, _HIDDEN)
        if name in self._scope.planned:
            reason = self.gave_up or "the run was over before, or its calls were not answered"
            return Verdict(name, "inconclusive", 0, reason)
        why = rule.reason or self.reasons.get(name) or self._scope.skipped.get(name) or _LATER
        return Verdict(name, "skipped", 0, why)


class Conclusion(NamedTuple):
    """All `troubles`, the worst first; `exit_code` is for those that the run fails for."""

    word: str
    exit_code: int
    troubles: Sequence[Trouble]


def conclude(
    tally: Tally,
    *,
    accepted: Collection[str] = (),
    has_expired: bool = False,
    fails_on: Collection[Trouble] = USUAL_TROUBLES,
) -> Conclusion:
    """What a run comes to, where the rules `accepted` may be broken.

    Where nothing could be compared, the run fails whatever it is to fail for.
    """
    troubles = list(_list_troubles(tally, accepted, has_expired))
    minded = [each for each in troubles if each in fails_on]
    if tally.is_empty and not minded:
        minded = ["inconclusive"]
    told = [*minded, *(each for each in troubles if each != "skipped")]
    word = told[0].upper() if told else "AGREES"
    return Conclusion(word, EXIT_CODES[minded[0]] if minded else AGREES, troubles)


def _list_troubles(tally: Tally, accepted: Collection[str], has_expired: bool) -> Iterator[Trouble]:
    states = {verdict.state for verdict in tally.verdicts()}
    if any(each.finding.rule not in accepted for each in tally.findings):
        yield "broken"
    if has_expired:
        yield "expired"
    if tally.left:
        yield "leftovers"
    if "inconclusive" in states or tally.is_vague:
        yield "inconclusive"
    if "skipped" in states:
        yield "skipped"
