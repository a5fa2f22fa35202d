"""The kit's model of the contract: values in, values out."""

from collections.abc import Sequence

import pytest

from fakerelay.contract.catalogue import list_scenarios
from fakerelay.contract.courses import foresee_courses, is_move_documented
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.model import Policy, World, foresee, is_documented
from fakerelay.contract.operations import Operation, Start, Stop, list_operations

OURS, MIXED = Start(0, (0,)), Start(0, (0,), "mixed")
FULL = [Start(number, (number,)) for number in range(5)]
STORIES: dict[str, tuple[Sequence[Operation], list[str | None]]] = {
    "start and stop": ([OURS, Stop(0)], [None, None]),
    "stop of nothing": ([Stop(0)], ["stop-running-task"]),
    "stop twice": ([OURS, Stop(0), Stop(0)], [None, None, "stop-running-task"]),
    "stop in another room": ([OURS, Stop(0, room=1)], [None, "stop-room"]),
    "stop of another's address": ([OURS, Stop(0, (1,))], [None, "stop-own-addresses"]),
    "stopped bit by bit": (
        [Start(0, (0, 1)), Stop(0, (0,)), Stop(0, (1,)), Stop(0)],
        [None, None, None, "stop-running-task"],
    ),
    "address taken": ([OURS, Start(1, (1, 0))], [None, "address-unique"]),
    "address taken by the other kind": ([OURS, Start(0, (0,), "mixed")], [None, "address-unique"]),
    "address of another app's": ([OURS, Start(0, (0,), app=1)], [None, "address-scope"]),
    "address freed": ([OURS, Stop(0), Start(1, (0,))], [None, None, None]),
    "address left by an update": ([OURS, Start(0, (1,)), Start(1, (0,))], [None, None, None]),
    "moved": ([OURS, Start(0, (0,), room=1)], [None, "room-fixed"]),
    "six addresses": ([Start(0, tuple(range(6)))], ["rtmpurl-count"]),
    "an address twice": ([Start(0, (0, 0))], ["address-once"]),
    "over quota": ([*FULL, Start(5, (5,))], [*[None] * 5, "concurrent-pushes"]),
    "updated at full quota": ([*FULL, Start(0, (0, 6))], [None] * 6),
    "mixed tasks of a room": (
        [*(Start(n, (n,), "mixed", app=n % 2) for n in range(6))],
        [None] * 6,
    ),
    "wrong token": ([Start(0, (0,), credential="another key"), OURS], ["certificate-known", None]),
    "flawed": ([Start(0, (0,), flaw="roomid missing"), OURS], ["roomid-field", None]),
}


@pytest.mark.parametrize(("operations", "broken"), STORIES.values(), ids=STORIES.keys())
def test_model_foresees(operations: Sequence[Operation], broken: list[str | None]) -> None:
    world, told = World(), []
    for operation in operations:
        outcome = foresee(world, operation, Policy(), FAULTS)
        told.append(outcome.broken.rule if outcome.broken is not None else None)
        world = outcome.world
    assert told == broken


def test_address_scope_and_quotas_are_the_policys() -> None:
    world = foresee(World(), OURS, Policy(), FAULTS).world
    other = Start(0, (0,), app=1)
    assert foresee(world, other, Policy(address_scope="app"), FAULTS).broken is None
    second = Start(1, (1,))
    refused = foresee(world, second, Policy(concurrent_pushes=1), FAULTS).broken
    assert refused is not None
    assert refused.problem == "quota_exceeded"
    room = [Start(n, (n,), "mixed") for n in range(2)]
    world = foresee(World(), room[0], Policy(), FAULTS).world
    full = foresee(world, room[1], Policy(mixed_tasks_per_room=1), FAULTS).broken
    assert full is not None
    assert full.rule == "mixed-tasks-per-room"


UNDECIDED: dict[str, Sequence[Operation]] = {
    "stop of nothing": [Stop(0)],
    "partial stop": [OURS, Stop(0, (0,))],
    "stop in another room": [OURS, Stop(0, room=1)],
    "restart": [OURS, Stop(0), OURS],
    "moved": [OURS, Start(0, (0,), room=1)],
    "one name for both": [OURS, Start(0, (1,), "mixed")],
    "an address twice": [Start(0, (0, 0))],
    "what an update let go": [OURS, Start(0, (1,)), Start(1, (0,))],
    "another app's name": [OURS, Start(0, (1,), app=1)],
    "what a refused update let go or kept": [
        Start(0, (0, 1)),
        Start(1, (2,)),
        Start(0, (2,)),
        Start(3, (1,)),
    ],
    "an update to more addresses than the quota has tasks": [*FULL, Start(0, (0, 5))],
    "over a quota of addresses that may be gone": [*FULL, Start(0, (1,)), Start(5, (5,))],
    "over a quota of addresses that may be kept": [*FULL[:4], Start(0, (5,)), Start(6, (6,))],
    "another app's address": [OURS, Start(0, (0,), app=1)],
    "more addresses than the quota has tasks": [Start(0, (0, 1, 2, 3)), Start(1, (4, 5))],
    "small basic": [Start(0, (0,), credential="small basic")],
    "no JSON": [Start(0, (0,), flaw="body: no JSON")],
}


@pytest.mark.parametrize("operations", UNDECIDED.values(), ids=UNDECIDED.keys())
def test_only_assumptions_decide_the_last_of(operations: Sequence[Operation]) -> None:
    world = World()
    for operation in operations[:-1]:
        assert is_documented(world, operation, Policy(), FAULTS)
        world = foresee(world, operation, Policy(), FAULTS).world
    assert not is_documented(world, operations[-1], Policy(), FAULTS)


@pytest.mark.parametrize("quota", [0, 1, 3, 5, 8])
def test_documented_scenarios_send_nothing_that_only_assumptions_decide(quota: int) -> None:
    policy = Policy(concurrent_pushes=quota)
    scenarios = list(list_scenarios("documented", policy))
    assert len(scenarios) > 50
    for scenario in scenarios:
        worlds = [World()]
        for move in scenario.operations:
            for world in worlds:
                assert is_move_documented(world, move, policy, FAULTS), scenario.name
            told = [foresee_courses(each, list_operations(move), policy, FAULTS) for each in worlds]
            worlds = [course.world for courses in told for course in courses]


def test_with_the_usual_quota_no_scenario_for_documented_rules_is_left_out() -> None:
    names = {scenario.name for scenario in list_scenarios("documented", Policy())}
    assumed = {scenario.name for scenario in list_scenarios("assumed", Policy())}
    assert {name for name in assumed if "source: " in name and "addresses" in name} <= names | {
        "source: addresses come and go"
    }
    assert "over quota, updated at full quota, and again once one has ended" in names


def test_path_of_the_recording_api_is_answered_where_the_profile_says_so() -> None:
    start = Start(0, (0,), flaw="path of the recording API")
    refused = foresee(World(), start, Policy(), FAULTS)
    assert (refused.rule, refused.world.tasks) == ("legacy-paths", {})
    assert foresee(World(), start, Policy(legacy_paths=True), FAULTS).broken is None
