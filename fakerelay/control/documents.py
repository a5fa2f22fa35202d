"""What a server tells of itself: its health, its CA, its APIs."""

import time
from functools import cache

from fakerelay.control.openapi import build_control_document
from fakerelay.control.plane import Json, Plane, Values, show_profile
from fakerelay.control.vendor_openapi import build_vendor_document
from fakerelay.errors import ControlError


async def show_health(plane: Plane, values: Values, body: Json) -> Json:
    return {
        "status": "ok",
        "version": version(),
        "profile": show_profile(plane.tenants.default.service.profile),
        "state": plane.state,
        "worlds": sum(1 for _ in plane.tenants),
        "uptime_seconds": time.monotonic() - plane.started_at,
    }


async def show_ca(plane: Plane, values: Values, body: Json) -> Json:
    if plane.ca_file is None:
        detail = "The server has no CA of its own: it serves plain HTTP, or the user's certificate"
        raise ControlError("no_ca", detail, status=404)
    return plane.ca_file.read_text(encoding="ascii")


async def show_openapi(plane: Plane, values: Values, body: Json) -> Json:
    return build_control_document(version(), is_guarded=plane.is_guarded)


async def show_vendor_openapi(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    appids = [app.appid for app in tenant.service.view.apps()]
    urls = [url for url in (plane.url, plane.http_url) if url]
    return build_vendor_document(tenant.service.profile, appids, list(dict.fromkeys(urls)))


@cache
def version() -> str:
    from importlib import metadata  # slow to load

    try:
        return metadata.version("fakerelay")
    except metadata.PackageNotFoundError:  # run from a checkout that nobody installed
        return "0"
