"""Fault plans: what goes wrong, with what, how often and how long.

Pure but for the counting: the time is told, and chance comes from a plan's own seed. What a fault
then does to a call, a callback or a push is done where those are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from fakerelay.core.addresses import normalize_pattern

On = Literal["call", "callback", "push", "tls"]
PASS: Final = "pass"
NO_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType({})


class Subject(NamedTuple):
    """What a plan is asked about: a call, a notification, or a push that begins.

    `addresses` are as spelled and by their key; `status` is the notification's.
    """

    appid: int
    operation: str | None = None
    room_id: str | None = None
    task_id: str | None = None
    uid: str | None = None
    addresses: tuple[str, ...] = ()
    status: int | None = None


class Match(NamedTuple):
    """What a plan is for; None is any. `rtmpurl` is a pattern with `*`, `?` and `[...]`.

    It is compared as written, and normalised as addresses are.
    """

    appid: int | None = None
    operation: str | None = None
    room_id: str | None = None
    task_id: str | None = None
    uid: str | None = None
    rtmpurl: str | None = None
    status: int | None = None

    def fits(self, subject: Subject) -> bool:
        wanted = (self.appid, self.operation, self.room_id, self.task_id, self.uid, self.status)
        facts = (
            subject.appid,
            subject.operation,
            subject.room_id,
            subject.task_id,
            subject.uid,
            subject.status,
        )
        if any(want is not None and want != is_ for want, is_ in zip(wanted, facts, strict=True)):
            return False
        pattern = self.rtmpurl
        if pattern is None:
            return True
        patterns = {pattern, normalize_pattern(pattern)}
        return any(fnmatchcase(text, each) for text in subject.addresses for each in patterns)


class Step(NamedTuple):
    """One fault of a plan: for so many `times`, or for so many seconds, or without an end.

    With a `probability` it acts on some only, with `only_status` on such notifications only; those
    it leaves alone are not counted.
    """

    fault: str
    settings: Mapping[str, Any] = NO_SETTINGS
    times: int | None = None
    for_seconds: float | None = None
    probability: float | None = None
    only_status: int | None = None


class Plan:
    """Steps, one after the other; after the last, all passes. `met` counts what each acted on.

    `chance` answers the next number of the seed's, from 0 to 1; `draws` counts them.
    """

    def __init__(
        self,
        plan_id: str,
        on: On,
        match: Match,
        steps: tuple[Step, ...],
        *,
        created_at: float,
        seed: int | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.id = plan_id
        self.on = on
        self.match = match
        self.steps = steps
        self.seed = seed
        self.created_at = created_at
        self.met = [0] * len(steps)
        self.position = 0
        self.began_at = created_at
        self.draws = 0
        self._chance = chance

    def take(self, subject: Subject, now: float) -> Step | None:
        """The step that acts on `subject`, if one does; it is counted."""
        step = self.current(now)
        if step is None or not self.match.fits(subject):
            return None
        if step.only_status is not None and step.only_status != subject.status:
            return None
        if step.probability is not None and not self._draw(step.probability):
            return None
        self.met[self.position] += 1
        if step.times is not None and self.met[self.position] >= step.times:
            self._go_on(now)
        return step

    def current(self, now: float) -> Step | None:
        """The step whose turn it is; one with a duration ends by itself, and the next begins."""
        while self.position < len(self.steps):
            step = self.steps[self.position]
            if step.for_seconds is None or now < self.began_at + step.for_seconds:
                return step
            self._go_on(self.began_at + step.for_seconds)
        return None

    def draw(self) -> float:
        """The next number of the seed's, from 0 to 1; 0 of a plan without one."""
        self.draws += 1
        return self._chance() if self._chance is not None else 0.0

    def number_of(self, step: Step) -> int:
        """Which of the steps this is, from 0: two may look the same."""
        return next(number for number, each in enumerate(self.steps) if each is step)

    def unmet(self) -> list[int]:
        """The numbers, from 0, of the steps that never acted, or not as often as they were to."""
        return [
            number for number, step in enumerate(self.steps) if self.met[number] < (step.times or 1)
        ]

    def resume(self, *, position: int, began_at: float, met: list[int]) -> None:
        """Go on where a plan with the same steps had come to; `skip` what it had drawn."""
        self.position, self.began_at, self.met = position, began_at, list(met)

    def skip(self, draws: int) -> None:
        """Draw so often, for nothing."""
        for _ in range(draws):
            self.draw()

    def _go_on(self, at: float) -> None:
        self.position += 1
        self.began_at = at

    def _draw(self, probability: float) -> bool:
        return self.draw() < probability and self._chance is not None


OnTaken = Callable[[Plan, Step, Subject, float], None]


class Plans:
    """The plans of one world, asked in the order in which they were made.

    `on_taken` is told of each step that acts, and when.
    """

    def __init__(self, on_taken: OnTaken | None = None) -> None:
        self._on_taken = on_taken
        self._plans: dict[str, Plan] = {}
        self._by_kind: dict[str, list[Plan]] = {}
        self._made = 0

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._plans.values())

    def __len__(self) -> int:
        return len(self._plans)

    def has(self, on: On) -> bool:
        """Whether there is any plan of a kind: a world without faults is as fast as ever."""
        return on in self._by_kind

    def get(self, plan_id: str) -> Plan | None:
        return self._plans.get(plan_id)

    @property
    def made(self) -> int:
        """How many names `next_id` has given."""
        return self._made

    def replace(self, plans: Iterable[Plan], made: int) -> None:
        """Put other plans in the place of all there are."""
        self._plans = {plan.id: plan for plan in plans}
        self._made = made
        self._sort()

    def next_id(self) -> str:
        """A name for a plan that was given none: `fault-1`, `fault-2`."""
        self._made += 1
        while f"fault-{self._made}" in self._plans:
            self._made += 1
        return f"fault-{self._made}"

    def add(self, plan: Plan) -> None:
        """Put a plan after the others, or in the place of the one with its id."""
        self._plans[plan.id] = plan
        self._sort()

    def remove(self, plan_id: str) -> Plan | None:
        plan = self._plans.pop(plan_id, None)
        self._sort()
        return plan

    def clear(self, appid: int | None = None) -> int:
        """Remove all, or those for one app only; how many there were."""
        gone = [each.id for each in self if appid is None or each.match.appid == appid]
        for plan_id in gone:
            del self._plans[plan_id]
        self._sort()
        return len(gone)

    def take(self, on: On, subject: Subject, now: float) -> tuple[Plan, Step] | None:
        """The first plan with a step for this, and the step; `pass` keeps the later plans out."""
        for plan in self._by_kind.get(on, ()):
            step = plan.take(subject, now)
            if step is not None:
                if self._on_taken is not None and step.fault != PASS:
                    self._on_taken(plan, step, subject, now)
                return plan, step
        return None

    def _sort(self) -> None:
        self._by_kind = {}
        for plan in self:
            self._by_kind.setdefault(plan.on, []).append(plan)
