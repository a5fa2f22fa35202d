"""A frozen clock, and the steps it is moved by."""

import asyncio
import math
from functools import partial

import pytest

from fakerelay.clock import ClockError, WorldClock
from fakerelay.errors import FakerelayError
from tests.clock.diaries import Diary


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


async def test_advance_waits_for_work_that_comes_of_work(clock: WorldClock, diary: Diary) -> None:
    async def work(left: int) -> None:
        await asyncio.sleep(0)
        if left:
            clock.track(asyncio.ensure_future(work(left - 1)))
        else:
            diary.note("worked")

    clock.call_at(101, lambda: clock.track(asyncio.ensure_future(work(3))))
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


@pytest.mark.parametrize("seconds", [-1, -0.001, 4102444800, math.nan, math.inf])
async def test_advance_refuses_what_is_no_step_forward(clock: WorldClock, seconds: float) -> None:
    with pytest.raises(FakerelayError, match="only goes forward"):
        await clock.advance(seconds)
    assert clock.now() == 100


async def test_run_until_goes_no_further_than_needed(clock: WorldClock, diary: Diary) -> None:
    for due_at, what in [(101, "a"), (102, "b"), (102, "c"), (103, "d")]:
        diary.plan(due_at, what)
    advance = await clock.run_until(lambda: len(diary.entries) >= 2, limit_seconds=60)
    assert (clock.now(), len(advance.fired), advance.reached) == (102, 3, True)


async def test_run_until_ends_at_its_limit(clock: WorldClock, diary: Diary) -> None:
    diary.plan(101, "a")
    diary.plan(200, "late")
    advance = await clock.run_until(lambda: len(diary.entries) == 2, limit_seconds=60)
    assert (clock.now(), len(advance.fired), advance.reached) == (160, 1, False)


async def test_run_until_ends_at_the_cap_where_it_stands(clock: WorldClock, diary: Diary) -> None:
    hanging: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    clock.call_at(101, lambda: clock.track(hanging))
    diary.plan(102, "never")
    advance = await clock.run_until(lambda: clock.is_idle, limit_seconds=60, cap_seconds=0.01)
    assert (clock.now(), advance.reached, advance.unfinished) == (101, False, 1)
    hanging.cancel()


async def test_advance_that_is_called_off_stays_where_it_is(
    clock: WorldClock, diary: Diary
) -> None:
    hanging: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    began = asyncio.Event()

    def hang() -> None:
        clock.track(hanging)
        began.set()

    clock.call_at(101, hang)
    diary.plan(101, "overdue")
    diary.plan(102, "next")
    task = asyncio.ensure_future(clock.advance(10))
    await began.wait()
    task.cancel()
    await asyncio.wait([task])
    hanging.cancel()
    await asyncio.sleep(0)
    assert (clock.now(), diary.entries) == (101, [(101, "overdue")])
    await clock.advance(1)
    assert diary.entries[1:] == [(102, "next")]
