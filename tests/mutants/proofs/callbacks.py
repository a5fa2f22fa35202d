"""Proofs of the faults of what is told."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.mutants.calls import Call, no, source, stop

START, BOTH = [source()], [source("a b")]
STOPPED: Final = [source("a b"), stop()]
UPDATED: Final = [source("a b"), source("b c")]
PROOFS: Final[Mapping[str, Sequence[Call]]] = {
    "msgid-reused": BOTH,
    "only-first-address-told": BOTH,
    "addresses-told-together": BOTH,
    "stops-not-told": STOPPED,
    "only-first-stop-told": STOPPED,
    "stop-told-before-start": STOPPED,
    "later-status-overtakes": [source(), stop()],
    "refusals-told": [source("a"), no("address_in_use", source("a", "v"))],
    "kept-told": UPDATED,
    "left-not-told": UPDATED,
    "came-not-told": UPDATED,
}
FAILS: Final = {
    "msgid-changes": 1,
    "body-changes": 1,
    "never-retried": 1,
    "500-taken-for-success": 1,
    "retried-at-once": 1,
    "later-status-overtakes": 1,
    "given-up-after-three": 10,
    "retried-once-too-often": 10,
}
