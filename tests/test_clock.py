import asyncio
import math
import time
from functools import partial

import pytest

from fakerelay.clock import ClockError, WorldClock
from fakerelay.errors import FakerelayError


class Diary:
    """Notes what was called, and when by its clock."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.entries: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.entries.append((self.clock.now(), what))

    def plan(self, due_at: float, what: str) -> None:
        self.clock.call_at(due_at, partial(self.note, what), what)


@pytest.fixture
def clock() -> WorldClock:
    return WorldClock("frozen", 100)


@pytest.fixture
def diary(clock: WorldClock) -> Diary:
    return Diary(clock)


async def test_frozen_clock_stands_still(clock: WorldClock, diary: Diary) -> None:
    diary.plan(101, "later")
    await asyncio.sleep(0)
    assert (clock.now(), diary.entries) == (100, [])


async def test_advance_fires_what_is_due_in_order_of_due_time(
    clock: WorldClock, diary: Diary
) -> None:
    for due_at, what in [(103, "c"), (101, "a"), (105, "late"), (103, "d"), (102, "b")]:
        diary.plan(due_at, what)
    advance = await clock.advance(4)
    assert diary.entries == [(101, "a"), (102, "b"), (103, "c"), (103, "d")]
    assert [tuple(fired) for fired in advance.fired] == diary.entries
    assert (clock.now(), advance.reached, advance.unfinished) == (104, True, 0)


async def test_advance_fires_what_became_due_on_the_way(clock: WorldClock, diary: Diary) -> None:
    clock.call_at(101, lambda: diary.plan(102, "child"))
    await clock.advance(2)
    assert diary.entries == [(102, "child")]


async def test_frozen_clock_calls_at_once_what_is_due_already(
    clock: WorldClock, diary: Diary
) -> None:
    diary.plan(100, "now")
    diary.plan(50, "overdue")
    await clock.advance(0)
    assert diary.entries == [(100, "overdue"), (100, "now")]


async def test_a_cancelled_timer_never_fires(clock: WorldClock, diary: Diary) -> None:
    timer = clock.call_at(101, partial(diary.note, "cancelled"))
    timer.cancel()
    advance = await clock.advance(2)
    assert (diary.entries, advance.fired) == ([], ())


async def test_advance_waits_for_work_before_the_next_due_time(
    clock: WorldClock, diary: Diary
) -> None:
    async def work() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        diary.note("worked")

    clock.call_at(101, lambda: clock.track(asyncio.ensure_future(work())))
    diary.plan(102, "next")
    await clock.advance(10)
    assert diary.entries == [(101, "worked"), (102, "next")]


async def test_advance_waits_first_for_work_that_had_begun(clock: WorldClock, diary: Diary) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        diary.plan(clock.now() + 1, "retry")

    clock.track(asyncio.ensure_future(work()))
    await clock.advance(1)
    assert diary.entries == [(101, "retry")]


async def test_advance_gives_up_on_hanging_work_and_says_so(
    clock: WorldClock, diary: Diary
) -> None:
    hanging: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    clock.track(hanging)
    diary.plan(101, "fired all the same")
    advance = await clock.advance(5, cap_seconds=0.01)
    assert (len(advance.fired), advance.reached, advance.unfinished) == (1, True, 1)
    assert (clock.now(), diary.entries) == (105, [(101, "fired all the same")])
    hanging.cancel()


async def test_advance_refuses_another_one_while_it_is_under_way(clock: WorldClock) -> None:
    first = asyncio.ensure_future(clock.advance(2))
    await asyncio.sleep(0)
    for move in (clock.advance(2), clock.run_until(bool, limit_seconds=1)):
        with pytest.raises(ClockError, match="is being advanced"):
            await move
    with pytest.raises(ClockError, match="is being advanced"):
        clock.set("real")
    await first
    assert (clock.now(), clock.mode) == (102, "frozen")


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan, math.inf])
async def test_advance_refuses_what_is_no_step_forward(clock: WorldClock, seconds: float) -> None:
    with pytest.raises(FakerelayError, match="only goes forward"):
        await clock.advance(seconds)
    assert clock.now() == 100


async def test_real_clock_tells_the_machines_time() -> None:
    before = time.time()
    assert before <= WorldClock().now() <= time.time()


async def test_real_clock_calls_back_once_due() -> None:
    called = asyncio.Event()
    WorldClock().call_at(time.time() - 1, called.set)
    await asyncio.wait_for(called.wait(), 5)
