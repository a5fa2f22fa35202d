"""Worlds saved and restored."""

from fakerelay.control.documents import version
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.worlds import show_world
from fakerelay.snapshots import restore_world, save_world


async def show_snapshot(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    return save_world(tenant, version=version(), with_keys=values["keys"])


async def put_snapshot(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    await restore_world(plane.tenants, tenant, body)
    return show_world(tenant)
