"""Whatever plans there are, and whatever is held and released, nothing is lost or overtakes."""

import asyncio
import json
import random
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakerelay.ports import Sent
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
MOVES = st.sampled_from(
    ["tell", "tell", "tell", "wait", "hold", "release", "next", "order", "replay", "save", "drop"]
)
LOOSE = ("reorder", "stale_status")
APPIDS = range(2)


class Play:
    """Makes moves, and remembers what must come of them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.bench = Bench()
        self.bench.sender.answer = self.answer
        self.expected: set[str] = set()
        self.is_ordered = False

    def answer(self, post: Any) -> Sent:
        return OK if self.chance.random() < 0.6 else BROKEN

    async def make(self, move: str) -> None:
        await getattr(self, move)()
        self.expected |= {each.msgid for each in self.bench.delivery.notifications()}

    async def tell(self) -> None:
        told = [(self.chance.choice("abc"), self.chance.randrange(4)) for _ in range(3)]
        self.bench.emit(*told, appid=self.chance.choice(APPIDS))()
        if self.chance.random() < 0.7:  # or else they are in flight when the next move is made
            await self.bench.settle()

    async def wait(self) -> None:
        await self.bench.clock.advance(self.chance.random() * 10)

    async def hold(self) -> None:
        self.bench.delivery.hold()

    async def release(self) -> None:
        self.bench.delivery.release()

    async def next(self) -> None:
        self.bench.delivery.let_go(self.bench.delivery.held()[:2])

    async def order(self) -> None:
        held = self.bench.delivery.held()
        if held:
            self.is_ordered = True
            size = self.chance.randint(1, len(held))
            self.bench.delivery.let_go_in_order(self.chance.sample(held, size))

    async def replay(self) -> None:
        delivery = self.bench.delivery
        done = [each for each in delivery.notifications() if not delivery.is_pending(each)]
        if done:
            self.is_ordered = True
            delivery.replay(self.chance.sample(done, self.chance.randint(1, len(done))), {})

    async def save(self) -> None:
        """Go on elsewhere, where what has ended is unknown."""
        left = self.bench
        saved = json.loads(json.dumps(left.delivery.save()))
        self.expected = {each["msgid"] for each in saved["pending"]}
        self.bench = Bench(plans=left.plans)
        self.bench.sender.posts += left.sender.posts
        self.bench.clock.restore("frozen", left.clock.now())
        self.bench.ids_resume(left)
        self.bench.sender.answer = self.answer
        self.bench.delivery.restore(saved)
        assert self.bench.delivery.save() == saved
        await left.delivery.close(0)

    async def drop(self) -> None:
        appid = self.chance.choice(APPIDS)
        gone = {e.msgid for e in self.bench.delivery.notifications() if e.appid == appid}
        self.expected -= gone
        await self.bench.drop(appid)

    async def end(self) -> None:
        self.bench.delivery.release()
        await self.bench.clock.advance(10_000)
        delivery = self.bench.delivery
        assert delivery.pending_count == 0
        assert {*self.bench.states()} <= {"delivered", "failed", "dropped"}
        assert {each.msgid for each in delivery.notifications()} >= self.expected
        numbers = [each.number for each in delivery.notifications()]
        assert len(numbers) == len({*numbers})


async def play(steps: list[dict[str, Any]], moves: list[str], seed: int) -> None:
    game = Play(seed)
    if steps:
        game.bench.plan(*steps)
    for move in moves:
        await game.make(move)
    await game.end()
    if not game.is_ordered:
        check_order(game.bench)


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
