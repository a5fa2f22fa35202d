"""Fault plans: made, listed with how far each is, taken away."""

from typing import Final

from fakerelay.control.plane import Json, Plane, TlsPorts, Values
from fakerelay.core.faults import Plan
from fakerelay.errors import ConfigError, ControlError, nearest
from fakerelay.faults import FaultError, read_plan, show_plan
from fakerelay.tenants import Tenant

_MOST_PLANS: Final = 1000


async def list_faults(plane: Plane, values: Values, body: Json) -> Json:
    tenants = plane.worlds(values["world"])
    shown = [show_fault(plane, tenant, plan) for tenant in tenants for plan in tenant.faults]
    appid = values["appid"]
    return {"items": [each for each in shown if appid is None or each["appid"] == appid]}


async def create_fault(plane: Plane, values: Values, body: Json) -> Json:
    """A plan is read whole before it takes its place among the others."""
    tenant = plane.world_for(values["world"], body.get("appid"))
    plan = plan_fault(tenant, body)
    if plan.on == "tls" and plane.tls_ports is not None:
        _open_port(plane.tls_ports, tenant, plan)
    tenant.faults.add(plan)
    return show_fault(plane, tenant, plan)


async def delete_fault(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    plan = tenant.faults.get(values["fault_id"])
    if plan is None:
        hint = nearest(values["fault_id"], [each.id for each in tenant.faults])
        detail = f"World {tenant.id!r} has no fault {values['fault_id']!r}{hint}"
        raise ControlError("unknown_fault", detail, pointer="/path/fault_id", status=404)
    shown = show_fault(plane, tenant, plan)
    tenant.faults.remove(plan.id)
    return shown


async def clear_faults(plane: Plane, values: Values, body: Json) -> Json:
    return {"faults": clear(plane, values)}


def clear(plane: Plane, values: Values) -> int:
    """Take away what the targets of a verb that destroys name; how many there were."""
    return sum(tenant.faults.clear(values["appid"]) for tenant in plane.targets(values))


def plan_fault(tenant: Tenant, body: Json) -> Plan:
    """A plan for a world, not among its plans yet. Raises ControlError."""
    _check_room(tenant, body)
    plan_id = body.get("id") or tenant.faults.next_id()
    try:
        return read_plan(body, plan_id, tenant.clock.now())
    except FaultError as error:
        raise ControlError(
            "invalid_fault", str(error), pointer=error.pointer, status=422
        ) from error


def show_fault(plane: Plane, tenant: Tenant, plan: Plan) -> Json:
    shown = {"world": tenant.id, **show_plan(plan, tenant.clock.now())}
    if plan.on == "tls" and plane.tls_ports is not None:
        port = plane.tls_ports.find(tenant, plan)
        shown["url"] = port and port.url
        shown["ca_file"] = str(port.ca_file) if port and port.ca_file else None
    return shown


def _check_room(tenant: Tenant, body: Json) -> None:
    """Every plan may be asked about every call, those that are over too."""
    if len(tenant.faults) >= _MOST_PLANS and tenant.faults.get(body.get("id", "")) is None:
        detail = (
            f"World {tenant.id!r} has {_MOST_PLANS} fault plans already: delete those that are"
            " over, or replace one by its id"
        )
        raise ControlError("too_many_faults", detail, pointer="/id", status=409)


def _open_port(ports: TlsPorts, tenant: Tenant, plan: Plan) -> None:
    try:
        ports.open(tenant, plan)
    except ConfigError as error:
        raise ControlError("invalid_fault", str(error), pointer="/steps/0", status=409) from error
