"""A delivery that was saved goes on as itself after it is restored elsewhere."""

import asyncio
import json
from typing import Any

import pytest

from fakerelay.core.faults import Match
from tests.delivery.bench import BROKEN, OK, URL, Bench, Post


def answer(post: Post) -> Any:
    return BROKEN if post.at < 1003 and post.told[1] == 0 else OK


async def begin(*steps: dict[str, Any]) -> Bench:
    bench = Bench()
    bench.sender.answer = answer
    if steps:
        bench.plan(*steps)
    await bench.tell(("a", 0), ("a", 3), ("b", 0))
    await bench.tell(("c", 0), appid=2)
    await bench.clock.advance(1.5)
    return bench


async def go_on(bench: Bench) -> list[tuple[object, ...]]:
    """What is posted from now on, and with it something new."""
    bench.sender.posts.clear()
    bench.delivery.release()
    await bench.tell(("a", 1), ("d", 0))
    await bench.clock.advance(300)
    return sorted((post.at, post.url, post.body) for post in bench.sender.posts)


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"fault": "delay", "seconds": 10},
        {"fault": "duplicate", "seconds": 10, "times": 3, "count": "always"},
        {"fault": "reorder", "count": "always"},
        {"fault": "reorder", "scope": "app", "after": 3},
        {"fault": "corrupt", "attempts": 3},
        {"fault": "stale_status", "seconds": 20},
        {"fault": "storm", "copies": 3},
    ],
    ids=lambda step: step.get("fault", "no fault"),
)
@pytest.mark.parametrize("is_held", [False, True], ids=["", "held"])
async def test_restored_delivery_goes_on_as_the_saved_one(
    step: dict[str, Any], is_held: bool
) -> None:
    bench = await begin(*([step] if step else []))
    if is_held:
        bench.delivery.hold(Match(appid=1, rtmpurl="a*"))
    saved = json.loads(json.dumps(bench.delivery.save()))
    other = Bench()
    other.sender.answer = answer
    await other.clock.advance(1.5)
    other.ids_resume(bench)
    other.delivery.restore(saved)
    assert other.delivery.save() == saved
    bench.plans.clear()
    assert await go_on(other) == await go_on(bench)


async def test_order_of_a_release_is_saved() -> None:
    bench = await begin()
    bench.delivery.hold()
    by_status = {each.event.status: each for each in bench.delivery.held(1) if each.rtmpurl == "a"}
    bench.delivery.let_go_in_order([by_status[3], by_status[0]])
    saved = bench.delivery.save()
    assert [each["fate"]["goes_after"] for each in saved["pending"][:2]] == [None, 2]


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ({"fault": "storm", "copies": 3}, 3),
        ({"fault": "corrupt", "how": "empty", "attempts": 1}, 1),
        ({"fault": "content_type", "attempts": 1}, 1),
    ],
    ids=["storm", "corrupt", "content_type"],
)
async def test_what_was_in_flight_is_posted_as_it_was(step: dict[str, Any], count: int) -> None:
    bench, other = Bench(), Bench()
    bench.sender.stuck[URL] = asyncio.Event()
    bench.plan(step)
    await bench.tell(("a", 0))
    other.delivery.restore(json.loads(json.dumps(bench.delivery.save())))
    await other.settle()
    assert len(other.sender.posts) == count
    assert other.sender.posts == bench.sender.posts
    bench.sender.stuck[URL].set()
    await bench.settle()


async def test_retry_of_what_was_overtaken_waits_for_nobody_again() -> None:
    bench = Bench()
    bench.sender.answer = lambda post: BROKEN
    bench.plan({"fault": "reorder", "within_seconds": 5})
    await bench.tell(("a", 0))
    await bench.clock.advance(5)
    [saved] = bench.delivery.save()["pending"]
    assert (saved["tries"], saved["fate"]["waits_for"]) == (1, 0)


async def test_reordering_that_waited_for_a_reply_posts_each_once() -> None:
    bench, other = Bench(), Bench()
    bench.plan({"fault": "reorder"})
    bench.emit(("a", 0), ("a", 3))
    other.delivery.restore(bench.delivery.save())
    await other.settle()
    assert other.sender.told() == [("a", 3), ("a", 0)]
