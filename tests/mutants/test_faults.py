import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakerelay.schemas import check_settings, rulebook
from tests.mutants import FAULTS, VARIANTS, open_mutant
from tests.mutants.calls import Player, Reply, Told, open_receiver
from tests.mutants.proofs import PROOFS, Proof, expect

FOLDER = Path(__file__).parent
CLAIMS_OF_LEVELS = {
    # An assumed row, but what is asserted of it is so from `documented` on (section 6).
    "rejected-claims-nothing",
    # Borrowed, and taken for granted at both levels.
    "accepted-sense",
    "reply-envelope",
}
ASSUMED_PARTS = {
    "address-space-accepted": "the row is the SDK's, that spaces are special is assumed",
    "legacy-path-answered": "the row gives the path, that it is not answered is assumed",
    "callback-status-illegal": "where a notification bears its status is assumed",
}
QUICK = {"callback": {"retry_delays_seconds": [0.01] * 5}}
SLOW = {"callback": {"retry_delays_seconds": [1.5]}}


def play(proof: Proof, *faults: str, **profile: Any) -> tuple[list[Reply], list[Any]]:
    """What is answered and told."""
    with open_mutant(*faults, profile=profile) as mutant:
        player = Player(mutant)
        if not proof.has_callbacks:
            return player.play(proof.calls), []
        with open_receiver(player, proof.fails) as (url, told):
            mutant.callback_url = url
            replies = player.play(proof.calls)
            mutant.settle()
            return replies, normalise(told)


def normalise(told: list[Told]) -> list[Any]:
    """What is the same whenever it runs, by address, in the order it came."""
    numbers: dict[Any, int] = defaultdict(lambda: len(numbers))
    lines = []
    for each, paused in sorted(add_pauses(told), key=lambda pair: str(read_address(pair[0]))):
        body = dict(each.body)
        context = {key: value for key, value in body["context"].items() if key != "starttime"}
        lines.append(
            {
                **{key: body[key] for key in ("product", "msgtype")},
                "context": context,
                "msgid": (type(body.get("msgid")), numbers[body.get("msgid")]),
                "retold": numbers[str(body)],
                "lag": (body["notifytime"] - body["context"].get("starttime", 0)) // 60_000,
                "method": (each.method, each.content_type, each.came_after_reply),
                "paused": paused,
            }
        )
    return lines


def add_pauses(told: list[Told]) -> Iterator[tuple[Told, bool]]:
    """With each whether it came a second and more after the one before."""
    for before, each in zip([*told[:1], *told], told, strict=False):
        yield each, each.at - before.at > 1


def read_address(told: Told) -> object:
    return told.body["context"].get("rtmpurl")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_shows_where_a_correct_server_answers_as_the_contract_says(fault: str) -> None:
    proof = PROOFS[fault]
    pace = SLOW if fault == "retried-at-once" else QUICK
    profile = {**FAULTS[fault].profile, **(pace if proof.has_callbacks else {})}
    right = play(proof, **profile)
    assert [reply.problem for reply in right[0]] == expect(proof)
    assert play(proof, fault, **profile) != right


def test_there_is_a_proof_of_each_fault_and_no_other() -> None:
    assert PROOFS.keys() == FAULTS.keys()
    assert len(FAULTS) >= 60


def find_level(fault: str) -> str:
    """The level that follows from the row, of those faults that have no word of their own."""
    row = rulebook()[FAULTS[fault].rule]
    if row.id in CLAIMS_OF_LEVELS:
        return FAULTS[fault].level
    is_documented = row.level in "DS" and fault not in ASSUMED_PARTS
    return "documented" if is_documented else "assumed"


def test_every_fault_breaks_a_rule_that_can_be_checked() -> None:
    rules = {fault.rule for fault in FAULTS.values()}
    assert "not_checkable" not in {rulebook()[rule].enforced for rule in rules}


def test_levels_of_faults_are_those_of_their_rules() -> None:
    assert {name: fault.level for name, fault in FAULTS.items()} == {
        name: find_level(name) for name in FAULTS
    }


PROFILES: dict[str, Any] = {name: fault.profile for name, fault in FAULTS.items()}
PROFILES |= {name: variant.profile for name, variant in VARIANTS.items()}


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile])
def test_profile_is_one_that_fakerelay_reads(name: str) -> None:
    check_settings("profile", PROFILES[name], name)


def test_server_is_written_without_fakerelay() -> None:
    """The matrix, which plays the kit against it, is not."""
    for path in FOLDER.rglob("*.py"):
        if path.name.startswith("test_") or path.parent.name == "matrix":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            assert not [name for name in names if name.partition(".")[0] == "fakerelay"], path


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(KeyError, match="no-such"), open_mutant("no-such"):
        pass
