import asyncio
import math
import time
from collections.abc import Callable
from functools import partial
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakerelay.clock import ClockError, Fired, Start, WorldClock
from fakerelay.errors import FakerelayError
from fakerelay.ports import ClockMode


def void(answer: object = None) -> None:
    """What a timer calls answers nothing."""


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
    assert len(clock._timers) < 200
    assert (clock.pending_count, clock.pending(5)) == (1, [(300, "kept")])
    assert len((await clock.advance(200)).fired) == 1
    assert clock.is_idle


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


# What a user may do, in any order. Times are whole, so that sums are exact.

OFFSETS = st.integers(0, 20)
PLANS = st.lists(OFFSETS, max_size=30)


@given(PLANS, OFFSETS, OFFSETS)
def test_two_advances_are_one_of_their_sum(plan: list[int], first: int, second: int) -> None:
    async def live(*steps: int) -> tuple[list[Fired], list[tuple[float, str]], float]:
        clock = WorldClock("frozen", 100)
        diary = Diary(clock)
        for number, offset in enumerate(plan):
            child = partial(diary.plan, 100 + 2 * offset, f"child {number}")
            clock.call_at(100 + offset, child, f"parent {number}")
        fired = [fired for step in steps for fired in (await clock.advance(step)).fired]
        return fired, diary.entries, clock.now()

    assert asyncio.run(live(first, second)) == asyncio.run(live(first + second))


@given(PLANS)
def test_timers_fire_in_order_of_time_then_of_making(plan: list[int]) -> None:
    async def live() -> list[tuple[float, str]]:
        clock = WorldClock("frozen", 100)
        diary = Diary(clock)
        for number, offset in enumerate(plan):
            diary.plan(100 + offset, str(number))
        await clock.advance(20)
        return diary.entries

    planned = [(100.0 + offset, str(number)) for number, offset in enumerate(plan)]
    assert asyncio.run(live()) == sorted(planned, key=lambda each: each[0])


class Switching(RuleBasedStateMachine):
    """A clock that is switched and moved at will, on a machine whose time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.machine = Machine(1000)
        self.clock = WorldClock(machine=self.machine)
        self.diary = Diary(self.clock)
        self.due: dict[str, float] = {}
        self.last = self.clock.now()

    def teardown(self) -> None:
        self.runner.run(self.end())
        self.runner.close()

    def do(self, action: Callable[[], object]) -> None:
        """In the loop, which timers need, and whose callbacks then have their turn."""

        async def act() -> None:
            action()
            await asyncio.sleep(0)

        self.runner.run(act())

    @rule(offset=st.integers(-5, 50))
    def plan(self, offset: int) -> None:
        what, due_at = str(len(self.due)), self.clock.now() + offset
        self.due[what] = due_at
        self.do(lambda: self.diary.plan(due_at, what))

    @rule(mode=st.sampled_from(("real", "frozen")))
    def switch(self, mode: ClockMode) -> None:
        self.do(lambda: self.clock.set(mode))

    @rule(seconds=OFFSETS)
    def set_forward(self, seconds: int) -> None:
        now = max(self.clock.now(), self.machine()) + seconds
        self.do(lambda: self.clock.set(now=now))

    @rule(seconds=OFFSETS)
    def time_passes(self, seconds: int) -> None:
        self.machine.now += seconds
        if self.clock.mode == "real":
            self.do(self.clock._wake)  # as the event loop would by then

    @rule(seconds=OFFSETS)
    @precondition(lambda self: self.clock.mode == "frozen")
    def advance(self, seconds: int) -> None:
        self.runner.run(self.clock.advance(seconds))

    @invariant()
    def time_never_goes_back(self) -> None:
        assert self.clock.now() >= self.last
        self.last = self.clock.now()

    @invariant()
    def what_is_due_has_fired_once_and_nothing_else(self) -> None:
        fired = [what for _, what in self.diary.entries]
        assert len(fired) == len(set(fired))
        assert set(fired) == {
            what for what, due_at in self.due.items() if due_at <= self.clock.now()
        }

    async def end(self) -> None:
        self.clock.set("frozen")
        await self.clock.advance(100)
        assert {what for _, what in self.diary.entries} == set(self.due)


TestSwitching = Switching.TestCase
