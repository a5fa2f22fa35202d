"""Callbacks: posted, tried again, given up, and kept."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from fakerelay.delivery import Delivery, Notification
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from tests.delivery.bench import BROKEN, HUNG, OK, POLICY, START, URL, Bench, Post


async def test_delivery_posts_once_the_gate_is_open(bench: Bench) -> None:
    open_gate = bench.emit(("a", 0), ("b", 0))
    await bench.settle()
    assert bench.sender.posts == []
    assert bench.states() == ["pending", "pending"]
    open_gate()
    await bench.settle()
    assert bench.sender.told() == [("a", 0), ("b", 0)]
    assert bench.states() == ["delivered", "delivered"]


@pytest.mark.parametrize("delay", [0.0, 1.5])
async def test_delivery_posts_once_however_often_the_gate_is_opened(
    bench: Bench, delay: float
) -> None:
    open_gate = bench.emit(("a", 0), policy=replace(POLICY, delay_seconds=delay))
    open_gate()
    open_gate()
    await bench.clock.advance(60)
    open_gate()
    await bench.clock.advance(60)
    assert bench.sender.told() == [("a", 0)]


async def test_delivery_posts_at_once_what_no_call_caused(bench: Bench) -> None:
    bench.emit(("a", 1), trace_id=None)
    await bench.settle()
    assert bench.sender.told() == [("a", 1)]


async def test_delivery_posts_after_the_delay(bench: Bench) -> None:
    bench.emit(("a", 0), policy=replace(POLICY, delay_seconds=2.5))()
    await bench.clock.advance(2.4)
    assert bench.sender.posts == []
    await bench.clock.advance(0.2)
    assert [post.at for post in bench.sender.posts] == [START + 2.5]


async def test_delivery_records_each_attempt(bench: Bench) -> None:
    answers = iter([BROKEN, HUNG, OK])
    bench.sender.answer = lambda post: next(answers)
    await bench.tell(("a", 0))
    assert bench.only().next_attempt_at == START + 1
    await bench.clock.advance(60)
    notification = bench.only()
    assert [attempt[:4] for attempt in notification.attempts] == [
        (START, 500, None, 0.001),
        (START + 1, None, "No answer within 5 s", 5.0),
        (START + 3, 200, None, 0.001),
    ]
    assert (notification.state, notification.next_attempt_at) == ("delivered", None)


@pytest.mark.parametrize("status", [199, 300, 302, 404, 500], ids=str)
async def test_delivery_tries_again_for_any_answer_but_2xx(bench: Bench, status: int) -> None:
    bench.sender.answer = lambda post: Sent(status, None, 0.0)
    await bench.tell(("a", 0))
    assert bench.states() == ["pending"]


@pytest.mark.parametrize("status", [200, 204, 299], ids=str)
async def test_delivery_is_done_with_2xx(bench: Bench, status: int) -> None:
    bench.sender.answer = lambda post: Sent(status, None, 0.0)
    await bench.tell(("a", 0))
    assert bench.states() == ["delivered"]


async def test_delivery_gives_up_after_six_attempts_of_one_body(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0))
    await bench.clock.advance(3600)
    assert [post.at - START for post in bench.sender.posts] == [0, 1, 3, 7, 15, 31]
    assert len({post.body for post in bench.sender.posts}) == 1
    assert bench.only().body() == bench.sender.posts[0].body
    assert (bench.only().state, bench.only().reason) == ("failed", "given up after 6 attempts")


async def test_only_what_is_given_up_is_told_to_who_wants_to_know() -> None:
    failed: list[Notification] = []
    bench = Bench(max_pending=2)
    bench.delivery = Delivery(
        bench.clock, SeededIds(1), bench.sender, max_pending=2, on_failed=failed.append
    )
    bench.sender.answer = lambda post: OK if post.told[0] == "good" else BROKEN
    once = replace(POLICY, retry_delays_seconds=())
    bench.emit(("good", 0), ("bad", 0), ("late", 0), policy=once)()
    await bench.settle()
    bench.emit(("bad", 3))()
    await bench.settle()
    assert [(each.rtmpurl, each.reason) for each in failed] == [
        ("late", "queue full"),
        ("bad", "given up after 1 attempt"),
    ]
    assert len(await bench.delivery.close(0)) == 1
    assert len(failed) == 2


async def test_delivery_fails_at_once_what_finds_the_queue_full() -> None:
    bench = Bench(max_pending=2)
    bench.delivery.hold()
    await bench.tell(("a", 0), ("b", 0), ("a", 3))
    await bench.tell(("c", 0), appid=2)
    assert bench.states() == ["pending", "pending", "failed", "pending"]
    assert [each.reason for each in bench.delivery.notifications()][2] == "queue full"
    bench.delivery.release()
    await bench.settle()
    assert bench.sender.told() == [("a", 0), ("b", 0), ("c", 0)]


async def test_delivery_keeps_a_bounded_history_and_all_that_is_pending() -> None:
    bench = Bench(history_size=3)
    for n in range(5):
        await bench.tell((f"a{n}", 0))
    bench.delivery.hold()
    for n in range(5, 10):
        await bench.tell((f"a{n}", 0))
    kept = [each.rtmpurl for each in bench.delivery.notifications()]
    assert kept == [f"a{n}" for n in range(2, 10)]
    assert bench.delivery.evicted == 2


async def test_held_delivery_posts_nothing_until_released(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0))
    bench.delivery.hold()
    await bench.tell(("b", 0))
    await bench.clock.advance(10)
    assert bench.sender.told() == [("a", 0)]
    bench.delivery.release()
    await bench.settle()
    assert sorted(bench.sender.told()) == [("a", 0), ("a", 0), ("b", 0)]


async def test_held_delivery_lets_only_what_is_in_flight_end(bench: Bench) -> None:
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(*((f"a{n}", 0) for n in range(20)))
    bench.delivery.hold()
    bench.sender.stuck.pop(URL).set()
    await bench.settle()
    assert Counter(bench.states()) == {"delivered": 16, "pending": 4}
    bench.delivery.release()
    await bench.settle()
    assert Counter(bench.states()) == {"delivered": 20}


async def test_delivery_misses_nothing_that_comes_as_its_last_task_ends() -> None:
    bench = Bench(max_in_flight=1)
    loop = asyncio.get_running_loop()

    def answer(post: Post) -> Sent:
        if post.told[0] == "a":
            loop.call_soon(lambda: bench.emit(("b", 0))())
        return OK

    bench.sender.answer = answer
    await bench.tell(("a", 0))
    assert bench.sender.told() == [("a", 0), ("b", 0)]


async def test_delivery_shows_what_was_raised_and_goes_on(bench: Bench) -> None:
    def answer(post: Post) -> Sent:
        if post.told[1] == 0:
            raise RuntimeError("a bug")
        return OK

    bench.sender.answer = answer
    await bench.tell(("a", 0), ("a", 3))
    failed, delivered = bench.delivery.notifications()
    assert (failed.state, failed.reason) == ("failed", "Unexpected error: RuntimeError('a bug')")
    assert delivered.state == "delivered"


async def test_delivery_wakes_who_watches(bench: Bench) -> None:
    watching = asyncio.create_task(bench.delivery.watch.wait(30))
    await asyncio.sleep(0)
    open_gate = bench.emit(("a", 0))
    assert await watching
    watching = asyncio.create_task(bench.delivery.watch.wait(30))
    await asyncio.sleep(0)
    open_gate()
    assert await watching


@pytest.mark.parametrize("seed", range(5))
async def test_delivery_to_a_flaky_receiver_ends_in_order_or_after_six_attempts(seed: int) -> None:
    bench, chance = Bench(), random.Random(seed)
    bench.sender.answer = lambda post: chance.choices([BROKEN, HUNG, OK], [30, 5, 65])[0]
    emitted: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number in range(400):
        appid, address = chance.randrange(3), f"a{chance.randrange(8)}"
        emitted[appid, address].append(number)
        bench.emit((address, 0), appid=appid, url=f"{URL}/{appid}/{number}")()
        if chance.random() < 0.3:
            await bench.clock.advance(chance.random() * 4)
    await bench.clock.advance(400 * 31)
    first_posts: dict[tuple[int, str], list[int]] = defaultdict(list)
    posts = Counter(post.url for post in bench.sender.posts)
    for post in bench.sender.posts:
        appid, number = map(int, post.url.rsplit("/", 2)[1:])
        lane = first_posts[appid, post.told[0]]
        if number not in lane:
            lane.append(number)
        assert lane[-1] == number, "overtaken"
    assert first_posts == emitted
    for each in bench.delivery.notifications():
        assert posts[each.batch.url] == len(each.attempts)
        assert each.state == "delivered" or (each.state, len(each.attempts)) == ("failed", 6)
