import ast
from pathlib import Path
from typing import Final

import pytest

from tests.mutants import FAULTS, VARIANTS, open_mutant
from tests.mutants.calls import (
    Call,
    Player,
    Reply,
    Told,
    mixed,
    no,
    open_receiver,
    other,
    source,
    stop,
    stop_mixed,
)
from tests.mutants.proofs import PROOFS, expect
from tests.mutants.proofs.wordings import bad, bad_key, fill, full, taken
from tests.mutants.variants import BOTH

FOLDER = Path(__file__).parent
DOCUMENTED = [name for name, fault in FAULTS.items() if fault.level == "documented"]
WAITS: Final = {
    name
    for name in DOCUMENTED
    if FAULTS[name].rule == "stop-frees-addresses" or name.startswith("stop-does-nothing")
}
"""Where a kit has to wait at the last call: the opposite server keeps addresses for 2 s."""

STORY: Final = [
    source("a"),
    source("a b"),
    taken(source("b", "v")),
    bad(source("c", "w", roomid=None)),
    bad_key("wrong", source()),
    stop(),
    no("task_not_found", stop()),
    mixed("b"),
    no("room_mismatch", stop_mixed(room="elsewhere")),
    stop_mixed(),
]
"""Needs no more than one place in the quota."""


def is_accepted(reply: Reply) -> bool:
    envelope = reply.envelope
    return (reply.status, envelope["code"], envelope["message"]) == (200, 0, "success")


def play(variant: str, calls: list[Call]) -> list[Reply]:
    with open_mutant(variant=variant) as mutant:
        return Player(mutant).play(calls)


def listen(variant: str, calls: list[Call], fails: int = 0) -> list[Told]:
    with open_mutant(variant=variant) as mutant:
        player = Player(mutant)
        with open_receiver(player, fails) as (url, told):
            mutant.callback_url = url
            player.play(calls)
            mutant.settle()
    return told


@pytest.mark.parametrize("name", DOCUMENTED)
def test_opposite_server_accepts_and_rejects_as_documented(name: str) -> None:
    expected = [problem == "accepted" for problem in expect(PROOFS[name])]
    with open_mutant(variant="opposite", profile=FAULTS[name].profile) as mutant:
        replies = Player(mutant).play(PROOFS[name].calls)
    if name in WAITS:
        assert not is_accepted(replies.pop())
        assert expected.pop()
    # Whichever of two calls at the same time wins is right.
    order = sorted if "race" in name else list
    assert order(map(is_accepted, replies)) == order(expected)


@pytest.mark.parametrize("name", [name for name, each in VARIANTS.items() if each.levels == BOTH])
def test_variant_decides_as_the_contract_says_with_the_codes_it_told(name: str) -> None:
    errors = VARIANTS[name].profile.get("errors", {})
    for reply, call in zip(play(name, STORY), STORY, strict=True):
        if call.expects == "accepted":
            assert is_accepted(reply)
        elif call.expects in errors:
            told = errors[call.expects]
            assert (reply.envelope["code"], reply.status) == (told["code"], told["http_status"])
        else:
            assert (reply.problem, reply.status) == (call.expects, 200)


@pytest.mark.parametrize(("name", "quota"), [("quota-eight", 8), ("quota-one", 1)])
def test_quota_is_the_one_that_is_told(name: str, quota: int) -> None:
    calls = [*fill(quota), full(source())]
    assert [reply.problem for reply in play(name, calls)] == [call.expects for call in calls]


def test_apps_need_not_share_addresses() -> None:
    assert all(map(is_accepted, play("addresses-per-app", [source("a"), other(source("a"))])))


def test_addresses_are_kept_for_a_while() -> None:
    replies = play("late-release", [source("b"), stop(), taken(source("b", "v"))])
    assert replies[-1].problem == "address_in_use"


def test_replies_may_have_more_fields_in_another_order() -> None:
    assert list(play("more-fields", [source()])[0].envelope)[3:] == ["data", "serverTime", "hint"]
    keys = list(play("keys-in-another-order", [source()])[0].envelope)
    assert keys == ["traceId", "message", "code"]


def test_refusals_may_be_worded_otherwise() -> None:
    assert play("other-words", [source(roomid=None)])[0].envelope["message"].startswith("Sorry: ")


def test_notifications_may_be_repeated_to_the_byte() -> None:
    first, second = listen("callback-repeated", [source()])
    assert first.body == second.body


def test_addresses_may_be_told_backwards_or_never_and_tried_twice() -> None:
    assert len(listen("addresses-told-backwards", [source("a b")])) == 2
    assert listen("silent", [source("a b")]) == []
    assert len(listen("two-attempts", [source()], fails=10)) == 2


def test_there_are_enough_variants_and_none_is_dead() -> None:
    code = [path for path in FOLDER.glob("*.py") if path.name != "variants.py"]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in code]
    texts = {n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    liberties = {name for each in VARIANTS.values() for name in each.switches} - FAULTS.keys()
    assert sorted(liberties - texts) == []
    assert len(VARIANTS) >= 8
