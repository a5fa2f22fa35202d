"""The kit with a model that is wrong in one way: it cries out over a server that is right."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from fakerelay.contract import courses, model, persistence, trials
from fakerelay.contract.model import Broken, Outcome, Policy, World
from fakerelay.contract.operations import RIGHT, Level, Operation, Start, Stop
from tests.mutants.matrix.kills import Trial, try_kit

Foresee = Callable[[World, Operation, Policy, Mapping[str, model.Fault]], Outcome]
RIGHT_MODEL: Final = model.foresee


def forget(*rules: str, kind: str | None = None) -> Foresee:
    """Takes what breaks these rules for fine."""

    def foresee(
        world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
    ) -> Outcome:
        outcome = RIGHT_MODEL(world, operation, policy, faults)
        is_its = outcome.broken is not None and outcome.broken.rule in rules
        if not is_its or kind not in (None, operation.kind):
            return outcome
        if isinstance(operation, Stop):
            return Outcome("stop-ends-task", None, world)
        return model._accept_start(world, operation, policy)

    return foresee


def limit(change: Callable[[Policy], Policy]) -> Foresee:
    """Goes by other numbers than it is told."""
    return lambda world, operation, policy, faults: RIGHT_MODEL(
        world, operation, change(policy), faults
    )


def keep_what_is_stopped(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
) -> Outcome:
    outcome = RIGHT_MODEL(world, operation, policy, faults)
    stopped = isinstance(operation, Stop) and outcome.broken is None
    return outcome._replace(world=world) if stopped else outcome


def claim_though_refused(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
) -> Outcome:
    outcome = RIGHT_MODEL(world, operation, policy, faults)
    if outcome.broken is None or not isinstance(operation, Start) or operation.flaw is None:
        return outcome
    right = replace(operation, flaw=None)
    return outcome._replace(world=model._accept_start(world, right, policy).world)


def merge_updates(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
) -> Outcome:
    outcome = RIGHT_MODEL(world, operation, policy, faults)
    before = world.tasks.get(model.key_of(operation))
    if outcome.broken is not None or before is None or isinstance(operation, Stop):
        return outcome
    added = dict.fromkeys((*before.addresses, *operation.addresses))
    return model._accept_start(world, replace(operation, addresses=tuple(added)), policy)


def ignore_updates(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
) -> Outcome:
    outcome = RIGHT_MODEL(world, operation, policy, faults)
    is_update = isinstance(operation, Start) and model.key_of(operation) in world.tasks
    return outcome._replace(world=world) if is_update else outcome


def refuse_updates(
    world: World, operation: Operation, policy: Policy, faults: Mapping[str, model.Fault]
) -> Outcome:
    outcome = RIGHT_MODEL(world, operation, policy, faults)
    is_plain = operation.credential == RIGHT and operation.flaw is None
    if isinstance(operation, Start) and is_plain and model.key_of(operation) in world.tasks:
        return Outcome("start-updates", Broken("start-updates", "address_in_use"), world)
    return outcome


MODELS: Final[dict[str, tuple[Foresee, Level]]] = {
    "quota one more": (limit(lambda told: told._replace(concurrent_pushes=6)), "documented"),
    "quota one less": (limit(lambda told: told._replace(concurrent_pushes=4)), "documented"),
    "no quota": (limit(lambda told: told._replace(concurrent_pushes=0)), "documented"),
    "rooms of four": (limit(lambda told: told._replace(mixed_tasks_per_room=4)), "documented"),
    "addresses shared": (forget("address-unique"), "documented"),
    "addresses shared by mixed tasks": (forget("address-unique", kind="mixed"), "documented"),
    "any key": (forget("certificate-known"), "documented"),
    "no token": (forget("token-required"), "documented"),
    "six addresses": (forget("rtmpurl-count"), "documented"),
    "no room": (forget("roomid-field"), "documented"),
    "no output": (forget("output-required"), "documented"),
    "stops do nothing": (keep_what_is_stopped, "documented"),
    "refusals claim": (claim_though_refused, "documented"),
    "updates change nothing": (ignore_updates, "documented"),
    "updates refused": (refuse_updates, "documented"),
    "updates merge": (merge_updates, "assumed"),
    "stops of nothing": (forget("stop-running-task"), "assumed"),
    "rooms change": (forget("room-fixed"), "assumed"),
}


@pytest.mark.parametrize(("foresee", "level"), MODELS.values(), ids=MODELS.keys())
def test_wrong_model_is_noticed_on_a_server_that_is_right(
    foresee: Foresee, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    def foresee_wrongly(*args: Any, **lost: Any) -> Iterator[courses.Course]:
        """What is played is chosen by the right model, and judged by the wrong one."""
        with monkeypatch.context() as patch:
            patch.setattr(courses, "foresee", foresee)
            return iter(list(courses.foresee_courses(*args, **lost)))

    monkeypatch.setattr(trials, "foresee_courses", foresee_wrongly)
    monkeypatch.setattr(persistence, "PATIENCE_SECONDS", 0.0)
    assert try_kit(Trial("more-fields", level, is_variant=True)).found is not None
