"""Scenarios played on a server, one after the other, within a budget; findings made short."""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from fakerelay.contract.admissions import explain, list_starts
from fakerelay.contract.callbacks.witnesses import CallbackWitness
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client, Observed, show
from fakerelay.contract.credentials import OTHERS
from fakerelay.contract.drivers import Step, list_moves
from fakerelay.contract.events import Broke, Conduct, Event, Left, Lost, Unclear
from fakerelay.contract.judgements import ACCEPTED, Finding, Judge
from fakerelay.contract.model import key_of
from fakerelay.contract.operations import Move, Start, list_operations
from fakerelay.contract.patience import Patience
from fakerelay.contract.plays import Play, Witness
from fakerelay.contract.scopes import find_obstacle, list_rules
from fakerelay.contract.targets import Target

_REPEATS: Final = 2
_MOST_BIASED: Final = 5
_LATE_SECONDS: Final = 1.0
_Sought = TypeVar("_Sought", bound=Broke | Lost)


class Budget(NamedTuple):
    """What a run may take; only to make a finding short it takes a few more calls."""

    max_calls: int = 1500
    max_seconds: float = 300.0


class Run:
    """Plays scenarios, one after the other; `counts` has how often each rule was compared.

    The `witnesses` hear of each of them, and of those that make a finding short too; so does the
    one of `callbacks`, whose findings are late and about any scenario.
    """

    def __init__(
        self,
        target: Target,
        client: Client,
        judge: Judge,
        budget: Budget | None = None,
        witnesses: Sequence[Witness] = (),
        callbacks: CallbackWitness | None = None,
    ) -> None:
        self._target = target
        self._client = client
        self._judge = judge
        self._budget = budget or Budget()
        self._witnesses = [*witnesses, *([] if callbacks is None else [callbacks])]
        self._callbacks = callbacks
        self._give_up_at = time.monotonic() + self._budget.max_seconds
        self._run_id = secrets.token_hex(4)
        self.scenarios = 0
        self._known: set[str] = set()
        self._left: list[Left] = []
        self._is_crowded = False
        self._limited: Sequence[Step] = ()
        self._lasting: set[str] = set()
        self._admitted: set[int] = set()
        self._kept_out: str | None = None
        self._ran_out: str | None = None
        self._patience = Patience()
        self.counts: Counter[str] = Counter()
        self.calls = 0

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or the server has gone."""
        return (
            self.calls >= self._budget.max_calls
            or time.monotonic() >= self._give_up_at
            or self.gave_up is not None
        )

    @property
    def conduct(self) -> Conduct:
        """What it has borne so far."""
        pace = self._client.calls_per_second
        is_new = pace != self._target.calls_per_second
        none_told = self._callbacks is not None and self._callbacks.none_told
        late_seconds = self._patience.late_seconds
        return Conduct(self._ran_out, pace if is_new else 0, late_seconds, none_told)

    @property
    def has_callbacks(self) -> bool:
        """Whether it hears what is told, and judges it."""
        return self._callbacks is not None

    @property
    def gave_up(self) -> str | None:
        """Why it was no use to go on, if so."""
        is_biased = self._is_crowded or len(self._known) >= _MOST_BIASED
        bias = self._patience.bias if is_biased else None
        return self._kept_out or self._patience.reason or bias

    def play(self, scenarios: Iterable[Scenario]) -> Iterator[Event]:
        """Each rule is told broken once; the first scenario that shows it is made short."""
        for scenario in self._put_in_order(scenarios):
            if self.is_over or not self._has_room(scenario):
                is_late = time.monotonic() >= self._give_up_at
                self._ran_out = "--max-seconds" if is_late else "--max-calls"
                return
            if find_obstacle(scenario, self._target) is not None:
                continue
            if self._needs_other_account(scenario) and self._is_kept_out(1):
                return
            # All of it is played and what runs is stopped first, or it would be in the way.
            events = list(self._play(scenario, scenario.operations))
            yield from self._sift(events)
            yield from self._left
            self._left.clear()
            if self._callbacks is not None:
                yield from self._list_new(self._callbacks.report())

    def _put_in_order(self, scenarios: Iterable[Scenario]) -> Iterator[Scenario]:
        """Where all is freed late, time is short: what compares nothing new comes last."""
        later: list[Scenario] = []
        for scenario in scenarios:
            is_slow = self._patience.late_seconds > _LATE_SECONDS
            if is_slow and set(list_rules(scenario, self._target.policy)) <= (+self.counts).keys():
                later.append(scenario)
            else:
                yield scenario
        yield from later

    def _needs_other_account(self, scenario: Scenario) -> bool:
        operations = (each for move in scenario.operations for each in list_operations(move))
        return 1 in self._target.accounts and any(
            each.app == 1 or each.credential == OTHERS for each in operations
        )

    def _has_room(self, scenario: Scenario) -> bool:
        """Whether the calls will do for all of it, with a stop of whatever it starts."""
        operations = [each for move in scenario.operations for each in list_operations(move)]
        starts = {key_of(each) for each in operations if isinstance(each, Start)}
        return self.calls + len(operations) + len(starts) <= self._budget.max_calls

    def finish(self) -> Iterator[Event]:
        """After the last scenario: wait for what is still to be told, and judge that.

        Of a server that has gone, nothing more is expected. One that has let nothing in yet is
        asked whether it ever does.
        """
        is_shut = not self._admitted and not self._known and self._patience.has_answer
        if is_shut and self.gave_up is None:
            self._is_kept_out(0)
            yield from self._left
        if self._limited and self._judge.level == "assumed":
            yield from self._list_new([self._tell_limit(self._limited)])
        if self._callbacks is not None:
            if self.gave_up is None:
                yield from self._list_new(self._callbacks.finish())
            self.counts.update(self._callbacks.counts)
            self._callbacks.counts.clear()
        if self._kept_out is not None and 0 not in self._admitted:
            self.counts.clear()

    def _tell_limit(self, steps: Sequence[Step]) -> Broke:
        allowed = self._target.calls_per_second
        told = f"the profile allows {allowed} a second" if allowed else "the profile has no limit"
        finding = Finding("rate-limit", f"no refusal: {told}", show(steps[-1].observed))
        return Broke(Scenario("too many calls", list_moves(steps)), steps, finding)

    def _sift(self, events: Iterable[Event]) -> Iterator[Event]:
        """Each finding once, the first of a scenario; what is only suspected is looked into."""
        told = [self._excuse(event) for event in events]
        new = (self._take_new(each) for each in told if isinstance(each, Broke))
        broke = next((each for each in new if each is not None), None)
        for event in told:
            if isinstance(event, Lost):
                yield event._replace(is_lasting=self._is_lasting(event, is_asked=broke is None))
            elif isinstance(event, Unclear) and event.suspicion is not None:
                is_asked = broke is None and event.suspicion.finding.rule not in self._known
                if is_asked and self._repeats(event.suspicion):
                    broke = self._take_new(event.suspicion)
                else:
                    yield event
            elif not isinstance(event, Broke):
                yield event
        if broke is not None:
            yield self._shorten(broke)
            self._is_crowded = self._is_crowded or not self._has_places()

    def _excuse(self, event: Event) -> Event:
        """A start that is refused says nothing where any would be."""
        if isinstance(event, Broke) and self._is_no_news(event):
            self.counts.subtract([event.finding.rule])
            return Unclear(event.scenario, event.steps[-1])
        return event

    def _is_no_news(self, broke: Broke) -> bool:
        """Whether a start was refused where any would have been."""
        if not isinstance(broke.steps[-1].operation, Start) or broke.finding.expected != ACCEPTED:
            return False
        last = broke.steps[-1]
        is_decided = broke.finding.rule != "accepted-sense"
        return self._is_crowded or (
            is_decided and self._is_kept_out(last.operation.app, last.observed)
        )

    def _is_kept_out(self, app: int, refusal: Observed | None = None) -> bool:
        """Whether nothing of an app is ever let in, in whatever form: then it was never judged."""
        if app in self._admitted:
            return False
        for start in list_starts(app, self._target):
            for event in list(self._play(Scenario("is anything let in?", [start]), [start], "")):
                refusal = refusal or _read_refusal(event)
            if app in self._admitted:
                return False
        if refusal is None or self._patience.reason is not None:
            return False
        account = self._target.accounts[app]
        self._kept_out = explain(app, account, refusal, self._judge.errors)
        return True

    def _is_lasting(self, lost: Lost, *, is_asked: bool) -> bool:
        """Whether the connection is lost each time that the same is tried."""
        if is_asked and lost.rule not in self._lasting and self._repeats(lost):
            self._lasting.add(lost.rule)
        return lost.rule in self._lasting

    def _has_places(self) -> bool:
        """Whether as many tasks can run as ever: a server that is wrong may keep the places.

        If not, a start that is refused says nothing any more.
        """
        starts = [Start(n, (n,)) for n in range(self._target.policy.concurrent_pushes or 1)]
        events = list(self._play(Scenario("all places are taken", starts), starts))
        return not any(isinstance(event, Broke) for event in events)

    def _take_new(self, broke: Broke) -> Broke | None:
        rule = broke.finding.rule
        if rule in self._known:
            return None
        self._known.add(rule)
        return broke

    def _list_new(self, found: Iterable[Broke]) -> Iterator[Broke]:
        return (broke for broke in found if self._take_new(broke) is not None)

    def _repeats(self, event: Broke | Lost) -> bool:
        """Whether it comes three times of three, while the server answers other calls."""
        is_own_form = isinstance(event, Broke) and event.finding.rule == "accepted-sense"
        return (is_own_form or self._patience.has_answer) and all(
            self._find(event, list_moves(event.steps)) for _time in range(_REPEATS)
        )

    def _play(
        self, scenario: Scenario, moves: Sequence[Move], sought: str | None = None
    ) -> Iterator[Event]:
        self.scenarios += 1
        play = Play(
            self._target,
            self._client,
            self._judge,
            self._target.make_names(self._run_id, self.scenarios),
            patience=self._patience,
            known=self._known - {sought},
            # Where left-overs take the places, nothing is free however late it may be.
            sought="" if sought is None and self._is_crowded else sought,
            witnesses=self._witnesses,
        )
        try:
            for event in play.run(scenario, moves):
                if isinstance(event, Left):
                    self._left.append(event)
                    self._is_crowded = True
                else:
                    yield event
        finally:
            self._limited = self._limited or play.limited
            self._admitted |= {
                step.operation.app for step in play.calls if step.observed.is_accepted
            }
            self.counts.update(play.counts)
            self.calls += len(play.calls)

    def _shorten(self, broke: Broke) -> Broke:
        """Leave out each move that the finding doesn't need; what it needs is played to the end.

        Each time may leave a task behind that nothing stops: so the last move alone comes first.
        """
        moves = list_moves(broke.steps)
        shortest = self._find(broke, moves[-1:]) if len(moves) > 1 else None
        if shortest is not None:
            return shortest
        shortest = broke
        for number in reversed(range(len(moves) - 1)):
            fewer = [each for place, each in enumerate(moves) if place != number]
            again = self._find(broke, fewer)
            if again is not None:
                moves, shortest = fewer, again
        return shortest

    def _find(self, sought: _Sought, moves: Sequence[Move]) -> _Sought | None:
        """The same again, at the last of some moves."""
        for event in list(self._play(sought.scenario, moves, _rule_of(sought))):
            found = event.suspicion if isinstance(event, Unclear) else event
            if (
                isinstance(found, type(sought))
                and _rule_of(found) == _rule_of(sought)
                and len(list_moves(found.steps)) == len(moves)
            ):
                return found
        return None


def _read_refusal(event: Event) -> Observed | None:
    return event.steps[-1].observed if isinstance(event, Broke) else None


def _rule_of(event: Broke | Lost) -> str:
    return event.finding.rule if isinstance(event, Broke) else event.rule
