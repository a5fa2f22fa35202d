"""Callbacks that are dropped, or under way when all is closed."""

import asyncio
from dataclasses import replace

from fakerelay.delivery import CUT_OFF
from tests.delivery.bench import BROKEN, POLICY, START, URL, Bench


async def test_drop_forgets_an_app_and_spares_the_others(bench: Bench) -> None:
    await bench.tell(("done", 0), appid=1)
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0), ("a", 3), appid=1)
    await bench.tell(("b", 0), appid=2)
    unopened = bench.emit(("c", 0), appid=1)
    await bench.drop(1)
    unopened()
    bench.sender.posts.clear()
    await bench.clock.advance(1)
    assert bench.sender.told() == [("b", 0)]
    assert [each.rtmpurl for each in bench.delivery.notifications()] == ["b"]
    assert bench.delivery.evicted == 0


async def test_drop_lets_what_is_in_flight_end_but_not_try_again(bench: Bench) -> None:
    bench.sender.stuck[URL] = asyncio.Event()
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0), ("a", 3))
    dropping = bench.delivery.drop(1, grace_seconds=30)
    assert dropping is not None
    await asyncio.sleep(0)
    assert not dropping.done()
    bench.sender.stuck.pop(URL).set()
    await dropping
    assert bench.sender.answered == 1
    await bench.clock.advance(60)
    assert (bench.sender.told(), bench.states()) == ([("a", 0)], [])


async def test_drop_cuts_off_what_hangs(bench: Bench) -> None:
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(("a", 0))
    await bench.drop(1, grace_seconds=0)
    assert bench.sender.in_flight[URL] == 0


async def test_close_gives_what_is_in_flight_a_grace(bench: Bench) -> None:
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(("a", 0))
    closing = asyncio.create_task(bench.delivery.close(30))
    await asyncio.sleep(0)
    bench.sender.stuck[URL].set()
    assert await closing == []
    assert bench.states() == ["delivered"]


async def test_close_reports_what_was_not_delivered(bench: Bench) -> None:
    bench.sender.stuck["http://stuck"] = asyncio.Event()
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("hangs", 0), ("hangs", 3), url="http://stuck")
    await bench.tell(("retries", 0))
    left = await bench.delivery.close(0.01)
    assert [each.rtmpurl for each in left] == ["hangs", "hangs", "retries"]
    late = "not delivered before shutdown"
    assert [each.reason for each in left] == [CUT_OFF, late, late]
    assert list(bench.delivery.notifications()) == left
    assert bench.sender.in_flight.total() == 0


async def test_close_waits_for_no_retry_beyond_the_grace(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0))
    await bench.clock.advance(31 - 16)
    [left] = await asyncio.wait_for(bench.delivery.close(15), 5)
    assert len(left.attempts) == 5


async def test_delayed_notification_says_when_it_goes(bench: Bench) -> None:
    bench.emit(("a", 0), ("a", 3), policy=replace(POLICY, delay_seconds=2.5))()
    due = [each.next_attempt_at for each in bench.delivery.notifications()]
    assert due == [START + 2.5] * 2
    await bench.clock.advance(2.5)
    assert [each.next_attempt_at for each in bench.delivery.notifications()] == [None] * 2


async def test_close_waits_for_no_delay_beyond_the_grace(bench: Bench) -> None:
    bench.emit(("a", 0), policy=replace(POLICY, delay_seconds=16))()
    [left] = await asyncio.wait_for(bench.delivery.close(15), 5)
    assert left.attempts == ()


async def test_drop_has_forgotten_before_what_is_in_flight_ends(bench: Bench) -> None:
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(("a", 0))
    dropping = bench.delivery.drop(1, grace_seconds=30)
    assert dropping is not None
    assert bench.states() == []
    bench.sender.stuck.pop(URL).set()
    await dropping


async def test_closed_delivery_takes_nothing_more(bench: Bench) -> None:
    await bench.delivery.close(0)
    await bench.tell(("a", 0))
    assert bench.sender.posts == []
    assert (bench.only().state, bench.only().reason) == ("failed", "shut down")
