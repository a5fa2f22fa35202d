"""Held, released and replayed."""

import time

import pytest

from fakerelay.core.faults import Match
from tests.delivery.bench import BROKEN, OK, START, Bench


def told(bench: Bench) -> str:
    return " ".join(f"{address}{status}" for address, status in bench.sender.told())


async def test_hold_keeps_what_fits_and_what_follows_on_its_lane(bench: Bench) -> None:
    bench.delivery.hold(Match(status=0))
    await bench.tell(("a", 0), ("a", 3), ("b", 3))
    assert told(bench) == "b3"
    held = [bench.delivery.is_held(each) for each in bench.delivery.notifications()]
    assert held == [True, False, False]
    bench.delivery.release()
    await bench.settle()
    assert told(bench) == "b3 a0 a3"


async def test_hold_of_an_app_spares_the_others(bench: Bench) -> None:
    bench.delivery.hold(Match(appid=1))
    await bench.tell(("a", 0))
    await bench.tell(("b", 0), appid=2)
    assert told(bench) == "b0"


async def test_release_of_an_app_leaves_a_hold_for_all_in_force(bench: Bench) -> None:
    bench.delivery.hold()
    bench.delivery.hold(Match(appid=1))
    await bench.tell(("a", 0), appid=1)
    await bench.tell(("b", 0), appid=2)
    released = bench.delivery.release(1)
    await bench.settle()
    assert [each.rtmpurl for each in released] == ["a"]
    assert list(bench.delivery.holds) == [Match()]
    await bench.tell(("a", 3), appid=1)
    assert told(bench) == "a0"


async def test_next_ones_go_and_the_hold_goes_on(bench: Bench) -> None:
    bench.delivery.hold()
    await bench.tell(("a", 0), ("a", 3), ("b", 0))
    bench.delivery.let_go(bench.delivery.held()[:2])
    await bench.settle()
    assert told(bench) == "a0 a3"
    assert [each.rtmpurl for each in bench.delivery.held()] == ["b"]


async def test_released_one_keeps_going_until_held_again(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    bench.delivery.hold()
    await bench.tell(("a", 0))
    bench.delivery.let_go(bench.delivery.held())
    await bench.clock.advance(1)
    assert len(bench.sender.posts) == 2
    bench.delivery.hold()
    await bench.clock.advance(60)
    assert len(bench.sender.posts) == 2


async def test_new_hold_keeps_nothing_of_another_that_was_released(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    bench.delivery.hold(Match(status=0))
    await bench.tell(("a", 0))
    bench.delivery.let_go(bench.delivery.held())
    await bench.settle()
    bench.delivery.hold(Match(status=3))
    await bench.clock.advance(60)
    assert len(bench.sender.posts) == 6


async def test_dropped_app_leaves_no_hold_of_its_own(bench: Bench) -> None:
    bench.delivery.hold(Match(appid=1))
    bench.delivery.hold(Match(appid=2))
    await bench.tell(("a", 0))
    await bench.drop(1)
    assert list(bench.delivery.holds) == [Match(appid=2)]
    await bench.tell(("a", 3))
    assert told(bench) == "a3"


async def test_end_of_the_holds_lets_go_what_they_kept(bench: Bench) -> None:
    bench.delivery.hold()
    await bench.tell(("a", 0))
    bench.delivery.end_holds()
    await bench.settle()
    assert told(bench) == "a0"


@pytest.mark.parametrize(
    "order", ["a0 a3 b0", "a3 a0 b0", "b0 a3 a0", "a3 b0 a0", "a0 b0 a3", "b3 a3 c0 a0 b0"]
)
async def test_order_given_wins_over_that_of_the_lanes(bench: Bench, order: str) -> None:
    answers = iter([BROKEN])
    bench.sender.answer = lambda post: next(answers, OK)
    bench.delivery.hold()
    await bench.tell(("a", 0), ("b", 0), ("c", 0), ("a", 3), ("b", 3))
    held = {f"{each.rtmpurl}{each.event.status}": each for each in bench.delivery.held()}
    bench.delivery.let_go_in_order([held[name] for name in order.split()])
    await bench.clock.advance(60)
    first, rest = order.split()[0], order
    assert told(bench) == f"{first} {rest}"  # the first fails once, and the others wait for it
    bench.delivery.release()
    await bench.settle()
    assert set(bench.states()) == {"delivered"}


async def test_release_of_very_many_in_an_order_holds_nobody_up(bench: Bench) -> None:
    bench.delivery.hold()
    await bench.tell(*[("a", number) for number in range(8_000)])
    held = bench.delivery.held()[::-1]
    began_at = time.process_time()
    bench.delivery.let_go_in_order(held)
    assert time.process_time() - began_at < 0.3
    await bench.settle()
    assert [status for _, status in bench.sender.told()] == list(range(8_000))[::-1]


async def test_one_released_out_of_order_passes_one_that_is_tried_again(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN if post.told[1] == 0 else OK
    bench.delivery.hold(Match(status=3))
    await bench.tell(("a", 0), ("a", 3), ("a", 1))
    bench.delivery.let_go_in_order(bench.delivery.held())
    await bench.settle()
    assert told(bench) == "a0 a3"
    await bench.clock.advance(60)
    assert told(bench) == "a0 a3 a0 a0 a0 a0 a0 a1"


async def test_replay_posts_again_as_if_new(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0))
    await bench.clock.advance(60)
    bench.delivery.replay([bench.only()], {})
    assert bench.states() == ["pending"]
    await bench.clock.advance(60)
    assert [post.at - START for post in bench.sender.posts] == [
        *(0, 1, 3, 7, 15, 31),
        *(60, 61, 63, 67, 75, 91),
    ]
    assert len({post.body for post in bench.sender.posts}) == 1
    assert [attempt.cause for attempt in bench.only().attempts] == [None] * 6 + ["replay"] * 6


async def test_replay_goes_to_another_url_where_one_is_given(bench: Bench) -> None:
    await bench.tell(("a", 0))
    bench.delivery.replay([bench.only()], {1: "http://later"})
    await bench.settle()
    assert [post.url for post in bench.sender.posts] == ["http://receiver", "http://later"]
    assert bench.states() == ["delivered"]


async def test_dropped_one_can_be_replayed_and_is_dropped_no_more(bench: Bench) -> None:
    bench.plan({"fault": "drop", "count": "always"})
    await bench.tell(("a", 0))
    bench.delivery.replay([bench.only()], {})
    await bench.settle()
    assert (told(bench), bench.states()) == ("a0", ["delivered"])


async def test_replay_waits_behind_what_is_on_its_lane(bench: Bench) -> None:
    await bench.tell(("a", 0))
    bench.sender.answer = lambda post: BROKEN if post.at == START else OK
    await bench.tell(("a", 3))
    bench.delivery.replay(list(bench.delivery.notifications())[:1], {})
    await bench.clock.advance(60)
    assert told(bench) == "a0 a3 a3 a0"
