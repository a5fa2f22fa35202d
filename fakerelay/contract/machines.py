"""Scenarios that Hypothesis makes up: many small steps, each legal or wrong on purpose.

No rule here is a coroutine: Hypothesis would never await it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.flaws import FLAWS
from fakerelay.contract.model import Fault, Policy, World, foresee, is_documented
from fakerelay.contract.operations import MADE_UP, Kind, Level, Operation, Start, Stop

_ADDRESSES: Final = 8
_TASKS: Final = 8
_BATCH: Final = 20

tasks = st.integers(0, _TASKS - 1)
kinds: st.SearchStrategy[Kind] = st.sampled_from(("source", "mixed"))
rooms = st.integers(0, 1)
addresses = st.integers(0, _ADDRESSES - 1)
address_lists = st.lists(addresses, min_size=1, max_size=5, unique=True).map(tuple)
credentials = st.sampled_from(sorted(CREDENTIALS))
flaws = st.sampled_from(sorted(FLAWS))


class ContractMachine(RuleBasedStateMachine):
    """Draws operations, keeps those that the level decides, and puts them in `made`."""

    level: Level
    policy: Policy
    faults: Mapping[str, Fault]
    has_other_app: bool
    made: list[Scenario]

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.operations: list[Operation] = []

    def do(self, operation: Operation) -> None:
        """Take an operation up, unless only an assumption says what becomes of it."""
        known = self.level == "assumed" or is_documented(
            self.world, operation, self.policy, self.faults
        )
        if known:
            self.world = foresee(self.world, operation, self.policy, self.faults).world
            self.operations.append(operation)

    # Always legal, unless the quota is full.

    @rule(task=tasks, kind=kinds, room=rooms, first=addresses)
    def start_fresh(self, task: int, kind: Kind, room: int, first: int) -> None:
        free = [each for each in range(_ADDRESSES) if not list(self.world.holders(each))]
        if free:
            address = free[first % len(free)]
            self.do(Start(task, (address,), kind, room))

    @rule(task=tasks, kind=kinds, room=rooms, wanted=address_lists)
    def start_several(self, task: int, kind: Kind, room: int, wanted: tuple[int, ...]) -> None:
        self.do(Start(task, wanted, kind, room))

    @precondition(lambda self: bool(self.world.tasks))
    @rule(which=tasks, wanted=address_lists, keeps=st.booleans())
    def update(self, which: int, wanted: tuple[int, ...], keeps: bool) -> None:
        key = self._pick(which)
        app, kind, task = key
        held = self.world.tasks[key]
        self.do(Start(task, held.addresses if keeps else wanted, kind, held.room, app))

    @precondition(lambda self: bool(self.world.tasks))
    @rule(which=tasks, task=tasks, kind=kinds, own=address_lists, place=st.integers(0, 4))
    def start_colliding(
        self, which: int, task: int, kind: Kind, own: tuple[int, ...], place: int
    ) -> None:
        taken = self.world.tasks[self._pick(which)].addresses[0]
        mine = [each for each in own if each != taken][:4]
        mine.insert(min(place, len(mine)), taken)
        self.do(Start(task, tuple(mine), kind, 1))

    @precondition(lambda self: bool(self.world.tasks))
    @rule(which=tasks)
    def stop(self, which: int) -> None:
        key = self._pick(which)
        app, kind, task = key
        self.do(Stop(task, None, kind, self.world.tasks[key].room, app))

    @precondition(lambda self: bool(self.world.tasks))
    @rule(which=tasks, some=address_lists)
    def stop_some(self, which: int, some: tuple[int, ...]) -> None:
        key = self._pick(which)
        app, kind, task = key
        self.do(Stop(task, some, kind, self.world.tasks[key].room, app))

    @rule(task=tasks, kind=kinds, room=rooms)
    def stop_anything(self, task: int, kind: Kind, room: int) -> None:
        self.do(Stop(task, None, kind, room))

    @precondition(lambda self: bool(self.world.stopped - self.world.unsure()))
    @rule(task=tasks, kind=kinds, which=addresses)
    def start_with_what_was_freed(self, task: int, kind: Kind, which: int) -> None:
        freed = sorted(self.world.stopped - self.world.unsure())
        self.do(Start(task, (freed[which % len(freed)],), kind))

    @rule(task=tasks, kind=kinds, wanted=address_lists, name=credentials)
    def start_unauthorized(self, task: int, kind: Kind, wanted: tuple[int, ...], name: str) -> None:
        self.do(Start(task, wanted, kind, credential=name))

    @precondition(lambda self: bool(self.world.tasks))
    @rule(which=tasks, name=credentials)
    def stop_unauthorized(self, which: int, name: str) -> None:
        key = self._pick(which)
        app, kind, task = key
        self.do(Stop(task, None, kind, self.world.tasks[key].room, app, credential=name))

    @rule(task=tasks, kind=kinds, wanted=address_lists, name=flaws)
    def start_flawed(self, task: int, kind: Kind, wanted: tuple[int, ...], name: str) -> None:
        flaw = FLAWS[name]
        if kind in flaw.kinds and "startrtmp" in flaw.operations:
            self.do(Start(task, wanted, kind, flaw=name))

    @rule(task=tasks, room=rooms, wanted=address_lists)
    def start_in_the_other_app(self, task: int, room: int, wanted: tuple[int, ...]) -> None:
        if self.has_other_app:
            self.do(Start(task, wanted, "source", room, app=1))

    def teardown(self) -> None:
        if self.operations:
            operations = tuple(self.operations)
            self.made.append(Scenario(MADE_UP, operations))

    def _pick(self, which: int) -> tuple[int, Kind, int]:
        keys = sorted(self.world.tasks)
        return keys[which % len(keys)]


def explore(
    level: Level,
    policy: Policy,
    faults: Mapping[str, Fault],
    *,
    has_other_app: bool,
    seed: int,
    scenarios: int,
    steps: int = 20,
) -> Iterator[Scenario]:
    """Make up so many scenarios at most, a batch at a time as they are asked for."""
    parts: dict[str, Any] = {
        "level": level,
        "policy": policy,
        "faults": faults,
        "has_other_app": has_other_app,
    }
    for first in range(0, scenarios, _BATCH):
        made: list[Scenario] = []
        machine = type("SeededMachine", (ContractMachine,), {**parts, "made": made})
        machine._hypothesis_internal_use_seed = seed * scenarios + first  # type: ignore[attr-defined]
        run_state_machine_as_test(machine, settings=_settle(min(_BATCH, scenarios - first), steps))
        yield from made


def _settle(scenarios: int, steps: int) -> settings:
    return settings(
        max_examples=scenarios,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
