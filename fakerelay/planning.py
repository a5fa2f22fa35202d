"""What goes wrong, in the hands of a test: fault plans and scenarios, as methods."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Planner:
    """`relay.faults`: plans of the relay's world, in the order in which they are asked.

    A plan is what the control plane's `faults` tells of it. All raise ControlError for what can't
    be: an unknown fault, setting or plan.
    """

    def __init__(self, control: Callable[..., Any]) -> None:
        self._control = control

    def add(
        self,
        fault: str,
        *,
        on: str = "call",
        match: Mapping[str, Any] | None = None,
        seed: int | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """A plan of one step: `add("delay", seconds=2, match={"operation": "startrtmp"})`.

        It acts once unless the settings have a `count` or `for_seconds`. `match` has `operation`,
        `roomid`, `taskid`, `uid`, `rtmpurl` (a pattern) or `status`.
        """
        __tracebackhide__ = True
        return self.add_steps([{"fault": fault, **settings}], on=on, match=match, seed=seed)

    def add_steps(
        self,
        steps: Sequence[Mapping[str, Any]],
        *,
        on: str = "call",
        match: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """A plan of several, one after the other: `[{"fault": "pass"}, {"fault": "reset"}]`."""
        __tracebackhide__ = True
        wanted: dict[str, Any] = {"on": on, "steps": [dict(step) for step in steps]}
        if match is not None:
            wanted["match"] = dict(match)
        if seed is not None:
            wanted["seed"] = seed
        plan: dict[str, Any] = self._control("create_fault", **wanted)
        return plan

    def plans(self) -> list[dict[str, Any]]:
        """All plans, those that are over too; `unmet` has the steps that never acted."""
        __tracebackhide__ = True
        plans: list[dict[str, Any]] = self._control("faults")["items"]
        return plans

    def unmet(self) -> list[dict[str, Any]]:
        """The plans with steps that never acted, or not as often as they were to."""
        __tracebackhide__ = True
        return [plan for plan in self.plans() if plan["unmet"]]

    def remove(self, plan_id: str) -> None:
        __tracebackhide__ = True
        self._control("delete_fault", fault_id=plan_id)

    def clear(self) -> None:
        """Let nothing go wrong any more; what a fault has begun goes on."""
        __tracebackhide__ = True
        self._control("clear_faults")

    def begin_scenario(self, name: str, **settings: Any) -> dict[str, Any]:
        """Begin one of the scenarios, such as `lost-reply`."""
        __tracebackhide__ = True
        begun: dict[str, Any] = self._control("scenario", scenario=name, **settings)
        return begun

    def end_scenario(self, name: str) -> None:
        __tracebackhide__ = True
        self._control("end_scenario", scenario=name)
