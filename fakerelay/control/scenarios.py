"""Scenarios: fault plans by a name that says what happens, for who does not write plans.

They are data, `schemas/scenarios.json`; what plans can't do is an `extra` here.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, Final

from fakerelay import schemas
from fakerelay.clock import FROZEN
from fakerelay.control.accounts import create_certificate, revoke_certificate
from fakerelay.control.faults import plan_fault, show_fault
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.core.addresses import read_address
from fakerelay.core.commands import StartPush, StopPush
from fakerelay.core.model import SOURCE, App, PushAddress, Task
from fakerelay.core.rules import Refused
from fakerelay.errors import ControlError
from fakerelay.tenants import Tenant

OVERLAP_SECONDS: Final = 60
_STANDS_STILL: Final = "The world's clock stands still: what takes time waits for advance-clock."
_FILLER_ROOM: Final = "fakerelay-quota-full"


@cache
def read_scenarios() -> Mapping[str, Mapping[str, Any]]:
    """{name: doc, see, and fault or extra}."""
    table: dict[str, Mapping[str, Any]] = schemas.read_json("scenarios")
    return table


async def list_scenarios(plane: Plane, values: Values, body: Json) -> Json:
    tenants = plane.worlds(values["world"])
    return {
        "items": [
            {
                "scenario": name,
                "doc": row["doc"],
                "see": row["see"],
                "is_on": any(_is_on(tenant, name) for tenant in tenants),
            }
            for name, row in read_scenarios().items()
        ]
    }


async def begin_scenario(plane: Plane, values: Values, body: Json) -> Json:
    """Its plan takes the place of the one it has made before; the rest is done anew."""
    name = values["scenario"]
    row = read_scenarios()[name]
    tenant, app = _find_app(plane, values, body, needed="extra" in row)
    of_app = {} if app is None else {"appid": app.appid}
    plan = None
    if "fault" in row:
        plan = plan_fault(tenant, {**row["fault"], **of_app, "id": _plan_id(name)})
    extra: Mapping[str, Json] = {}
    if app is not None and "extra" in row:
        extra = await _EXTRAS[row["extra"]](plane, tenant, app)
    if plan is not None:
        tenant.faults.add(plan)
    return {
        "scenario": name,
        "world": tenant.id,
        "doc": row["doc"],
        "see": row["see"],
        "note": _STANDS_STILL if tenant.clock.mode == FROZEN else None,
        "faults": [] if plan is None else [show_fault(plane, tenant, plan)],
        **extra,
    }


async def end_scenario(plane: Plane, values: Values, body: Json) -> Json:
    """In all worlds, unless one is named. What it did for good, as a new certificate, stays."""
    name = values["scenario"]
    tenants = plane.worlds(values["world"])
    was_on = any(_is_on(tenant, name) for tenant in tenants)
    ended = []
    for tenant in tenants:
        if name == "quota-full":
            await _empty_quota(tenant)
        plan = tenant.faults.remove(_plan_id(name))
        if plan is not None:
            ended.append(show_fault(plane, tenant, plan))
    return {"scenario": name, "was_on": was_on, "faults": ended}


def _is_on(tenant: Tenant, name: str) -> bool:
    """Whether anything of it goes on: a plan that isn't over, or tasks that fill the quota."""
    if name == "quota-full":
        return bool(_fillers(tenant))
    plan = tenant.faults.get(_plan_id(name))
    return plan is not None and plan.current(tenant.clock.now()) is not None


def _plan_id(name: str) -> str:
    return f"scenario-{name}"


def _find_app(
    plane: Plane, values: Values, body: Json, *, needed: bool
) -> tuple[Tenant, App | None]:
    """The app that is named, or the world's only one where a scenario needs one."""
    if "appid" in body:
        tenant = plane.world_for(values["world"], body["appid"])
        return tenant, tenant.service.view.app(int(body["appid"]))
    tenant = plane.world(values["world"])
    apps = list(tenant.service.view.apps())
    if not needed:
        return tenant, None
    if len(apps) != 1:
        known = ", ".join(str(app.appid) for app in apps)
        has = f"has apps {known}: say which by 'appid'" if apps else "has no app: make one first"
        detail = f"World {tenant.id!r} {has}"
        raise ControlError("missing_app", detail, pointer="/appid", status=422)
    return tenant, apps[0]


async def _fill_quota(plane: Plane, tenant: Tenant, app: App) -> Mapping[str, Json]:
    limit = tenant.service.profile.concurrent_pushes
    if limit == 0:
        detail = (
            f"App {app.appid} may push without a limit (profile: concurrent_pushes = 0):"
            " set one by put-profile"
        )
        raise ControlError("no_quota", detail, status=409)
    started = []
    for number in range(1, limit + 1):
        if tenant.service.view.running_count(app.appid) >= limit:
            break
        uid = f"quota-full-{number}"
        command = StartPush(
            (app.appid, SOURCE, uid), _FILLER_ROOM, (_filler(app, uid),), None, "quota-full"
        )
        applied = await tenant.service.apply(command, is_silent=True)
        if not isinstance(applied.decision, Refused):
            started.append(uid)
    return {"running": tenant.service.view.running_count(app.appid), "started": started}


async def _empty_quota(tenant: Tenant) -> None:
    for task in _fillers(tenant):
        stop = StopPush(task.key, task.room_id, None, "quota-full")
        await tenant.service.apply(stop, is_silent=True)


def _fillers(tenant: Tenant) -> list[Task]:
    return [task for task in tenant.service.view.tasks() if task.room_id == _FILLER_ROOM]


def _filler(app: App, uid: str) -> PushAddress:
    address = read_address(f"rtmp://quota-full.invalid/{app.appid}/{uid}")
    assert isinstance(address, PushAddress)
    return address


async def _rotate_certificate(plane: Plane, tenant: Tenant, app: App) -> Mapping[str, Json]:
    old = [
        each
        for each in tenant.service.view.certificates()
        if each.account == app.account and each.revoked_at is None
    ]
    where = {"world": tenant.id}
    created = await create_certificate(plane, where, {"appid": app.appid})
    for each in old:
        values = {**where, "certificate_id": each.id, "after_seconds": OVERLAP_SECONDS}
        await revoke_certificate(plane, values, None)
    return {
        "certificate_id": created["id"],
        "certificate_key": created["certificate_key"],
        "token": created["token"],
        "revoked": [each.id for each in old],
    }


Extra = Callable[[Plane, Tenant, App], Awaitable[Mapping[str, Json]]]
_EXTRAS: Final[Mapping[str, Extra]] = {
    "fill_quota": _fill_quota,
    "rotate_certificate": _rotate_certificate,
}
