"""Magic addresses: hosts of our own domain that say what is to become of a push to them.

They are data, `schemas/magic_addresses.json`: each name means a step of the faults of pushes.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fakerelay import schemas
from fakerelay.core.fates import TAKEN, Fate, read_fate
from fakerelay.core.faults import Step
from fakerelay.core.model import PushAddress
from fakerelay.errors import nearest

DOMAIN: Final = ".fakerelay.test"
_HOST = re.compile(
    r"[a-z]+://(?:[^/?#]*@)?(?P<name>[a-z]+)(?:-(?P<number>[1-9][0-9]{0,6}))?"
    rf"{re.escape(DOMAIN)}(?::[0-9]+)?(?:[/?#].*)?"
)
_ANY_HOST = re.compile(
    rf"[a-z]+://(?:[^/?#]*@)?(?P<name>[^/?#@]*){re.escape(DOMAIN)}(?::[0-9]+)?(?:[/?#].*)?"
)


def find_magic(address: PushAddress) -> Fate | None:
    """What the host of an address asks for; None for any other host."""
    if DOMAIN not in address.key:
        return None
    host = _HOST.fullmatch(address.key)
    row = names().get(host["name"]) if host is not None else None
    if host is None or row is None:
        return None
    number = host["number"]
    if "fault" not in row:
        return None if number else TAKEN
    settings = row["settings"] | ({row["number_sets"]: int(number)} if number else {})
    return read_fate(Step(row["fault"], settings))


def explain_stray(address: PushAddress) -> str | None:
    """What to say of a host of our domain that asks for nothing; None for all others."""
    host = _ANY_HOST.fullmatch(address.key)
    if host is None or find_magic(address) is not None:
        return None
    name = host["name"]
    word, dash, _ = name.partition("-")
    hint = nearest(name, names())
    if dash and word in names():
        numbers = f" or '{word}-N', with N from 1 to 9999999" if "fault" in names()[word] else ""
        hint = f" (write {word!r}{numbers})"
    return f"an ordinary address: {name!r} is no magic name{hint}"


@cache
def names() -> Mapping[str, Mapping[str, Any]]:
    """{name: doc, and the step it means}; one without a step is taken already."""
    known: Mapping[str, Mapping[str, Any]] = schemas.read_json("magic_addresses")["names"]
    return known
