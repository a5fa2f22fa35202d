"""What can be wrong with the fields of a stop, which are typed as those of a start (section 5)."""

from collections.abc import Iterator
from typing import Any, Final

from fakerelay.contract.flaws.rows import KINDS, MISSING, MIXED, SOURCE, STOP, Flaw, spoil_field

_TYPES: Final = {"missing": MISSING, "a number": 5, "null": None, "a list": ["a"]}
_FORMS: Final = {"empty": "", "of 65 characters": "a" * 65, "with a dot": "a.b"}


def list_stop_flaws() -> Iterator[tuple[str, Flaw]]:
    for field, kinds in (("roomid", KINDS), ("taskid", MIXED), ("uid", SOURCE)):
        yield from _stop_flaws(field, {**_TYPES, **_FORMS}, kinds=kinds)
    yield from _stop_flaws(
        "appid", {"missing": MISSING, "a string": str, "null": None, "negative": -1, "half": 0.5}
    )
    yield from _stop_flaws(
        "streamtype", {"missing": MISSING, "0": 0, "3": 3, "a string": str, "null": None}
    )
    yield from _stop_flaws("rtmpurl", {"a number": 5, "a list": ["rtmp://h/a"]})
    unknown = spoil_field(
        "stop-own-addresses", "rtmpurl", {"no address": "x"}, "assumed", operations=STOP
    )
    yield from ((f"stop's {name}", flaw) for name, flaw in unknown)


def _stop_flaws(field: str, values: Any, **where: Any) -> Iterator[tuple[str, Flaw]]:
    flaws = spoil_field("stop-fields", field, values, "assumed", operations=STOP, **where)
    return ((f"stop's {name}", flaw) for name, flaw in flaws)
