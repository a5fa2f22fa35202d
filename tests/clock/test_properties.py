"""Whatever is planned and moved, in any order."""

import asyncio
from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakerelay.clock import WorldClock
from fakerelay.ports import ClockMode
from fakerelay.steps import Fired
from tests.clock.diaries import Diary
from tests.clock.test_real import Machine

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
