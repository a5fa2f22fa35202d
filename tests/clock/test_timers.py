"""Timers that are many, fail, or are cancelled; and how worlds begin."""

import asyncio
import time
from functools import partial
from typing import cast

import pytest

from fakerelay.clock import ClockError, Start, WorldClock
from fakerelay.ports import ClockMode
from tests.clock.diaries import Diary


def void(answer: object = None) -> None:
    """What a timer calls answers nothing."""


async def test_timer_that_makes_one_for_now_leaves_others_their_turn() -> None:
    clock = WorldClock("frozen", 100)
    rounds: list[int] = []

    def again() -> None:
        rounds.append(len(rounds))
        if len(rounds) < 3:
            clock.call_at(0, again)

    clock.call_at(0, again)
    for done in (1, 2, 3):
        await asyncio.sleep(0)
        assert len(rounds) == done


async def test_very_many_timers_due_at_once_leave_others_their_turn() -> None:
    clock = WorldClock()
    fired: list[int] = []
    for number in range(1000):
        clock.call_at(0, partial(fired.append, number))
    turns = 0
    while len(fired) < 1000:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 3
    assert fired == list(range(1000))


async def test_timer_that_fails_is_told_of_and_keeps_no_other_from_its_turn(
    clock: WorldClock, diary: Diary
) -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.append(context["message"]))
    clock.call_at(101, lambda: void(1 / 0), "a sum")
    diary.plan(101, "next")
    await clock.advance(1)
    assert (told, diary.entries) == (["A timer failed: a sum"], [(101, "next")])


async def test_cancelled_timers_make_room(clock: WorldClock, diary: Diary) -> None:
    diary.plan(300, "kept")
    for timer in [clock.call_at(200 + each, void) for each in range(1000)]:
        timer.cancel()
        timer.cancel()
    assert len(clock._timers._heap) < 200
    assert (clock.pending_count, clock.pending(5)) == (1, [(300, "kept")])
    assert len((await clock.advance(200)).fired) == 1
    assert clock.is_idle


def test_worlds_begin_as_their_server_says_or_as_they_are_told() -> None:
    start = Start("frozen", 100)
    assert start.open_clock().now() == 100
    assert start.open_clock(now=5).now() == 5
    assert start.open_clock("real").mode == "real"
    assert Start().open_clock("frozen", 5).now() == 5
    assert Start().open_clock("frozen").now() == pytest.approx(time.time(), abs=60)
    with pytest.raises(ClockError, match="make it frozen"):
        Start().open_clock(now=5)
    with pytest.raises(ClockError, match="seconds since 1970"):
        Start("frozen", -1).open_clock()
    with pytest.raises(ClockError, match="did you mean 'frozen'"):
        Start(cast(ClockMode, "frosen")).open_clock()
