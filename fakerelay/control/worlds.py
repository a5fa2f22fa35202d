"""Worlds: made, dropped, set back; and the profile in force in each."""

from collections import Counter

from fakerelay.control import faults, requests
from fakerelay.control.accounts import change_app, make_certificate, show_rooms, show_secret
from fakerelay.control.callbacks import show_holds
from fakerelay.control.clock import open_clock
from fakerelay.control.plane import Json, Plane, Values, show_profile
from fakerelay.core.model import App
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError, ControlError
from fakerelay.profiles import build_profile, merge_profile, profile_data, read_profile
from fakerelay.tenants import Tenant


async def list_worlds(plane: Plane, values: Values, body: Json) -> Json:
    return {"items": [show_world(tenant) for tenant in plane.tenants]}


async def create_world(plane: Plane, values: Values, body: Json) -> Json:
    _refuse_taken(plane, body)
    base = profile_data(plane.tenants.default.service.profile)
    data = read_profile(body["profile"]) if "profile" in body else base
    profile = _lay_over(data, body.get("settings"), "/settings")
    appid = body["appid"] if "appid" in body else plane.tenants.free_appid()
    app = change_app(App(int(appid), f"account-{appid}"), body)
    certificate = make_certificate(plane, body, app.account)
    tenant = plane.tenants.create(body.get("id"), open_clock(plane, body))
    tenant.service.profile = profile
    await plane.tenants.put_account(tenant, app, certificate)
    return {
        "id": tenant.id,
        "clock": tenant.clock.mode,
        "now": tenant.clock.now(),
        "appid": app.appid,
        "account": app.account,
        "callback_url": app.callback_url,
        "live_rooms": show_rooms(app),
        "certificate_id": certificate.id,
        **show_secret(certificate),
        "url": plane.url,
        "http_url": plane.http_url,
        "profile": show_profile(profile),
    }


async def delete_world(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["id"])
    if tenant is plane.tenants.default:
        detail = f"World {tenant.id!r} is the server's own: it can be reset, but not dropped"
        raise ControlError("default_world", detail, pointer="/path/id", status=409)
    shown = show_world(tenant)
    await plane.tenants.drop(tenant)
    return shown


async def show_profile_in_force(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    profile = tenant.service.profile
    return {"world": tenant.id, **show_profile(profile), "profile": profile_data(profile)}


async def put_profile(plane: Plane, values: Values, body: Json) -> Json:
    service = plane.world(values["world"]).service
    service.profile = _lay_over(profile_data(service.profile), body, "")
    return await show_profile_in_force(plane, values, body)


async def reset(plane: Plane, values: Values, body: Json) -> Json:
    """Silently: nobody is notified of the tasks that end."""
    apps, tasks, callbacks = [], 0, 0
    told = Counter(
        each.appid for tenant in plane.targets(values) for each in tenant.delivery.notifications()
    )
    for tenant in plane.targets(values):
        tenant.let_go(values["appid"])
    for tenant, app in _find_apps(plane, values):
        apps.append(app.appid)
        tasks += tenant.service.view.running_count(app.appid)
        callbacks += told[app.appid]
        await plane.tenants.reset_app(tenant, app.appid)
    cleared = faults.clear(plane, values)
    for tenant in plane.targets(values):
        tenant.delivery.end_holds(values["appid"])
        tenant.begin_faults(values["appid"])
    return {
        "apps": apps,
        "tasks": tasks,
        "requests": requests.clear(plane, values),
        "callbacks": callbacks,
        "faults": cleared,
    }


def show_world(tenant: Tenant) -> Json:
    view = tenant.service.view
    apps = [app.appid for app in view.apps()]
    return {
        "id": tenant.id,
        "apps": apps,
        "tasks": sum(view.running_count(appid) for appid in apps),
        "revision": view.revision,
        "requests": len(tenant.journal),
        "holds": show_holds(tenant),
        "clock": tenant.clock.mode,
        "now": tenant.clock.now(),
        "profile": show_profile(tenant.service.profile),
    }


def _refuse_taken(plane: Plane, body: Json) -> None:
    if "appid" in body and plane.tenants.find(body["appid"]) is not None:
        detail = f"Appid {body['appid']} belongs to another world: choose one that no world has"
        raise ControlError("appid_taken", detail, pointer="/appid", status=409)
    if "id" in body and plane.tenants.get(body["id"]) is not None:
        detail = f"World {body['id']!r} exists already: choose another id"
        raise ControlError("world_exists", detail, pointer="/id", status=409)


def _lay_over(data: Json, patch: Json, pointer: str) -> Profile:
    try:
        return build_profile(merge_profile(data, patch or {}))
    except ConfigError as error:
        raise ControlError("invalid_profile", str(error), pointer=pointer, status=422) from error


def _find_apps(plane: Plane, values: Values) -> list[tuple[Tenant, App]]:
    return [
        (tenant, app)
        for tenant in plane.targets(values)
        for app in tenant.service.view.apps()
        if values["appid"] in (None, app.appid)
    ]
