"""What can be judged on a target: the rest is skipped, and says why."""

from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay import schemas
from fakerelay.contract.abstentions import ABSTENTIONS
from fakerelay.contract.catalogue import Scenario, list_scenarios
from fakerelay.contract.drafts import Account
from fakerelay.contract.operations import Level, Race, Start, Stop
from fakerelay.contract.scopes import find_obstacle, find_scope
from fakerelay.contract.targets import Target, make_target
from fakerelay.errors import ConfigError

PROFILE = schemas.read_json("profiles/default")
ACCOUNTS = {0: Account(1, "a", "k"), 1: Account(2, "b", "k")}
LEVELS: tuple[Level, ...] = ("documented", "assumed")


def target(accounts: int = 2, settings: Mapping[str, Any] | None = None, **more: Any) -> Target:
    known = {number: ACCOUNTS[number] for number in range(accounts)}
    return make_target("http://127.0.0.1:1", known, {**PROFILE, **(settings or {})}, **more)


FULL = Scenario("full", [Start(n, (n,)) for n in range(5)])
OBSTACLES = {
    "another app": (target(1), Scenario("", [Start(0, (0,), app=1)]), "--other-app"),
    "a shared quota": (target(is_shared=True), FULL, "--shared-account"),
    "two live rooms": (
        target(live_rooms=["r"]),
        Scenario("", [Start(0, (0,)), Stop(0, room=1)]),
        "2 rooms that are live",
    ),
    "a long room": (
        target(live_rooms=["r"]),
        Scenario("", [Start(0, (0,), style="room of 64 characters")]),
        "--room",
    ),
    "a long name": (
        target(settings={"taskid_style": "alphanumeric20"}),
        Scenario("", [Start(0, (0,), "mixed", style="task of 64 characters")]),
        "taskid_style",
    ),
    "a race": (
        target(settings={"rate_limit_per_second": 1}),
        Scenario("", [Race((Start(0, (0,)), Start(1, (0,))))]),
        "rate_limit_per_second",
    ),
}


@pytest.mark.parametrize(("where", "scenario", "told"), OBSTACLES.values(), ids=OBSTACLES.keys())
def test_scenario_that_asks_too_much_is_not_played(
    where: Target, scenario: Scenario, told: str
) -> None:
    assert told in (find_obstacle(scenario, where) or "")
    assert find_obstacle(scenario, target()) is None


@pytest.mark.parametrize("level", LEVELS)
def test_all_of_the_catalogue_can_be_played_on_a_server_of_ones_own(level: Level) -> None:
    where = target()
    obstacles = [find_obstacle(each, where) for each in list_scenarios(level, where.policy)]
    assert set(obstacles) == {None}


SKIPPED: dict[str, tuple[Target, str, str]] = {
    "no other app": (target(1), "address-scope", "--other-app"),
    "shared": (target(is_shared=True), "concurrent-pushes", "--shared-account"),
    "no quota": (
        target(settings={"concurrent_pushes": 0}), "update-at-full-quota", "concurrent_pushes=0"
    ),
    "much quota": (
        target(settings={"concurrent_pushes": 10**9}), "concurrent-pushes", "takes more calls"
    ),
    "any room": (target(), "room-live", "requires_live_room=false"),
    "rooms without a quota": (
        target(settings={"mixed_tasks_per_room": 0}), "mixed-tasks-per-room", "=0"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("where", "rule", "told"), SKIPPED.values(), ids=SKIPPED.keys())
def test_rule_is_skipped_with_the_reason(where: Target, rule: str, told: str) -> None:
    scope = find_scope(where, "assumed")
    assert told in scope.skipped[rule]
    assert rule not in scope.planned


def test_what_a_profile_allows_is_planned() -> None:
    settings = {"requires_live_room": True, "mixed_tasks_per_room": 2, "concurrent_pushes": 8}
    scope = find_scope(target(settings=settings, live_rooms=["a", "b"]), "assumed")
    assert {"room-live", "mixed-tasks-per-room", "concurrent-pushes"} <= scope.planned


def test_rules_that_are_abstained_from_are_in_the_book_and_not_planned() -> None:
    book = schemas.rulebook()
    assert all(book[rule].reason is None for rule in ABSTENTIONS)
    assert ABSTENTIONS.keys().isdisjoint(find_scope(target(), "assumed").planned)


WRONG = {
    "push base": ({"push_base": "http://cdn.test"}, "push base 'http://cdn.test'"),
    "release": ({"settings": {"release_seconds": 11}}, "release_seconds=11"),
    "no live room": ({"settings": {"requires_live_room": True}}, "--room"),
}


@pytest.mark.parametrize(("parts", "told"), WRONG.values(), ids=WRONG.keys())
def test_target_that_can_not_be_judged_is_refused(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        target(**parts)
