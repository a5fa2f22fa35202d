"""What the service does by itself about pushes that fail, as its profile says."""

from fakerelay.core.model import SOURCE
from fakerelay.profiles import open_profile
from tests.cdn.worlds import FAIL, World
from tests.core.worlds import APPID, set_status, start


async def test_service_tries_nothing_again_by_itself() -> None:
    world = await World().open()
    world.plan({"fault": "fail"})
    await world.do(start("u", "h/a"))
    await world.advance(100_000)
    assert world.told() == [(0, "h/a", 1)]
    assert world.statuses() == [1]


async def test_service_tries_again_where_the_profile_says_so() -> None:
    world = await World(retry_seconds=10).open()
    world.plan({"fault": "fail", "count": 3})
    await world.do(start("u", "h/a"))
    place = (APPID, SOURCE, "u"), "rtmp://h/a"
    assert world.tenant.cdn.scheduled(place) == [(10, -1)]
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 1), (30, "h/a", 0)]
    assert world.tenant.cdn.save() == []


async def test_retry_of_a_push_set_by_hand_finds_it_well() -> None:
    world = await World(retry_seconds=10).open()
    await world.do(start("u", "h/a"))
    await world.do(set_status("u", "h/a", 2))
    await world.advance(9)
    assert world.statuses() == [2]
    await world.advance(1)
    assert world.statuses() == [0]


async def test_retry_before_a_recovery_that_is_planned_fails() -> None:
    world = await World(retry_seconds=4).open()
    world.plan({"fault": "fail", "recover_seconds": 10})
    await world.do(start("u", "h/a"))
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 1), (10, "h/a", 0)]


async def test_retry_may_connect_slowly() -> None:
    world = await World(retry_seconds=4).open()
    world.plan({"fault": "fail"}, {"fault": "slow", "seconds": 3})
    await world.do(start("u", "h/a"))
    await world.advance(5)
    assert world.statuses() == [-1]
    await world.advance(5)
    assert world.told() == [(0, "h/a", 1), (7, "h/a", 0)]


async def test_service_stops_a_push_after_so_many_failures_in_a_row() -> None:
    world = await World(retry_seconds=10, stop_after_failures=3).open()
    world.plan(FAIL, match={"rtmpurl": "*/x"})
    await world.do(start("u", "h/a", "h/x"))
    await world.advance(1000)
    assert world.told() == [(0, "h/a", 0), (0, "h/x", 1), (20, "h/x", 3)]
    assert world.statuses() == [0]
    await world.do(start("v", "h/x"))
    await world.advance(1000)
    assert world.statuses("v") is None, "the last address ends the task"


async def test_success_ends_a_row_of_failures() -> None:
    world = await World(stop_after_failures=2).open()
    world.plan({"fault": "flap", "seconds": 10, "times": 3})
    await world.do(start("u", "h/a"))
    await world.advance(1000)
    assert world.statuses() == [0]
    await world.do(set_status("u", "h/a", 1))
    await world.do(set_status("u", "h/a", 2))
    assert world.statuses() is None


async def test_service_may_stop_a_push_at_its_first_failure() -> None:
    world = await World(stop_after_failures=1).open()
    await world.do(start("u", "h/a", "refused.fakerelay.test/a"))
    assert world.told() == [
        (0, "h/a", 0),
        (0, "refused.fakerelay.test/a", 1),
        (0, "refused.fakerelay.test/a", 3),
    ]
    assert world.statuses() == [0]


async def test_switches_of_the_service_may_be_turned_while_it_runs() -> None:
    world = await World(retry_seconds=10).open()
    await world.do(start("u", "h/a"))
    await world.do(set_status("u", "h/a", 1))
    world.tenant.service.profile = open_profile()
    await world.advance(1000)
    assert world.statuses() == [1]
    assert world.tenant.cdn.scheduled(((APPID, SOURCE, "u"), "rtmp://h/a")) == []
