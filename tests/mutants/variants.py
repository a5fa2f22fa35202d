"""Servers that differ from ours as far as the contract lets them: no kit may cry wolf."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tests.mutants.conduct import CODES
from tests.mutants.faults.rows import Level

BOTH: Final[tuple[Level, ...]] = ("documented", "assumed")
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Variant(NamedTuple):
    """Must pass at these levels, told the `profile`; `switches` are what a kit is not told of."""

    levels: tuple[Level, ...]
    doc: str
    switches: frozenset[str] = frozenset()
    profile: Mapping[str, Any] = _NOTHING


def _differs(doc: str, *switches: str) -> Variant:
    return Variant(BOTH, doc, frozenset(switches))


def _told(doc: str, **profile: Any) -> Variant:
    return Variant(BOTH, doc, profile=profile)


_OTHER_ERRORS: Final = {
    problem: {"code": -index, "http_status": 400 + index % 20}
    for index, problem in enumerate(CODES, start=1)
}

_OPPOSITE: Final = (
    # Calls and tokens.
    "missing-trace-id-refused", "trace-id-not-echoed", "content-type-unchecked",
    "unknown-path-status-200", "token-spaces-accepted", "token-padding-optional",
    "scheme-case-ignored", "several-tokens-accepted", "foreign-app-accepted",
    "fields-before-token", "other-appid-accepted",
    # Bodies.
    "unknown-field-refused", "ignored-fields-checked", "first-key-wins", "whole-float-refused",
    "nan-accepted", "surrogates-accepted", "input-empty-accepted", "input-uid-unchecked",
    "input-uid-twice-accepted", "tile-outside-accepted", "input-alpha-unchecked",
    "output-must-be-full", "input-must-be-full",
    # Addresses.
    "rtmps-refused", "address-space-accepted", "ipv6-refused", "user-information-refused",
    "address-without-path-refused", "empty-port-accepted", "port-unchecked",
    "addresses-compared-as-text", "address-twice-accepted", "released-after-2-s",
    "address-unchecked-across-apps",
    # Tasks.
    "room-may-change", "update-merges", "rejected-update-loses-addresses", "restart-refused",
    "kinds-share-names", "apps-share-names", "quota-counts-addresses", "quota-before-address",
    "unknown-stop-accepted", "stop-in-any-room", "partial-stop-ends-all", "stop-kind-ignored",
    # Replies and callbacks.
    "other-words", "codes-negated", "refusal-status-400",
    "callback-form-free", "callback-before-reply", "never-retried", "callback-put",
)  # fmt: skip

VARIANTS: Final[Mapping[str, Variant]] = {
    "more-fields": _differs("Replies have fields that nobody asked for", "more-fields"),
    "other-words": _differs("Refusals are worded otherwise", "other-words"),
    "keys-in-another-order": _differs("The keys of a reply are reversed", "keys-in-another-order"),
    "pretty": _differs("Replies are indented", "pretty"),
    "header-case": _differs("Headers are spelled otherwise, with a charset", "header-case"),
    "no-keep-alive": _differs("Each reply closes its connection", "no-keep-alive"),
    "slow": _differs("Each answer takes 20 ms more", "slow"),
    "callbacks-late": _differs("Notifications come 0.3 s late", "callbacks-late"),
    "callback-repeated": _differs(
        "Each notification is posted twice, the same to the byte", "callback-repeated"
    ),
    "addresses-told-backwards": _differs(
        "The addresses of one call are told in reverse", "addresses-told-backwards"
    ),
    "as-it-likes": _differs(
        "Does otherwise than we where nothing at all is said",
        *("several-tokens-accepted", "charset-needed", "address-without-host-accepted"),
    ),
    "other-codes": _told("Other codes, and an HTTP 4xx for each refusal", errors=_OTHER_ERRORS),
    "quota-eight": _told("Eight pushes at a time", concurrent_pushes=8),
    "quota-one": _told("One push at a time", concurrent_pushes=1),
    "addresses-per-app": _told("Apps do not share the space of addresses", address_scope="app"),
    "two-attempts": _told("A notification is tried twice", callback={"retry_delays_seconds": [1]}),
    "late-release": Variant(
        ("documented",),
        "Addresses are free only 2 s after the stop, and nobody is told",
        frozenset({"released-after-2-s"}),
    ),
    "late-places": Variant(
        ("documented",),
        "Addresses and the places in the quota are free only 2 s after the stop",
        frozenset({"released-after-2-s", "place-free-after-2-s"}),
    ),
    "quota-429": Variant(
        ("documented",),
        "A full quota is HTTP 429, with codes that nobody is told",
        frozenset({"quota-status-429", "codes-negated"}),
    ),
    "silent": Variant(
        ("documented",), "No push status is ever told", frozenset({"callbacks-never"})
    ),
    "opposite": Variant(
        ("documented",),
        "Wherever the contract only assumes or borrows, it does the opposite, and tells nobody",
        frozenset(_OPPOSITE),
    ),
    "opposite-at-once": Variant(
        ("documented",),
        "The same, but what a stop frees is free at once: nobody has to wait for it",
        frozenset(_OPPOSITE) - {"released-after-2-s"},
    ),
}
