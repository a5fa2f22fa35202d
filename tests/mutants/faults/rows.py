"""A row of the table of faults."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

Level = Literal["documented", "assumed"]
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Fault(NamedTuple):
    """One broken rule, by its id in the rulebook.

    `level` is the lowest that notices it. `profile` is what the server has to be told along with
    it, since with the default nobody could see the difference.
    """

    rule: str
    level: Level
    doc: str
    profile: Mapping[str, Any] = _NOTHING


def documented(rule: str, doc: str, profile: Mapping[str, Any] = _NOTHING) -> Fault:
    return Fault(rule, "documented", doc, profile)


def assumed(rule: str, doc: str, profile: Mapping[str, Any] = _NOTHING) -> Fault:
    return Fault(rule, "assumed", doc, profile)
