"""One row of the table of styles, and what makes one."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from fakerelay.contract.drafts import Draft
from fakerelay.contract.operations import Kind, Level

Change = Callable[[Draft], None]

BOTH: Final = ("startrtmp", "stoprtmp")
START: Final = ("startrtmp",)
KINDS: Final[tuple[Kind, ...]] = ("mixed", "source")
MIXED: Final[tuple[Kind, ...]] = ("mixed",)
SOURCE: Final[tuple[Kind, ...]] = ("source",)


class Style(NamedTuple):
    """A way to say the same: a server that refuses it breaks `rule`."""

    rule: str
    level: Level
    change: Change
    operations: tuple[str, ...] = START
    kinds: tuple[Kind, ...] = KINDS


def set_mixconfig(**parts: Any) -> Change:
    return lambda draft: draft.body.update(mixconfig=dict(parts))


def spell_name(field: str, change: Callable[[str], str]) -> Change:
    def spell(draft: Draft) -> None:
        if field in draft.body:
            draft.body[field] = change(draft.body[field])

    return spell


def spell_addresses(change: Callable[[str], str]) -> Change:
    def spell(draft: Draft) -> None:
        if "rtmpurl" in draft.body:
            draft.body["rtmpurl"] = ",".join(map(change, draft.body["rtmpurl"].split(",")))

    return spell


def write(text: Callable[[str], str]) -> Change:
    """The body by hand, of what it would be."""

    def spell(draft: Draft) -> None:
        draft.raw = text(json.dumps(draft.body)).encode()

    return spell
