"""What is to come outlives a snapshot."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.errors import FakerelayError
from tests.cdn.worlds import FAIL, World
from tests.core.worlds import start

LIVES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "fails": ({**FAIL, "after_seconds": 20, "recover_seconds": 30}, {}),
    "flaps": ({"fault": "flap", "seconds": 10, "times": 5}, {}),
    "flaps without an end": ({"fault": "flap", "seconds": 10}, {}),
    "connects": ({"fault": "slow", "seconds": 40}, {}),
    "is tried again": ({**FAIL, "count": 5}, {"retry_seconds": 10}),
    "is given up": ({**FAIL, "count": 50}, {"retry_seconds": 7, "stop_after_failures": 9}),
}


@pytest.mark.parametrize(("step", "policy"), LIVES.values(), ids=LIVES.keys())
async def test_what_is_to_come_is_saved_and_restored(
    step: Mapping[str, Any], policy: Mapping[str, Any]
) -> None:
    """Told after 25 seconds are the same, whether or not the rest has been through a file."""
    whole, halved = await World(**policy).open(), await World(**policy).open()
    for world in (whole, halved):
        world.plan(step)
        await world.do(start("u", "h/a", "slow-33.fakerelay.test"))
        await world.advance(25)
        world.told()
    saved = json.loads(json.dumps(halved.tenant.cdn.save()))
    halved.tenant.cdn.close()
    assert halved.tenant.cdn.save() == []
    halved.tenant.cdn.restore(saved)
    assert halved.tenant.cdn.save() == saved
    for world in (whole, halved):
        await world.advance(75)
    told = halved.told()
    assert told
    assert told == whole.told()


async def test_what_was_due_meanwhile_comes_at_once() -> None:
    world = await World().open()
    world.plan({"fault": "flap", "seconds": 10})
    await world.do(start("u", "h/a"))
    saved = world.tenant.cdn.save()
    world.tenant.cdn.close()
    await world.advance(25)
    world.told()
    world.tenant.cdn.restore(saved)
    await world.advance(20)
    assert world.told() == [(25, "h/a", 1), (35, "h/a", 0), (45, "h/a", 1)]


async def test_what_is_of_no_push_is_not_restored() -> None:
    world = await World().open()
    world.plan({"fault": "flap", "seconds": 10})
    await world.do(start("u", "h/a?key=secret"))
    saved = world.tenant.cdn.save()
    await world.do(start("u", "h/b"))
    expected = world.tenant.cdn.save()
    with pytest.raises(FakerelayError, match=r"of 'rtmp://h/a\?key=\*\*\*': no task"):
        world.tenant.cdn.restore(saved)
    assert world.tenant.cdn.save() == expected
