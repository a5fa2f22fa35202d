"""Whatever plans there are, and whatever is held and released, nothing is lost or overtakes."""

import asyncio
import random
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.delivery.bench import BROKEN, OK, Bench

STEPS = st.sampled_from(
    [
        {"fault": "pass"},
        {"fault": "drop"},
        {"fault": "delay", "seconds": 7},
        {"fault": "duplicate", "times": 2},
        {"fault": "duplicate", "seconds": 9},
        {"fault": "reorder", "within_seconds": 5},
        {"fault": "reorder", "scope": "app", "after": 3, "within_seconds": 5},
        {"fault": "corrupt"},
        {"fault": "stale_status", "seconds": 3},
        {"fault": "storm", "copies": 3},
        {"fault": "before_reply"},
    ]
)
MOVES = st.sampled_from(["tell", "tell", "tell", "wait", "hold", "release", "next", "order"])
LOOSE = ("reorder", "stale_status")


async def play(steps: list[dict[str, Any]], moves: list[str], seed: int) -> None:
    bench, chance = Bench(), random.Random(seed)
    bench.sender.answer = lambda post: OK if chance.random() < 0.6 else BROKEN
    if steps:
        bench.plan(*steps)
    is_ordered = False
    for move in moves:
        held = bench.delivery.held()
        if move == "tell":
            told = [(chance.choice("abc"), chance.randrange(4)) for _ in range(3)]
            await bench.tell(*told, appid=chance.randrange(2))
        elif move == "wait":
            await bench.clock.advance(chance.random() * 10)
        elif move == "hold":
            bench.delivery.hold()
        elif move == "release":
            bench.delivery.release()
        elif move == "next":
            bench.delivery.let_go(held[:2])
        elif held:
            is_ordered = True
            bench.delivery.let_go_in_order(chance.sample(held, chance.randint(1, len(held))))
    bench.delivery.release()
    await bench.clock.advance(10_000)
    assert bench.delivery.pending_count == 0
    assert {*bench.states()} <= {"delivered", "failed", "dropped"}
    if not is_ordered:
        check_order(bench)


def check_order(bench: Bench) -> None:
    """By the first post of each on its lane; those that a fault let go out of order apart."""
    numbers = {}
    for each in bench.delivery.notifications():
        fault = each.fate.fault if each.fate is not None else None
        if fault is None or fault.name not in LOOSE:
            numbers[each.msgid] = each.number
    lanes: dict[tuple[int, str], list[int]] = defaultdict(list)
    for post in bench.sender.posts:
        is_whole = post.body.endswith(b"}}")
        number = numbers.get(post.message["msgid"]) if is_whole else None
        lane = lanes[post_lane(post)] if number is not None else []
        if number is not None and number not in lane:
            assert not lane or lane[-1] < number, "overtaken"
            lane.append(number)


def post_lane(post: Any) -> tuple[int, str]:
    context = post.message["context"]
    return context["appid"], context["rtmpurl"]


@given(st.lists(STEPS, max_size=12), st.lists(MOVES, max_size=14), st.integers(0, 999))
def test_nothing_is_lost_and_nothing_overtakes(
    steps: list[dict[str, Any]], moves: list[str], seed: int
) -> None:
    asyncio.run(play(steps, moves, seed))
