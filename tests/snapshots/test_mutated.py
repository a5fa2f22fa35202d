"""Snapshots that are changed anywhere are refused, or make a world that holds together."""

import copy
import json
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakerelay.clock import FROZEN, LATEST
from fakerelay.core.model import MIXED
from fakerelay.errors import ControlError
from fakerelay.snapshots import render_lines
from fakerelay.tenants import Tenant
from tests.core.worlds import stop
from tests.snapshots.damages import HUGE, deep, meet, put, put_snapshot
from tests.snapshots.test_snapshots import run
from tests.snapshots.worlds import Json, apply, make_full_world, make_tenants, save


def make_nasty() -> list[Any]:
    """Anew each time: a mutation may change what an earlier one has put in."""
    return [
        None, True, -1, 0, 2**53, 2**64, HUGE, 1e308, 0.5, "", "a", "x" * 2000, "\ud800", "../..",
        "rtmp://h/a", [], {}, [[]], {"$ref": "#"}, {"__proto__": 1}, b"raw", {1, 2}, object(),
        deep(300),
    ]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a value."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, value in inside:
        found.append((*path, key))
        if isinstance(value, (dict, list)):
            found += places(value, (*path, key))
    return found


def mutate(snapshot: Json, random: Random) -> None:
    """Change, take away, repeat or swap something somewhere."""
    *path, last = random.choice(places(snapshot))
    node: Any = snapshot
    for step in path:
        node = node[step]
    match random.randrange(4):
        case 0:
            del node[last]
        case 1 if isinstance(node, list):
            node.append(copy.deepcopy(node[last]))
        case 2:
            node[last], node[random.choice(places(node))[0]] = (
                random.choice(make_nasty()),
                node[last],
            )
        case _:
            node[last] = random.choice(make_nasty())


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_mutated_snapshot_is_refused_or_consistent(seed: int, changes: int) -> None:
    async def work() -> None:
        tenants, tenant = await make_full_world()
        before = render_lines(save(tenant))
        snapshot, random = json.loads(before), Random(seed)
        for _ in range(changes):
            mutate(snapshot, random)
        try:
            await put_snapshot(tenants, snapshot)
        except ControlError:
            assert render_lines(save(tenant)) == before
        else:
            after = save(tenant)
            copied = make_tenants()
            await put_snapshot(copied, after)
            assert render_lines(save(copied.default)) == render_lines(after)
            await tenant.clock.advance(100.0)
            await drain(copied.default)

    run(work())


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_callbacks_that_are_accepted_are_told(seed: int, changes: int) -> None:
    async def work() -> None:
        tenants, tenant = await make_full_world()
        snapshot, random = json.loads(render_lines(save(tenant))), Random(seed)
        for each in random.sample(range(5), 2):
            meet(each)(snapshot)
        for _ in range(changes):
            mutate(snapshot["callbacks"], random)
        try:
            await put_snapshot(tenants, snapshot)
        except ControlError:
            return
        await drain(tenant)

    run(work())


async def test_first_of_a_lane_has_its_turn_whatever_is_said() -> None:
    tenants, tenant = await make_full_world()
    snapshot = save(tenant)
    put("/callbacks/pending/2/is_head", False)(snapshot)
    await put_snapshot(tenants, snapshot)
    assert [each["is_head"] for each in save(tenant)["callbacks"]["pending"]][2]
    await drain(tenant)


async def drain(tenant: Tenant) -> None:
    """A call, a release, and time enough: nothing that was pending then is pending for ever."""
    await apply(tenant, stop("t", appid=1, kind=MIXED))
    tenant.delivery.release()
    pending = [e for e in tenant.delivery.notifications() if tenant.delivery.is_pending(e)]
    tenant.clock.set(FROZEN)
    limit_seconds = min(LATEST - tenant.clock.now(), 50 * 31536000.0)

    def is_over() -> bool:
        return not any(map(tenant.delivery.is_pending, pending))

    await tenant.clock.run_until(is_over, limit_seconds=limit_seconds)
    assert is_over() or tenant.clock.now() >= LATEST, save(tenant)["callbacks"]
