"""Findings of an earlier run, tried again: is it mended?"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from fakerelay import schemas
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import show
from fakerelay.contract.divergences import check_rule
from fakerelay.contract.events import Broke, Compared, Event, Unclear
from fakerelay.contract.operations import Level, Move, list_operations
from fakerelay.contract.reports.findings import read_move
from fakerelay.errors import ConfigError

State = Literal["FIXED", "STILL", "INCONCLUSIVE"]
_EXIT_CODES: Final[Mapping[State, int]] = {"STILL": 1, "INCONCLUSIVE": 3, "FIXED": 0}


class Tried(NamedTuple):
    """A finding to be tried again."""

    rule: str
    level: Level
    operations: Sequence[Move]


class Replayed(NamedTuple):
    """What became of it, and why that is thought."""

    tried: Tried
    state: State
    reason: str


def read_findings(text: str, origin: str) -> Sequence[Tried]:
    """Those of a report.json, or the only one; ConfigError points at what can't be used."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"Can't read {origin}: it is no JSON ({error})") from error
    if isinstance(data, dict) and "operations" in data:
        return [_read(data, origin, [])]
    schemas.check_settings("report", data, origin)
    return [_read(each, origin, ["findings", n]) for n, each in enumerate(data["findings"])]


def _read(data: Any, origin: str, place: list[str | int]) -> Tried:
    schemas.check_settings("finding", data, origin, place)
    pointer = "".join(f"/{step}" for step in place)
    rule = check_rule(data["rule"], f"{pointer}/rule of {origin}")
    operations = [
        read_move(each, f"{pointer}/operations/{number}", origin)
        for number, each in enumerate(data["operations"])
    ]
    return Tried(rule, data["level"], operations)


def replay(
    findings: Sequence[Tried],
    play: Callable[[Level, Scenario], Iterator[Event]],
    unseen: Mapping[str, str],
) -> Iterator[Replayed]:
    """Each by itself; `play` plays a scenario at a level, as if nothing had been found before.

    `unseen` has the rules that can't be judged here, and why.
    """
    for tried in findings:
        if tried.rule in unseen:
            yield Replayed(tried, "INCONCLUSIVE", unseen[tried.rule])
            continue
        scenario = Scenario(f"replay of {tried.rule}", tried.operations)
        yield _judge(tried, list(play(tried.level, scenario)))


def _judge(tried: Tried, events: Sequence[Event]) -> Replayed:
    broken = [event for event in events if isinstance(event, Broke)]
    for event in broken:
        if event.finding.rule == tried.rule:
            return Replayed(tried, "STILL", show(event.steps[-1].observed))
    if broken:
        return Replayed(tried, "INCONCLUSIVE", f"it breaks {broken[0].finding.rule} instead")
    done = sum(isinstance(event, Compared) for event in events)
    wanted = sum(len(list_operations(move)) for move in tried.operations)
    if done < wanted:
        return Replayed(tried, "INCONCLUSIVE", _explain(events))
    return Replayed(tried, "FIXED", "all of its calls are answered as they should be")


def _explain(events: Sequence[Event]) -> str:
    """Why there was less to compare than there should have been."""
    if not events:
        return "it needs an app of another account"
    unclear = [each.step.observed for each in events if isinstance(each, Unclear)]
    got = f": {show(unclear[0])}" if unclear else ""
    return f"not all of its calls could be judged{got}"


def exit_code(replayed: Sequence[Replayed]) -> int:
    """1 where anything is still broken, 3 where that can't be said or nothing was tried, else 0."""
    states = {each.state for each in replayed} or {"INCONCLUSIVE"}
    return next(code for state, code in _EXIT_CODES.items() if state in states)
