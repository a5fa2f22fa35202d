"""For each fault the calls that show it, with what a correct server answers to them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.mutants import faults
from tests.mutants.calls import Call, Race
from tests.mutants.proofs import addresses, callbacks, fields, replies, tasks, tokens


class Proof(NamedTuple):
    """Calls that show a fault; a receiver of callbacks answers 500 to the first `fails` posts."""

    calls: Sequence[Call | Race]
    has_callbacks: bool = False
    fails: int = 0


def expect(proof: Proof) -> list[str]:
    """What a correct server makes of each call; the calls of a race sorted."""
    expected: list[str] = []
    for call in proof.calls:
        calls = call.calls if isinstance(call, Race) else (call,)
        expected += sorted(each.expects for each in calls)
    return expected


_TABLES: Final[Mapping[str, Sequence[Call | Race]]] = {
    **tokens.PROOFS,
    **fields.PROOFS,
    **addresses.PROOFS,
    **tasks.PROOFS,
    **replies.PROOFS,
}
PROOFS: Final[Mapping[str, Proof]] = {name: Proof(calls) for name, calls in _TABLES.items()} | {
    name: Proof(
        callbacks.PROOFS.get(name, callbacks.START),
        has_callbacks=True,
        fails=callbacks.FAILS.get(name, 0),
    )
    for name in faults.callbacks.FAULTS
}
