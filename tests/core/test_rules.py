"""Which rule answers first, and what no decision does."""

import pytest

from fakerelay.core.commands import (
    PutApp,
    StartPush,
)
from fakerelay.core.model import App
from fakerelay.core.rules import Accepted, Refused, decide
from tests.core.test_stops import SLOW
from tests.core.worlds import (
    APPID,
    OTHER,
    addresses,
    dump,
    outcome,
    profile,
    set_status,
    start,
    start_mixed,
    stop,
    world_after,
)

ALL_BROKEN = profile(concurrent_pushes=1, mixed_tasks_per_room=1, requires_live_room=True)
LIVE = PutApp(App(APPID, "account", live_rooms=(("r", ("u",)), ("q", ()))))
START_ORDER = {
    "room_not_live before all": (start_mixed("t", "h/taken", room="dark"), "room_not_live"),
    "room_mismatch before address_in_use": (
        start_mixed("t", "h/taken", room="q"),
        "room_mismatch",
    ),
    "address_in_use before quotas": (start_mixed("t2", "h/taken"), "address_in_use"),
    "quota_exceeded before the room's": (start_mixed("t2", "h/2"), "quota_exceeded"),
}


@pytest.mark.parametrize(("command", "name"), START_ORDER.values(), ids=START_ORDER.keys())
def test_first_broken_rule_of_a_start_answers(command: StartPush, name: str) -> None:
    world = world_after(LIVE, start_mixed("t", "h/1"), start("u", "h/taken", appid=OTHER))
    decision = decide(world, command, 0.0, ALL_BROKEN)
    assert isinstance(decision, Refused)
    assert decision.problem.name == name


def test_room_quota_answers_last() -> None:
    world = world_after(start_mixed("t", "h/1"))
    decision = decide(world, start_mixed("t2", "h/2"), 0.0, profile(mixed_tasks_per_room=1))
    assert outcome(decision) == ("room_quota_exceeded", "mixed-tasks-per-room")


def test_first_broken_rule_of_a_stop_answers() -> None:
    world = world_after(start("u", "h/a"))
    assert outcome(decide(world, stop("v", "h/x", room="q"), 0.0, profile())) == (
        "task_not_found",
        "stop-running-task",
    )
    assert outcome(decide(world, stop("u", "h/x", room="q"), 0.0, profile())) == (
        "room_mismatch",
        "stop-room",
    )


def test_decision_changes_nothing_by_itself() -> None:
    world = world_after(start("u", "h/a", "h/b"))
    before = dump(world)
    for command in (start("v", "h/c"), start("u", "h/c"), stop("u"), set_status("u", "h/a", 1)):
        assert isinstance(decide(world, command, 9.0, SLOW), Accepted)
        assert dump(world) == before


def test_same_question_gets_the_same_answer() -> None:
    world = world_after(start("u", "h/a"))
    command = StartPush((APPID, 2, "v"), "r", addresses("h/a"), None, "t")
    assert decide(world, command, 1.0, profile()) == decide(world, command, 1.0, profile())
