"""What one scenario's calls should be told of: pure, from the calls as they were answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fakerelay.contract.callbacks.arrivals import Arrival
from fakerelay.contract.drivers import Step
from fakerelay.contract.model import Key, key_of
from fakerelay.contract.operations import Operation, Start

STARTED: Final = 0
STOPPED: Final = 3

Lane = tuple[Key, int, int]
"""A task, which of its lives that is, and an address of it: statuses keep their order in one."""


class Call(NamedTuple):
    """A step: its `number`, and when it was sent and answered, as far as that is known.

    What it should be told of is not known where `is_judged` is not so.
    """

    number: int
    step: Step
    sent_at: float
    answered_at: float | None
    is_judged: bool


@dataclass(eq=False)
class Foreseen:
    """A status that has to be told: of the address as spelled in any of `texts`.

    Once something was wrong in what was told of it, it `is_spoiled`: nothing more is said of it.
    """

    call: Call
    lane: Lane
    texts: frozenset[str]
    status: int
    rule: str
    attempts: list[Arrival] = field(default_factory=list)
    is_spoiled: bool = False

    @property
    def symbol(self) -> int:
        return self.lane[2]


class Change(NamedTuple):
    symbol: int
    texts: frozenset[str]
    status: int


class Ledger:
    """The calls of one scenario, in order, and what each of them should be told of.

    All that is made up for the run has its `run_id` in it.
    """

    def __init__(self, scenario: Any, run_id: str) -> None:
        self.scenario = scenario
        self._run_id = run_id
        self.calls: list[Call] = []
        self.foreseen: list[Foreseen] = []
        self.lanes: dict[Lane, list[Foreseen]] = {}
        self.symbols: dict[str, int] = {}
        self._held: dict[Key, dict[int, frozenset[str]]] = {}
        self._lives: dict[Key, int] = {}
        self._vague: set[Key] = set()

    @property
    def steps(self) -> Sequence[Step]:
        return [call.step for call in self.calls]

    def is_own(self, name: str) -> bool:
        """Whether nobody else has the name, nor had it, as that of a live room, or none at all."""
        return self._run_id in name.lower()  # as some are in capitals

    def note(
        self,
        step: Step,
        sent_at: float,
        answered_at: float | None,
        *,
        is_accepted: bool | None,
    ) -> Call:
        """Take a call in; None is an answer that nobody can tell, or that was not to be."""
        operation, key = step.operation, key_of(step.operation)
        if is_accepted is None:
            self._vague.add(key)
        is_judged = operation.app == 0 and key not in self._vague
        call = Call(len(self.calls), step, sent_at, answered_at, is_judged)
        self.calls.append(call)
        texts = read_addresses(operation, step.request.body)
        self.symbols |= {text: symbol for symbol, text in texts.items()}
        if is_accepted:
            rule = self._name_rule(operation)
            for change in self._apply(operation, texts):
                self._foresee(call, change, rule)
        return call

    def list_foreseen(self, call: Call) -> Iterator[Foreseen]:
        return (each for each in self.foreseen if each.call is call)

    def _name_rule(self, operation: Operation) -> str:
        if isinstance(operation, Start):
            is_update = key_of(operation) in self._held
            return "callback-update" if is_update else "callback-start"
        return "callback-stop"

    def _foresee(self, call: Call, change: Change, rule: str) -> None:
        key = key_of(call.step.operation)
        lane = (key, self._lives[key], change.symbol)
        foreseen = Foreseen(call, lane, change.texts, change.status, rule)
        self.lanes.setdefault(lane, []).append(foreseen)
        self.foreseen.append(foreseen)

    def _apply(self, operation: Operation, texts: Mapping[int, str]) -> Sequence[Change]:
        """Who holds what afterwards, and what changes by that."""
        key = key_of(operation)
        held = self._held.get(key)
        if not isinstance(operation, Start):
            return self._end(key, held or {}, operation.addresses, texts)
        if held is None:
            self._lives[key] = self._lives.get(key, 0) + 1
        now = {symbol: frozenset({text}) for symbol, text in texts.items()}
        before = held or {}
        self._held[key] = now
        return [
            *(Change(each, before[each], STOPPED) for each in before if each not in now),
            *(Change(each, now[each], STARTED) for each in now if each not in before),
        ]

    def _end(
        self,
        key: Key,
        held: Mapping[int, frozenset[str]],
        addresses: Sequence[int] | None,
        texts: Mapping[int, str],
    ) -> Sequence[Change]:
        ended = held.keys() if addresses is None else held.keys() & set(addresses)
        left = {each: spelled for each, spelled in held.items() if each not in ended}
        self._held.pop(key, None)
        if left:
            self._held[key] = left
        # A stop spells addresses too: whether it counts as the latest request, nobody says.
        spelled = {each: held[each] | ({texts[each]} if each in texts else set()) for each in ended}
        return [Change(each, frozenset(spelled[each]), STOPPED) for each in sorted(ended)]


def read_addresses(operation: Operation, body: Mapping[str, Any]) -> dict[int, str]:
    """How a request spells each of its addresses, if it is in order."""
    text = body.get("rtmpurl")
    parts = text.split(",") if isinstance(text, str) else []
    symbols = operation.addresses or ()
    return dict(zip(symbols, parts, strict=True)) if len(parts) == len(symbols) else {}
