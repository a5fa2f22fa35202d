"""A snapshot to damage."""

from collections.abc import Callable
from typing import Any

from fakerelay.control.local import LocalControl
from fakerelay.control.plane import Plane
from fakerelay.tenants import Tenants
from tests.snapshots.worlds import Json

Damage = Callable[[Json], Any]
MISSING = object()


def put(pointer: str, value: Any) -> Damage:
    """Damage that sets what lies at a JSON pointer, adds it at `-`, or takes it away."""

    def damage(snapshot: Json) -> None:
        *path, last = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
        node: Any = snapshot
        for step in path:
            node = node[step]
        if value is MISSING:
            del node[last]
        elif last == "-":
            node.append(value)
        else:
            node[last] = value

    return damage


def pending(snapshot: Json, index: int) -> Json:
    found: Json = snapshot["callbacks"]["pending"][index]
    return found


def meet(index: int, **changes: Any) -> Damage:
    """Damage to a pending callback, and to what is in store for it."""

    def damage(snapshot: Json) -> None:
        callback = pending(snapshot, index)
        fate = {**FATE, **(callback["fate"] or {})}
        for key, value in changes.items():
            place = fate if key in fate else callback
            place[key] = value
        callback["fate"] = fate

    return damage


def deep(levels: int) -> Json:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    return {"output": {}, "templateid": 1, "more": nested}


HUGE = 10**400
FATE = {
    "fault": None, "is_spent": False, "is_released": False, "is_replayed": False,
    "goes_after": None, "copies_left": 0, "waits_for": 0,
}  # fmt: skip


async def put_snapshot(tenants: Tenants, snapshot: Json) -> None:
    await LocalControl(Plane(tenants)).call("put_snapshot", body=snapshot)
