"""Requests with something wrong in each, or something unusual that is fine."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from fakerelay.contract.catalogue.scenarios import KINDS, Scenario
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.flaws import FLAWS, Flaw
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Kind, Level, Start, Stop

_TURNS: Final[Mapping[str, Kind]] = {"startrtmp": "source", "stoprtmp": "mixed"}
"""The kind of task for what goes wrong in a call before its kind is known."""


def list_tokens(level: Level) -> Iterator[Scenario]:
    """A wrong token starts nothing, updates nothing and stops nothing."""
    faults = {name: each.fault for name, each in CREDENTIALS.items()}
    for number, names in enumerate(_group(faults, level, 5)):
        kind = KINDS[number % 2]
        yield Scenario(
            f"{kind}, token: {', '.join(names)}",
            [
                *(Start(0, (0,), kind, credential=name) for name in names),
                Start(0, (0,), kind, 1),
                *(Stop(0, None, kind, 1, credential=name) for name in names),
                Start(0, (0, 1), kind, 1, credential=names[0]),
                Start(1, (0,)),
                Start(1, (1,), kind),
                Stop(0, None, kind, 1),
            ],
        )


_AT_UPDATES: Final = (
    "rtmpurl missing",
    "rtmpurl empty",
    "rtmpurl fifth by http",
    "rtmpurl in Chinese",
    "rtmpurl of 513 bytes",
    "mixconfig missing",
    "mixconfig.output missing",
    "mixconfig.templateid 5",
    "mixconfig.templateid missing",
    "mixconfig.output of width 17",
    "mixconfig.input outside the canvas",
    "mixconfig.input with a user twice",
    "rtmpurl twice, default port",
    "appid of another",
    "content type text/plain",
)


def list_flawed_updates(level: Level) -> Iterator[Scenario]:
    """A task that runs is no reason to look less closely."""
    six = tuple(range(1, 7))
    for kind in KINDS:
        names = [
            name
            for name in _AT_UPDATES
            if kind in FLAWS[name].kinds and level in ("assumed", FLAWS[name].fault.level)
        ]
        updates = [Start(0, (1,), kind, flaw=name) for name in names]
        # That a refused update leaves the task what it held, only the assumed says.
        held = [Start(2, (0,), kind)] if level == "assumed" else []
        yield Scenario(
            f"{kind}: updates with something wrong in each",
            [
                Start(0, (0,), kind),
                *updates,
                *held,
                Start(0, six, kind),
                Start(1, (1,)),
                Stop(0, kind=kind),
            ],
        )


def list_flaws(level: Level) -> Iterator[Scenario]:
    """All of them want one address and one name; then both are free.

    Those of both kinds are tried on both where only the documented counts, else by turns.
    """
    for kind in KINDS:
        for operation in ("startrtmp", "stoprtmp"):
            faults = {
                name: flaw.fault
                for number, (name, flaw) in enumerate(FLAWS.items())
                if operation in flaw.operations
                and kind in _list_kinds(flaw, operation, KINDS[number % 2], level)
            }
            for names in _group(faults, level, 8 if level == "documented" else 14):
                yield _spoil(operation, kind, names)


def _list_kinds(flaw: Flaw, operation: str, turn: Kind, level: Level) -> Sequence[Kind]:
    if len(flaw.operations) > 1:
        return [_TURNS[operation]]
    is_shared = level == "assumed" and len(flaw.kinds) > 1
    return [turn] if is_shared else flaw.kinds


def _group(faults: Mapping[str, Fault], level: Level, most: int) -> Iterator[Sequence[str]]:
    """So many at most; documented ones of one field or rule each: where one is taken, all are."""
    judged = [name for name in faults if level in ("assumed", faults[name].level)]

    def name_part(name: str) -> str:
        return faults[name].rule.partition("-")[0] if level == "documented" else ""

    for _part, names in groupby(judged, name_part):
        group = list(names)
        for begin in range(0, len(group), most):
            yield group[begin : begin + most]


def _spoil(operation: str, kind: Kind, names: Sequence[str]) -> Scenario:
    told = f"{operation}, {kind}: {', '.join(names)}"
    start = Start(0, (0,), kind)
    if operation == "stoprtmp":
        stops = [Stop(0, kind=kind, flaw=name) for name in names]
        return Scenario(told, [start, *stops, Start(1, (0,), kind)])
    flawed = [Start(0, (0,), kind, flaw=name) for name in names]
    return Scenario(told, [*flawed, Start(0, (0,), kind, 1)])
