"""A clock that runs as the machine does, and one that is switched."""

import asyncio
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.clock import ClockError, WorldClock
from fakerelay.ports import ClockMode
from tests.clock.diaries import Diary


async def test_real_clock_tells_the_machines_time() -> None:
    before = time.time()
    assert before <= WorldClock().now() <= time.time()


async def test_real_clock_calls_back_once_due() -> None:
    called = asyncio.Event()
    WorldClock().call_at(time.time() - 1, called.set)
    await asyncio.wait_for(called.wait(), 5)


class Machine:
    """A machine whose time a test decides on."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_frozen_clock_runs_on_from_where_it_stands_if_that_is_ahead() -> None:
    machine = Machine(1000)
    clock = WorldClock(machine=machine)
    clock.set("frozen")
    await clock.advance(60)
    machine.now = 1020
    assert clock.now() == 1060
    clock.set("real")
    machine.now = 1025
    assert clock.now() == 1065


async def test_frozen_clock_has_the_machines_time_again_if_that_is_ahead() -> None:
    machine = Machine(1000)
    clock = WorldClock("frozen", 900, machine=machine)
    clock.set("real")
    assert clock.now() == 1000
    assert clock.now is machine, "a real clock costs no more than the machine's"


async def test_timers_of_a_real_clock_stand_still_while_it_is_frozen() -> None:
    machine = Machine(1000)
    clock = WorldClock(machine=machine)
    diary = Diary(clock)
    diary.plan(1000, "overdue")
    diary.plan(1010, "later")
    clock.set("frozen")
    machine.now = 1020
    await asyncio.sleep(0)
    assert diary.entries == [(1000, "overdue")]
    clock.set("real")
    await asyncio.sleep(0)
    assert diary.entries == [(1000, "overdue"), (1020, "later")]


async def test_overdue_timers_fire_in_order_when_time_is_set_forward(
    clock: WorldClock, diary: Diary
) -> None:
    diary.plan(103, "b")
    diary.plan(102, "a")
    clock.set(now=110)
    await asyncio.sleep(0)
    assert diary.entries == [(110, "a"), (110, "b")]


@pytest.mark.parametrize("mode", ["real", "frozen"])
@pytest.mark.parametrize("now", [99, 4102444801, math.nan, math.inf, -1])
def test_clock_is_only_set_forward(mode: ClockMode, now: float) -> None:
    clock = WorldClock("frozen", 100, machine=Machine(50))
    with pytest.raises(ClockError, match="only forward"):
        clock.set(mode, now)
    assert (clock.mode, clock.now()) == ("frozen", 100)


def test_clock_that_is_let_go_is_not_set_behind_the_machines() -> None:
    clock = WorldClock("frozen", 100, machine=Machine(1000))
    with pytest.raises(ClockError, match=r"from 1000 on"):
        clock.set("real", 500)
    clock.set("real", 1500)
    assert clock.now() == 1500


@given(st.floats(1e9, 2e9), st.floats(0, 1e9))
def test_clock_that_is_let_go_loses_nothing_to_rounding(machine: float, ahead: float) -> None:
    clock = WorldClock("frozen", machine + ahead, machine=Machine(machine))
    clock.set("real")
    assert clock.now() >= machine + ahead


async def test_real_clock_is_not_advanced() -> None:
    with pytest.raises(ClockError, match="freeze it"):
        await WorldClock().advance(1)
