"""Worlds saved, and made again from what was saved."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.clock import REAL
from fakerelay.control.components import components
from fakerelay.core.commands import Command
from fakerelay.core.rules import Accepted
from fakerelay.errors import ControlError
from fakerelay.snapshots import render_lines
from fakerelay.tenants import Tenant
from tests.core.test_properties import steps as command_steps
from tests.core.worlds import outcome, start
from tests.snapshots.worlds import (
    CHANCE,
    NOW,
    Json,
    apply,
    make_full_world,
    make_tenants,
    make_world,
    restore,
    save,
    set_profile,
)


async def test_full_world_has_something_in_every_part() -> None:
    _, tenant = await make_full_world()
    snapshot = save(tenant)
    empty = {key for key, value in snapshot.items() if not value}
    assert empty <= {"shared_addresses"}
    assert set(snapshot) == set(components()["snapshot"]["properties"])


async def test_restored_world_has_the_same_snapshot() -> None:
    _, tenant = await make_full_world()
    snapshot = save(tenant)
    restored = await restore(make_tenants(), json.loads(json.dumps(snapshot)))
    assert render_lines(save(restored)) == render_lines(snapshot)


async def test_secrets_stay_unless_asked_for() -> None:
    _, tenant = await make_full_world()
    assert "secret" not in render_lines(save(tenant, with_keys=False))
    assert "secret" in render_lines(save(tenant))


async def test_lines_are_json_with_a_line_for_each_task() -> None:
    _, tenant = await make_full_world()
    snapshot = save(tenant)
    text = render_lines(snapshot)
    assert json.loads(text) == snapshot
    assert len([line for line in text.splitlines() if "updated_at" in line]) == 2


async def test_clock_stands_where_it_stood() -> None:
    _, tenant = await make_full_world()
    await tenant.clock.advance(5.0)
    tenants = make_tenants()
    tenants.default.clock.set(REAL)
    restored = await restore(tenants, save(tenant))
    assert (restored.clock.mode, restored.clock.now()) == ("frozen", NOW + 5.5)


async def test_what_was_to_come_comes() -> None:
    _, tenant = await make_full_world()
    restored = await restore(make_tenants(), save(tenant))
    await restored.clock.advance(29.0)
    assert [push["status"] for push in save(restored)["tasks"][0]["pushes"]] == [0, 0]
    await restored.clock.advance(1.0)
    assert [push["status"] for push in save(restored)["tasks"][0]["pushes"]] == [1, 0]


async def test_what_was_to_come_before_the_restore_does_not() -> None:
    tenants, tenant = await make_full_world()
    snapshot = {**save(tenant), "outlooks": []}
    await restore(tenants, snapshot)
    await tenant.clock.advance(60.0)
    assert [push["status"] for push in save(tenant)["tasks"][0]["pushes"]] == [0, 0]


async def test_plans_go_on_where_they_were() -> None:
    _, tenant = await make_full_world()
    plan = tenant.faults.get("fault-1")
    assert plan is not None
    for _ in range(5):
        plan.draw()
    restored = (await restore(make_tenants(), save(tenant))).faults.get("fault-1")
    assert restored is not None
    assert [restored.draw() for _ in range(5)] == [plan.draw() for _ in range(5)]


async def test_much_chance_is_drawn_while_others_have_their_turn() -> None:
    _, tenant = await make_full_world()
    snapshot = save(tenant)
    snapshot["faults"][0]["draws"] = 200_000
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(take_turns())
    restored = await restore(make_tenants(), snapshot)
    other.cancel()
    (plan,) = restored.faults
    assert plan.draws == 200_000
    assert turns >= 10


async def test_duration_that_is_over_need_not_have_been_noticed() -> None:
    _, tenant = await make_world()
    plan = {"plan": {**CHANCE, "id": "p", "steps": [{"fault": "reset", "for_seconds": 1}]}}
    progress = {"created_at": NOW, "began_at": NOW - 5, "position": 0, "met": [0], "draws": 0}
    await restore(make_tenants(), {**save(tenant), "faults": [{**plan, **progress}]})
    restored = await restore(make_tenants(), {**save(tenant), "faults": [{**plan, **progress}]})
    (saved,) = save(restored)["faults"]
    assert (saved["position"], saved["began_at"]) == (1, NOW - 4)


async def test_seeded_ids_go_on() -> None:
    _, tenant = await make_full_world()
    restored = await restore(make_tenants(), save(tenant))
    assert restored.ids.message_id() == tenant.ids.message_id()


async def test_addresses_shared_before_the_profile_changed_stay_shared() -> None:
    _, tenant = await make_world()
    set_profile(tenant, address_scope="app")
    for appid in (1, 2):
        await tenant.service.apply(start("u", "h/a", appid=appid))
    set_profile(tenant, address_scope="service")
    snapshot = save(tenant)
    assert snapshot["shared_addresses"] == ["rtmp://h/a"]
    assert save(await restore(make_tenants(), snapshot)) == snapshot
    with pytest.raises(ControlError) as caught:
        await restore(make_tenants(), {**snapshot, "shared_addresses": []})
    assert caught.value.pointer == "/tasks/1/pushes/0/rtmpurl"


async def test_quota_may_be_lower_than_what_runs() -> None:
    _, tenant = await make_full_world()
    set_profile(tenant, concurrent_pushes=1)
    snapshot = save(tenant)
    assert save(await restore(make_tenants(), snapshot)) == snapshot


async def test_profile_of_an_older_version_is_filled_up() -> None:
    _, tenant = await make_full_world()
    snapshot = save(tenant)
    profile = snapshot["profile"]
    del snapshot["profile_hash"], profile["legacy_paths"], profile["callback"]["product"]
    restored = await restore(make_tenants(), snapshot)
    assert restored.service.profile == tenant.service.profile


async def test_world_that_is_being_advanced_is_not_replaced() -> None:
    tenants, tenant = await make_full_world()
    snapshot = save(tenant)
    refused = []

    async def restore_meanwhile() -> None:
        with pytest.raises(ControlError) as caught:
            await restore(tenants, snapshot)
        refused.append(caught.value.code)

    tenant.clock.call_at(
        NOW + 1, lambda: tenant.clock.track(asyncio.ensure_future(restore_meanwhile()))
    )
    await tenant.clock.advance(2.0)
    assert refused == ["advance_under_way"]


# Whatever was done to a world.


def run(work: Any) -> Any:
    return asyncio.run(work)


async def perform(tenant: Tenant, steps: Sequence[tuple[Command, float]]) -> list[Any]:
    decided = []
    for command, seconds in steps:
        await tenant.clock.advance(seconds)
        decision = await apply(tenant, command)
        told = decision.events if isinstance(decision, Accepted) else ()
        decided.append((outcome(decision), [(e.key, e.address.key, e.status) for e in told]))
    return decided


settings = st.fixed_dictionaries(
    {},
    optional={
        "address_scope": st.sampled_from(["service", "app"]),
        "concurrent_pushes": st.integers(0, 3),
        "release_seconds": st.sampled_from([0.0, 3.0]),
        "rate_limit_per_second": st.integers(0, 2),
        "push": st.fixed_dictionaries({"retry_seconds": st.sampled_from([0, 2])}),
    },
)
some_steps = st.lists(command_steps, max_size=15)


@given(settings, some_steps, settings, some_steps, some_steps)
def test_world_and_its_copy_decide_alike(
    first: Json,
    before: Sequence[tuple[Command, float]],
    second: Json,
    between: Sequence[tuple[Command, float]],
    after: Sequence[tuple[Command, float]],
) -> None:
    async def work() -> None:
        _, tenant = await make_world()
        set_profile(tenant, **first)
        await perform(tenant, before)
        set_profile(tenant, **second)
        await perform(tenant, between)
        snapshot = save(tenant)
        copied = await restore(make_tenants(), json.loads(json.dumps(snapshot)))
        assert render_lines(save(copied)) == render_lines(snapshot)
        assert await perform(copied, after) == await perform(tenant, after)
        for each in (copied, tenant):
            await each.clock.advance(40.0)
        assert render_lines(save(copied)) == render_lines(save(tenant))

    run(work())
