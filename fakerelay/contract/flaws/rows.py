"""One row of the tables of flaws, and what makes one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from fakerelay.contract.drafts import Draft
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Kind, Level

Spoil = Callable[[Draft], None]

MISSING: Final = object()
BOTH: Final = ("startrtmp", "stoprtmp")
START: Final = ("startrtmp",)
STOP: Final = ("stoprtmp",)
KINDS: Final[tuple[Kind, ...]] = ("mixed", "source")
MIXED: Final[tuple[Kind, ...]] = ("mixed",)
SOURCE: Final[tuple[Kind, ...]] = ("source",)


class Flaw(NamedTuple):
    """One thing wrong with a request of these operations and kinds of task.

    A message that says what is wrong with a field has one of the `words`.
    """

    fault: Fault
    spoil: Spoil
    operations: tuple[str, ...] = START
    kinds: tuple[Kind, ...] = KINDS
    words: tuple[str, ...] = ()


def put(path: str, value: Any) -> Spoil:
    """Set a field, or take it away; a function makes the value of the one that stood there."""

    def spoil(draft: Draft) -> None:
        *parents, name = path.split(".")
        place: Any = draft.body
        for parent in parents:
            place = place[parent]
        if value is MISSING:
            place.pop(name, None)
        else:
            place[name] = value(place[name]) if callable(value) else value

    return spoil


def spoil_field(
    rule: str, path: str, values: Mapping[str, Any], level: Level, **where: Any
) -> Iterator[tuple[str, Flaw]]:
    """A flaw for each of the values, by what is told of it."""
    where.setdefault("words", tuple(path.split(".")))
    for told, value in values.items():
        fault = Fault(rule, "invalid_parameter", level)
        yield f"{path} {told}", Flaw(fault, put(path, value), **where)


def write(text: bytes) -> Spoil:
    """The body as it is in place of BODY, without its braces."""

    def spoil(draft: Draft) -> None:
        draft.raw = text.replace(b"BODY", draft.encode()[1:-1])

    return spoil


def set_header(name: str, value: str | None) -> Spoil:
    return lambda draft: draft.set_header(name, value)
