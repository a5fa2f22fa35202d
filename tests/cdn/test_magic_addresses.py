"""How pushes to magic addresses fare."""

from collections.abc import Mapping, Sequence

import pytest

from tests.cdn.worlds import FAIL, World
from tests.core.worlds import start

MAGIC: Mapping[str, Sequence[tuple[float, int]]] = {
    "refused.fakerelay.test/live/a": [(0, 1)],
    "REFUSED.FakeRelay.TEST:2000": [(0, 1)],
    "user:pass@refused.fakerelay.test/a?b": [(0, 1)],
    "refused-7.fakerelay.test/a": [(0, 0), (7, 1)],
    "internal.fakerelay.test/a": [(0, 2)],
    "internal-7.fakerelay.test/a": [(0, 0), (7, 2)],
    "recovers.fakerelay.test/a": [(0, 1), (10, 0)],
    "recovers-30.fakerelay.test/a": [(0, 1), (30, 0)],
    "flapping.fakerelay.test/a": [(0, 0), (10, 1), (20, 0), (30, 1)],
    "flapping-16.fakerelay.test/a": [(0, 0), (16, 1), (32, 0)],
    "slow.fakerelay.test/a": [(10, 0)],
    "slow-2.fakerelay.test/a": [(2, 0)],
    "any.fakerelay.test/a": [(0, 0)],
    "refused-0.fakerelay.test/a": [(0, 0)],
    "fakerelay.test/a": [(0, 0)],
    "h/refused.fakerelay.test/a": [(0, 0)],
    "refused.fakerelay.test.example.com/a": [(0, 0)],
    "refused@h/a.fakerelay.test": [(0, 0)],
}


@pytest.mark.parametrize(("address", "expected"), MAGIC.items(), ids=MAGIC.keys())
async def test_magic_address_does_what_its_host_says(
    address: str, expected: Sequence[tuple[float, int]]
) -> None:
    world = await World().open()
    await world.do(start("u", address))
    await world.advance(39)
    assert world.told() == [(at, address, status) for at, status in expected]


async def test_taken_address_is_in_use() -> None:
    world = await World().open()
    world.plan({**FAIL}, match={"rtmpurl": "*/a"})
    refusal = await world.do(start("u", "h/a", "taken.fakerelay.test/live"))
    assert refusal == ("address_in_use", "address-unique")
    assert world.statuses() is None
    (plan,) = world.tenant.faults
    assert plan.met == [0], "where nothing begins, nothing is counted"


async def test_plan_wins_over_a_magic_address() -> None:
    world = await World().open()
    world.plan({"fault": "pass", "count": "always"})
    assert await world.do(start("u", "refused.fakerelay.test", "taken.fakerelay.test")) is None
    assert world.statuses() == [0, 0]


async def test_magic_can_be_turned_off() -> None:
    world = await World(has_magic=False).open()
    assert world.tenant.cdn.find_warnings(start("u", "refuse.fakerelay.test")) == []
    assert await world.do(start("u", "refused.fakerelay.test", "taken.fakerelay.test")) is None
    assert world.statuses() == [0, 0]
