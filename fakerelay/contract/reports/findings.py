"""A finding as JSON: what was done, as symbols that can be played again, and how to see it."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, Final

from fakerelay import schemas
from fakerelay.contract.clients import show
from fakerelay.contract.drivers import list_moves
from fakerelay.contract.events import Broke, Left
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.model import key_of
from fakerelay.contract.operations import (
    Level,
    Move,
    Operation,
    Race,
    Start,
    Stop,
    list_operations,
    tell,
)
from fakerelay.contract.reports.blanks import Form, draft_forms, form_as_sent
from fakerelay.contract.reports.endings import Ending
from fakerelay.contract.reports.functions import render_function
from fakerelay.contract.reports.scripts import render_script
from fakerelay.contract.reports.secrets import Secrets, hide_user
from fakerelay.contract.styles import STYLES
from fakerelay.contract.targets import Target
from fakerelay.errors import ConfigError, nearest

_DOERS: Final[Mapping[str, type[Operation]]] = {"start": Start, "stop": Stop}
_NAMING: Final = (
    "letters and digits",
    "room of 64 characters",
    "task of 64 characters",
    "user of 64 characters",
)
_NAMED: Final = ("roomid ", "taskid ", "uid ")
_KNOWN: Final = {"credential": FAULTS, "flaw": FAULTS, "style": STYLES}


def write_finding(broke: Broke, level: Level, target: Target) -> dict[str, Any]:
    """As `schemas/finding.json` has it."""
    secrets = Secrets(target.accounts)
    rule = schemas.rulebook()[broke.finding.rule]
    moves = list_moves(broke.steps)
    expected = broke.finding.expected
    title = f"{rule.id} ({rule.level}): {rule.text}"
    forms, stops = _draft([list_operations(move) for move in moves], _list_stops(broke), target)
    where = _locate(target)
    finding: dict[str, Any] = {
        "rule": rule.id,
        "provenance": rule.level,
        "source": rule.source,
        "text": rule.text,
        "level": level,
        "scenario": broke.scenario.name,
        "expected": expected,
        "got": secrets.scrub(broke.finding.got),
        "operations": [write_move(move) for move in moves],
        "steps": [
            {"told": tell(step.operation), "answer": secrets.scrub(show(step.observed))}
            for step in broke.steps
        ],
    }
    ending = _foresee_ending(broke)
    finding["curl"] = render_script(forms, stops, title=title, ending=ending, **where)
    finding["pytest"] = render_function(
        forms, stops, name=rule.id, title=title, expected=expected, **where
    )
    return finding


def _foresee_ending(broke: Broke) -> Ending:
    """Of calls at the same moment nobody knows which is accepted."""
    before = list(enumerate(broke.steps, start=1))[:-1]
    decided = {n: step.observed.is_accepted for n, step in before if not step.race}
    accepted = frozenset(n for n, is_accepted in decided.items() if is_accepted)
    refused = frozenset(decided) - accepted
    return Ending(broke.finding.rule, broke.finding.expected, accepted, refused)


def write_leftover(left: Left, target: Target) -> dict[str, str]:
    """A task that may run on, and the script that stops it: it has the names as they were."""
    secrets = Secrets(target.accounts)
    return {
        "told": tell(left.step.operation),
        "answer": secrets.scrub(show(left.step.observed)),
        "curl": render_script(
            [[form_as_sent(left.step.operation, left.step.request)]],
            [],
            title="A task that may run on",
            ending=None,
            **_locate(target),
        ),
    }


def _locate(target: Target) -> dict[str, Any]:
    identities = {number: each.certificate_id for number, each in target.accounts.items()}
    return {"url": hide_user(target.url), "identities": identities}


def _draft(
    moves: Sequence[Sequence[Operation]], stops: Sequence[Operation], target: Target
) -> tuple[Sequence[Sequence[Form]], Sequence[Form]]:
    """The forms of each move, and of what stops all that runs then; drafted in one go."""
    operations = [each for move in moves for each in move]
    appids = {number: each.appid for number, each in target.accounts.items()}
    forms = iter(draft_forms([*operations, *stops], appids, target.push_base, target.live_rooms))
    return [[next(forms) for _operation in move] for move in moves], list(forms)


def write_move(move: Move) -> dict[str, Any]:
    """What differs from the usual, by name."""
    if isinstance(move, Race):
        return {"do": "race", "starts": [write_move(each) for each in move.starts]}
    values: dict[str, Any] = {"do": "start" if isinstance(move, Start) else "stop"}
    for field in fields(move):
        value = getattr(move, field.name)
        if field.default is MISSING or value != field.default:
            values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def read_move(values: Mapping[str, Any], pointer: str, origin: str) -> Move:
    """The other way; `pointer` says where in the `origin` it stands.

    Raises ConfigError where it names what isn't known, or can't be done.
    """
    if values["do"] == "race":
        starts = (
            _read_operation(each, f"{pointer}/starts/{number}", origin)
            for number, each in enumerate(values["starts"])
        )
        return Race(tuple(each for each in starts if isinstance(each, Start)))
    return _read_operation(values, pointer, origin)


def _read_operation(values: Mapping[str, Any], pointer: str, origin: str) -> Operation:
    parts = {name: value for name, value in values.items() if name != "do"}
    for name, known in _KNOWN.items():
        if parts.get(name) not in (None, "right", *known):
            told = f"{name} {parts[name]!r}{nearest(parts[name], known)}"
            raise ConfigError(f"Unknown {told} at {pointer}/{name} of {origin}")
    if parts.get("addresses") is not None:
        parts["addresses"] = tuple(parts["addresses"])
    return _DOERS[values["do"]](**parts)


def _list_stops(broke: Broke) -> Sequence[Operation]:
    """Of all that may run after these steps, refused or not: a server that is wrong may be so."""
    running: dict[Any, Start] = {}
    for step in broke.steps:
        done = step.operation
        if isinstance(done, Start):
            running.setdefault(key_of(done), done)
        elif done.addresses is None and step.observed.is_accepted:
            running.pop(key_of(done), None)
    return [_stop(start) for start in running.values()]


def _stop(begun: Start) -> Stop:
    """The stop of a task, which says its names as the start did that began it."""
    style = begun.style if begun.style in _NAMING else "plain"
    flaw = begun.flaw if begun.flaw is not None and begun.flaw.startswith(_NAMED) else None
    return Stop(begun.task, None, begun.kind, begun.room, begun.app, flaw=flaw, style=style)
