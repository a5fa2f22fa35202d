"""What the kit does to a server, as values: small symbols in place of names and addresses.

A driver gives them fresh real names each time, so that the same operations can be played again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mixed", "source"]
Level = Literal["documented", "assumed"]

RIGHT = "right"
"""The credential that opens the app."""

MADE_UP = "made up"
"""The name of scenarios that come after those that are always played."""


@dataclass(frozen=True, slots=True)
class Start:
    """`startrtmp`. `addresses`, `task`, `room` are symbols, `app` is 0 or 1: the other account's.

    `credential` and `flaw` name what is wrong with its token or its body, if anything; `style` what
    is unusual in it, but fine.
    """

    task: int
    addresses: tuple[int, ...]
    kind: Kind = "source"
    room: int = 0
    app: int = 0
    credential: str = RIGHT
    flaw: str | None = None
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Stop:
    """`stoprtmp`, of the whole task or of some addresses."""

    task: int
    addresses: tuple[int, ...] | None = None
    kind: Kind = "source"
    room: int = 0
    app: int = 0
    credential: str = RIGHT
    flaw: str | None = None
    style: str = "plain"


Operation = Start | Stop


@dataclass(frozen=True, slots=True)
class Race:
    """Starts sent at the same moment, each over a connection of its own."""

    starts: tuple[Start, ...]


Move = Operation | Race
"""What a scenario does at a time."""


def list_operations(move: Move) -> Sequence[Operation]:
    return move.starts if isinstance(move, Race) else (move,)


def name_operation(operation: Operation) -> str:
    return "startrtmp" if isinstance(operation, Start) else "stoprtmp"


def tell(operation: Operation) -> str:
    """An operation in a few words."""
    name = "start" if isinstance(operation, Start) else "stop"
    where = f" of address {', '.join(map(str, operation.addresses))}" if operation.addresses else ""
    oddities = [operation.credential, operation.flaw, operation.style]
    odd = [each for each in oddities if each not in (None, RIGHT, "plain")]
    app = " of the other app" if operation.app else ""
    told = f"{name} {operation.kind} task {operation.task}{app}{where} in room {operation.room}"
    return told + "".join(f" ({each})" for each in odd)
