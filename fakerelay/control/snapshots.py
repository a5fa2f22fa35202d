"""Worlds saved and restored."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from fakerelay.client import make_token
from fakerelay.config import DEMO_APP, AppConfig, Config
from fakerelay.control.documents import version
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.values import read_body
from fakerelay.control.worlds import show_world
from fakerelay.core.model import Certificate
from fakerelay.core.problems import Problem
from fakerelay.errors import ConfigError, ControlError
from fakerelay.snapshots import restore_world, save_world
from fakerelay.tenants import Tenant, Tenants

_MOST_KNOWN: Final = 12


async def show_snapshot(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    return save_world(tenant, version=version(), with_keys=values["keys"])


async def put_snapshot(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    await restore_world(plane.tenants, tenant, body)
    return show_world(tenant)


async def load_snapshot(
    call: Callable[..., Awaitable[Json]], tenants: Tenants, config: Config
) -> Sequence[AppConfig]:
    """Let a server, by a `call` of its control, begin with the world of its `config.snapshot`.

    Answers the apps it then has. Those of the configuration are there already: they lend their keys
    to a snapshot without, and must be opened in it as they say. Raises ConfigError.
    """
    source = config.snapshot
    name = f"snapshot {str(source)!r}" if isinstance(source, Path) else "the snapshot"
    try:
        body = _read_file(source) if isinstance(source, Path) else source
        await call("put_snapshot", body=body)
    except OSError as error:
        raise ConfigError(f"Can't read {name}: {error.strerror or error}") from error
    except ControlError as error:
        where = f" (at {error.pointer})" if error.pointer else ""
        raise ConfigError(f"Can't use {name}: {error.detail}{where}") from error
    for app in config.apps:
        if app != DEMO_APP:
            await _find_app(tenants, app, name)
    return list(_list_apps(tenants.default))


def _read_file(path: Path) -> Mapping[str, Any]:
    return read_body(path.read_bytes())


async def _find_app(tenants: Tenants, app: AppConfig, name: str) -> None:
    """Hold an app of the configuration against the world; its callback URL wins."""
    tenant = tenants.default
    token = make_token(app.certificate_id, app.certificate_key)
    refusal = tenant.service.authorize(token, app.appid)
    saved = tenant.service.view.app(app.appid)
    if saved is None or isinstance(refusal, Problem):
        known = ", ".join(
            f"app {each.appid} by certificate {each.certificate_id!r}"
            for each in islice(_list_apps(tenant), _MOST_KNOWN)
        )
        raise ConfigError(
            f"In {name} certificate {app.certificate_id!r} with its key does not open app"
            f" {app.appid} (what is opened there: {known or 'nothing'})"
        )
    if app.callback_url is not None:
        await tenants.put_app(tenant, saved._replace(callback_url=app.callback_url))


def _list_apps(tenant: Tenant) -> Iterator[AppConfig]:
    """The apps of a world that anybody can call, each with a certificate that opens it."""
    view = tenant.service.view
    openers: dict[str, Certificate] = {}
    for certificate in view.certificates():
        if not certificate.is_revoked(tenant.clock.now()):
            openers.setdefault(certificate.account, certificate)
    for app in view.apps():
        opener = openers.get(app.account)
        if opener is not None:
            rooms = dict(app.live_rooms)
            yield AppConfig(app.appid, opener.id, opener.key, app.callback_url, rooms)
