"""Running tasks: listed with tiles and statuses, and made to fail."""

from typing import Any, Final

from fakerelay.control.listing import show_list
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Listing
from fakerelay.core.addresses import address_key, mask_address
from fakerelay.core.commands import SetPushStatus
from fakerelay.core.mixing import read_output, resolve_tiles
from fakerelay.core.model import KIND_NAMES, MIXED, NAME_FIELDS, SOURCE, Push, Task, TaskKey
from fakerelay.core.pushes import CONNECTING, PUSHING, STATUS_NAMES, STOPPED
from fakerelay.errors import ControlError
from fakerelay.tenants import Tenant

_STATUSES: Final = {**{name: status for status, name in STATUS_NAMES.items()}, "recovered": PUSHING}


async def list_tasks(plane: Plane, values: Values, body: Json) -> Json:
    return await show_list(plane, _TASKS, values)


async def set_push_status(plane: Plane, values: Values, body: Json) -> Json:
    """One address's status, or that of all the task has; what can't become so stays as it is.

    Of a task that ends by it, its last state is shown.
    """
    tenant = plane.world_of(body["appid"])
    streamtype = MIXED if "taskid" in body else SOURCE
    key = (body["appid"], streamtype, body[NAME_FIELDS[streamtype]])
    task = _find_task(tenant, key)
    status = body["status"]
    wanted = _STATUSES[status] if isinstance(status, str) else int(status)
    for push in _find_pushes(task, body.get("rtmpurl")):
        if body.get("after_seconds"):
            tenant.cdn.schedule((key, push.address.key), wanted, float(body["after_seconds"]))
        else:
            await tenant.service.apply(SetPushStatus(key, push.address.key, wanted))
    return show_task(tenant, tenant.service.view.task(key) or _end(tenant, task))


def show_task(tenant: Tenant, task: Task) -> Json:
    appid, streamtype, name = task.key
    shown = {
        "world": tenant.id,
        "appid": appid,
        "streamtype": streamtype,
        "kind": KIND_NAMES[streamtype],
        NAME_FIELDS[streamtype]: name,
        "roomid": task.room_id,
        "revision": task.revision,
        "started_at": task.started_at,
        "updated_at": task.updated_at,
        "pushes": [_show_push(tenant, task.key, push) for push in task.pushes],
    }
    return shown if task.mixconfig is None else {**shown, **_show_mix(tenant, task, task.mixconfig)}


def _show_push(tenant: Tenant, key: TaskKey, push: Push) -> Json:
    return {
        "rtmpurl": push.address.spelled,
        **show_status(push.status),
        "since": push.since,
        "scheduled": [
            {**show_status(status), "due_at": due_at}
            for due_at, status in tenant.cdn.scheduled((key, push.address.key))
        ],
    }


def show_status(status: int) -> dict[str, Json]:
    """The vendor has no number for a push that connects."""
    return {
        "status": None if status == CONNECTING else status,
        "status_name": STATUS_NAMES[status],
    }


def _end(tenant: Tenant, task: Task) -> Task:
    """A task as its end left it: each push was stopped, one after the other."""
    now = tenant.clock.now()
    stopped = tuple(Push(push.address, STOPPED, now) for push in task.pushes)
    revision = task.revision + len(stopped)
    return Task(task.key, task.room_id, stopped, task.mixconfig, task.started_at, now, revision)


def _show_mix(tenant: Tenant, task: Task, mixconfig: Any) -> dict[str, Json]:
    app = tenant.service.view.app(task.key[0])
    users = (app.live_users(task.room_id) if app else None) or ()
    return {
        "mixconfig": mixconfig,
        "output": read_output(mixconfig),
        "tiles": [tile._asdict() for tile in resolve_tiles(mixconfig, task.room_id, users)],
    }


def _find_task(tenant: Tenant, key: TaskKey) -> Task:
    task = tenant.service.view.task(key)
    if task is None:
        detail = f"App {key[0]} runs no {KIND_NAMES[key[1]]} task {key[2]!r}"
        raise ControlError("unknown_task", detail, pointer=f"/{NAME_FIELDS[key[1]]}", status=404)
    return task


def _find_pushes(task: Task, rtmpurl: str | None) -> tuple[Push, ...]:
    if rtmpurl is None:
        return task.pushes
    push = task.find_push(address_key(rtmpurl))
    if push is None:
        held = ", ".join(mask_address(push.address.spelled) for push in task.pushes)
        detail = f"The task doesn't push to {mask_address(rtmpurl)!r} (it does to: {held})"
        raise ControlError("unknown_address", detail, pointer="/rtmpurl", status=404)
    return (push,)


_TASKS: Final = Listing[Task](
    items=lambda tenant: tenant.service.view.tasks(),
    facts={
        "appid": lambda task: task.key[0],
        "taskid": lambda task: task.key[2] if task.key[1] == MIXED else None,
        "uid": lambda task: task.key[2] if task.key[1] == SOURCE else None,
        "roomid": lambda task: task.room_id,
        "rtmpurl": lambda task: {push.address.key for push in task.pushes},
    },
    at=lambda task: task.started_at,
    render=show_task,
    watch=lambda tenant: tenant.service.watch,
)
