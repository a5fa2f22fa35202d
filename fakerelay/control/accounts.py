"""Apps and the certificates that open them."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from fakerelay.control.callback_urls import explain_url
from fakerelay.control.listing import show_page
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.core.commands import PutCertificate
from fakerelay.core.model import App, Certificate
from fakerelay.errors import ConfigError, ControlError, nearest
from fakerelay.targets import check_callback_url
from fakerelay.tenants import Tenant


async def list_apps(plane: Plane, values: Values, body: Json) -> Json:
    worlds = plane.worlds(values["world"])
    return show_page([_show_app(each, app) for each in worlds for app in _apps(each)], values)


async def show_app(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world_of(values["appid"])
    return _show_app(tenant, _app(tenant, values["appid"]))


async def put_app(plane: Plane, values: Values, body: Json) -> Json:
    """A new app has an account of its own unless it is given one."""
    appid = values["appid"]
    tenant = plane.tenants.find(appid) or plane.world(values["world"])
    if values["world"] is not None and tenant is not plane.world(values["world"]):
        raise ControlError(
            "appid_taken",
            f"App {appid} is in world {tenant.id!r}",
            pointer="/path/appid",
            status=409,
        )
    app = change_app(tenant.service.view.app(appid) or App(appid, f"account-{appid}"), body)
    await plane.tenants.put_app(tenant, app)
    return _show_app(tenant, app)


async def delete_app(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world_of(values["appid"])
    app = _app(tenant, values["appid"])
    await plane.tenants.remove_app(tenant, app.appid)
    return _show_app(tenant, app)


async def list_certificates(plane: Plane, values: Values, body: Json) -> Json:
    found = [
        show_certificate(tenant, certificate)
        for tenant in plane.worlds(values["world"])
        for certificate in tenant.service.view.certificates()
    ]
    appid = values["appid"]
    if appid is not None:
        found = [shown for shown in found if appid in shown["apps"]]
    return show_page(found, values)


async def create_certificate(plane: Plane, values: Values, body: Json) -> Json:
    tenant, account = _find_account(plane, values["world"], body)
    certificate = make_certificate(plane, body, account)
    if tenant.service.view.certificate(certificate.id) is not None:
        raise ControlError(
            "certificate_exists",
            f"World {tenant.id!r} has a certificate {certificate.id!r}: choose another id",
            pointer="/certificate_id",
            status=409,
        )
    await tenant.service.apply(PutCertificate(certificate))
    return {**show_certificate(tenant, certificate), **show_secret(certificate)}


async def revoke_certificate(plane: Plane, values: Values, body: Json) -> Json:
    """Now or `after_seconds`, when no timer has to fire: the time is looked at with each call."""
    wanted = values["certificate_id"]
    found = [
        (tenant, certificate)
        for tenant in plane.worlds(values["world"])
        if (certificate := tenant.service.view.certificate(wanted)) is not None
    ]
    if len(found) > 1:
        names = ", ".join(repr(tenant.id) for tenant, _ in found)
        detail = f"Several worlds have a certificate {wanted!r}: give 'world', one of {names}"
        raise ControlError("ambiguous_world", detail, pointer="/query/world", status=409)
    for tenant, certificate in found:
        now = tenant.clock.now()
        if certificate.is_revoked(now):
            return show_certificate(tenant, certificate)
        revoked = certificate._replace(revoked_at=now + values["after_seconds"])
        await tenant.service.apply(PutCertificate(revoked))
        return show_certificate(tenant, revoked)
    known = [each.id for tenant in plane.tenants for each in tenant.service.view.certificates()]
    detail = f"Unknown certificate {wanted!r}{nearest(wanted, known[:20])}"
    raise ControlError("unknown_certificate", detail, pointer="/path/certificate_id", status=404)


def change_app(app: App, body: Json) -> App:
    """The app with what a body says of it. Raises ControlError for a callback URL of no use."""
    changes: dict[str, Any] = {key: body[key] for key in ("account",) if key in body}
    if "callback_url" in body:
        changes["callback_url"] = _check_url(body["callback_url"])
    if "live_rooms" in body:
        rooms = body["live_rooms"].items()
        changes["live_rooms"] = tuple((room, tuple(users)) for room, users in rooms)
    return app._replace(**changes)


def make_certificate(plane: Plane, body: Json, account: str) -> Certificate:
    """A certificate as a body wants it, made up where it leaves that open."""
    make_name = plane.tenants.make_name
    return Certificate(
        body.get("certificate_id") or make_name(8),
        body.get("certificate_key") or make_name(16),
        account,
    )


def show_certificate(tenant: Tenant, certificate: Certificate) -> dict[str, Json]:
    return {
        "id": certificate.id,
        "world": tenant.id,
        "account": certificate.account,
        "status": "revoked" if certificate.is_revoked(tenant.clock.now()) else "active",
        "revoked_at": certificate.revoked_at,
        "apps": [app.appid for app in _apps(tenant) if app.account == certificate.account],
    }


def show_secret(certificate: Certificate) -> dict[str, Json]:
    """The key, and the ready `token` header (`contract.md` section 2): shown when made, only."""
    credentials = f"{certificate.id}:{certificate.key}".encode()
    return {
        "certificate_key": certificate.key,
        "token": "Basic " + b64encode(credentials).decode(),
    }


def show_rooms(app: App) -> dict[str, Json]:
    return {room: list(users) for room, users in app.live_rooms}


def _show_app(tenant: Tenant, app: App) -> dict[str, Json]:
    return {
        "appid": app.appid,
        "world": tenant.id,
        "account": app.account,
        "callback_url": app.callback_url,
        "live_rooms": show_rooms(app),
    }


def _apps(tenant: Tenant) -> Iterable[App]:
    return tenant.service.view.apps()


def _app(tenant: Tenant, appid: int) -> App:
    app = tenant.service.view.app(appid)
    if app is None:  # taken away while this call was under way
        raise ControlError("unknown_app", f"No world has app {appid}", status=404)
    return app


def _find_account(plane: Plane, world_id: str | None, body: Json) -> tuple[Tenant, str]:
    if "account" in body:
        return plane.world(world_id), body["account"]
    tenant = plane.world_of(body["appid"])
    if world_id is not None and tenant is not plane.world(world_id):
        detail = f"App {body['appid']} is in world {tenant.id!r}"
        raise ControlError("unknown_app", detail, pointer="/appid", status=404)
    return tenant, _app(tenant, body["appid"]).account


def _check_url(url: str | None) -> str | None:
    try:
        return url if url is None else check_callback_url(url)
    except ConfigError as error:
        raise ControlError(
            "invalid_callback_url", explain_url(url or ""), pointer="/callback_url", status=400
        ) from error
