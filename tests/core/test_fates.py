from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.core.fates import ANY_FATE, Turn, read_fate
from fakerelay.core.faults import Step
from fakerelay.core.pushes import CDN_FAILED, CONNECTING, INTERNAL_FAILED, PUSHING, STOPPED
from fakerelay.faults import vocabulary


def follow(turn: Turn | None, most: int = 6) -> list[tuple[float, int]]:
    """The turns in their order, each with how long after the one before it comes."""
    turns: list[tuple[float, int]] = []
    while turn is not None and len(turns) < most:
        turns.append((turn.after_seconds, turn.status))
        turn = turn.next()
    return turns


FATES: Mapping[str, tuple[str, Mapping[str, Any], int, list[tuple[float, int]]]] = {
    "pass": ("pass", {}, PUSHING, []),
    "fail": ("fail", {}, CDN_FAILED, []),
    "fail inside": ("fail", {"status": "internal_failed"}, INTERNAL_FAILED, []),
    "fail later": ("fail", {"after_seconds": 3}, PUSHING, [(3, CDN_FAILED)]),
    "fail and recover": ("fail", {"recover_seconds": 4}, CDN_FAILED, [(4, PUSHING)]),
    "fail later and recover": (
        "fail",
        {"after_seconds": 3, "recover_seconds": 4, "status": "internal_failed"},
        PUSHING,
        [(3, INTERNAL_FAILED), (4, PUSHING)],
    ),
    "flap": ("flap", {"seconds": 2}, PUSHING, [(2, CDN_FAILED), (2, PUSHING)] * 3),
    "flap once": ("flap", {"seconds": 2, "times": 1}, PUSHING, [(2, CDN_FAILED), (2, PUSHING)]),
    "flap inside": (
        "flap",
        {"seconds": 2, "times": 2, "status": "internal_failed"},
        PUSHING,
        [(2, INTERNAL_FAILED), (2, PUSHING)] * 2,
    ),
    "slow": ("slow", {"seconds": 5}, CONNECTING, [(5, PUSHING)]),
    "stop": ("stop", {"seconds": 5}, PUSHING, [(5, STOPPED)]),
    "user left": ("user_left", {}, INTERNAL_FAILED, []),
    "user leaves": (
        "user_left",
        {"after_seconds": 3, "recover_seconds": 4},
        PUSHING,
        [(3, INTERNAL_FAILED), (4, PUSHING)],
    ),
}


@pytest.mark.parametrize(("fault", "settings", "begins", "turns"), FATES.values(), ids=FATES.keys())
def test_step_means_a_fate(
    fault: str, settings: Mapping[str, Any], begins: int, turns: list[tuple[float, int]]
) -> None:
    fate = read_fate(Step(fault, settings))
    assert (fate.begins, follow(fate.turn)) == (begins, turns)


def test_every_fault_of_a_push_means_a_fate() -> None:
    assert {fault for fault, *_ in FATES.values()} == vocabulary()["push"].keys()


def test_fate_of_any_push_is_to_work() -> None:
    assert ANY_FATE == (PUSHING, None, False)
