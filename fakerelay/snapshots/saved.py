"""A world as JSON: the same for the same state, byte by byte."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fakerelay.core.faults import Plan
from fakerelay.core.model import NAME_FIELDS, App, Certificate, Task, TaskKey
from fakerelay.core.world import World
from fakerelay.faults import write_plan
from fakerelay.profiles import profile_data
from fakerelay.snapshots.notifications import save_callbacks
from fakerelay.tenants import Tenant

FORMAT: Final = "fakerelay-snapshot"
VERSION: Final = 1

Json = dict[str, Any]


def save_world(tenant: Tenant, *, version: str, with_keys: bool = False) -> Json:
    """All that a world is, as `schemas/snapshot.json` has it; `version` is fakerelay's.

    The keys of certificates are secrets: they are left out unless asked for.
    """
    now, view, profile = tenant.clock.now(), tenant.service.view, tenant.service.profile
    made = tenant.ids.made
    return {
        "format": FORMAT,
        "version": VERSION,
        "fakerelay": version,
        "clock": {"mode": tenant.clock.mode, "now": float(now)},
        "revision": view.revision,
        "ids": made and made._asdict(),
        "profile": profile_data(profile),
        "profile_hash": profile.hash,
        "apps": [_save_app(app) for app in view.apps()],
        "certificates": [_save_certificate(each, with_keys) for each in view.certificates()],
        "tasks": [_save_task(task) for task in view.tasks()],
        "shared_addresses": _find_shared(view),
        "releases": list(_save_releases(view, now)),
        "calls": list(_save_calls(view, now)),
        "outlooks": [_save_outlook(each) for each in tenant.cdn.save()],
        "callbacks": save_callbacks(tenant.delivery.save()),
        "faults": [_save_plan(plan, now) for plan in tenant.faults],
        "faults_made": tenant.faults.made,
    }


def render_lines(snapshot: Mapping[str, Any]) -> str:
    """Its JSON with a line for each app, task and plan: for people, and for what compares lines."""
    rows = [f'"{key}": {_render(value)}' for key, value in snapshot.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _render(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"


def _save_app(app: App) -> Json:
    return {
        "appid": app.appid,
        "account": app.account,
        "callback_url": app.callback_url,
        "live_rooms": {room: list(users) for room, users in app.live_rooms},
    }


def _save_certificate(certificate: Certificate, with_keys: bool) -> Json:
    saved = {
        "id": certificate.id,
        "account": certificate.account,
        "revoked_at": certificate.revoked_at,
    }
    return {**saved, "key": certificate.key} if with_keys else saved


def _save_task(task: Task) -> Json:
    saved = {
        **_save_key(task.key),
        "roomid": task.room_id,
        "started_at": float(task.started_at),
        "updated_at": float(task.updated_at),
        "revision": task.revision,
        "pushes": [
            {
                "rtmpurl": push.address.spelled,
                "status": push.status,
                "since": float(push.since),
            }
            for push in task.pushes
        ],
    }
    return saved if task.mixconfig is None else {**saved, "mixconfig": task.mixconfig}


def _save_key(key: TaskKey) -> Json:
    appid, streamtype, name = key
    return {"appid": appid, NAME_FIELDS[streamtype]: name}


def _find_shared(view: World) -> list[str]:
    """The keys of the addresses that tasks of several apps hold."""
    holders = Counter(push.address.key for task in view.tasks() for push in task.pushes)
    return sorted(address_key for address_key, count in holders.items() if count > 1)


def _save_releases(view: World, now: float) -> Iterator[Json]:
    """Those that still keep an address from somebody."""
    kept = [
        (release.until, key, release) for key, release in view.released() if release.until > now
    ]
    for until, address_key, release in sorted(kept):
        yield {"rtmpurl": address_key, **_save_key(release.task_key), "until": float(until)}


def _save_calls(view: World, now: float) -> Iterator[Json]:
    """Those that the rate limit still looks at."""
    for appid, times in sorted(view.counted()):
        recent = [float(at) for at in times if at > now - 1.0]
        if recent:
            yield {"appid": appid, "at": recent}


def _save_outlook(saved: Mapping[str, Any]) -> Json:
    key = saved["appid"], saved["streamtype"], saved["name"]
    left = {name: saved[name] for name in ("failures", "retry_at", "dues")}
    return {**_save_key(key), "rtmpurl": saved["address"], **left}


def _save_plan(plan: Plan, now: float) -> Json:
    plan.current(now)  # what was over by now has not been noticed where nobody asked
    return {
        "plan": write_plan(plan),
        "created_at": float(plan.created_at),
        "began_at": float(plan.began_at),
        "position": plan.position,
        "met": list(plan.met),
        "draws": plan.draws,
    }
