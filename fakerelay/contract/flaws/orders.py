"""Requests with several things wrong: the first in the order of the checks is to be answered.

A request that breaks one check and all later ones shows any of them that comes too early.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fakerelay.contract.drafts import Draft
from fakerelay.contract.flaws.rows import BOTH, KINDS, MIXED, START, Flaw, Spoil, set_header
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Kind

_NO_TOKEN: Final = set_header("token", None)
_LATER: Final = ("content type text/plain", "body: no JSON")
_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "path before all": ("path of version 3", "method GET", "no token", *_LATER),
    "method before all": ("method PUT", "no token", *_LATER),
    "method before size": ("method PUT", "body over 1 MiB"),
    "size before token": ("body over 1 MiB", "no token"),
    "size before content type": ("body over 1 MiB", "content type text/plain"),
    "content type before all": _LATER,
    "app before all": ("app that is nobody's", *_LATER),
    "content type before fields": ("content type text/plain", "roomid missing"),
    "JSON before fields": ("body: NaN in it", "roomid missing"),
    "field before appid": ("roomid missing", "appid of another"),
    "JSON before appid": ("body: NaN in it", "appid of another"),
}
_OF_STARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "address before appid": ("rtmpurl with a space", "appid of another"),
    "addresses counted before appid": ("rtmpurl with a comma behind", "appid of another"),
}
_OF_MIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "output before appid": ("mixconfig.output of width 17", "appid of another"),
    "tile before appid": ("mixconfig.input outside the canvas", "appid of another"),
    "user twice before appid": ("mixconfig.input with a user twice", "appid of another"),
}


def list_orders(flaws: Mapping[str, Flaw]) -> Iterator[tuple[str, Flaw]]:
    """Made of single flaws, by name."""
    for orders, operations, kinds in (
        (_ORDERS, BOTH, KINDS),
        (_OF_STARTS, START, KINDS),
        (_OF_MIXED, START, MIXED),
    ):
        for name, parts in orders.items():
            yield name, _combine(parts, flaws, operations, kinds)


def _combine(
    parts: tuple[str, ...],
    flaws: Mapping[str, Flaw],
    operations: tuple[str, ...],
    kinds: tuple[Kind, ...],
) -> Flaw:
    first = flaws[parts[0]]
    spoils = [_NO_TOKEN if part == "no token" else flaws[part].spoil for part in parts]
    fault = Fault("order-of-checks", first.fault.problem, "assumed")
    return Flaw(fault, _in_turn(spoils), operations, kinds, first.words)


def _in_turn(spoils: Iterable[Spoil]) -> Spoil:
    # The last check first: a body that is no JSON is made of fields that are wrong by then.
    backwards = list(spoils)[::-1]

    def spoil(draft: Draft) -> None:
        for each in backwards:
            each(draft)

    return spoil
