"""A relay as one world among others on a server: cheap enough for each test to have its own."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fakerelay.config import AppConfig
from fakerelay.core.model import App, Certificate
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError
from fakerelay.ports import ClockMode
from fakerelay.profiles import open_profile
from fakerelay.server import Server
from fakerelay.tenants import Tenant


class Wanted(NamedTuple):
    """What a world is to be; None leaves it as the server's others are."""

    profile: str | None = None
    settings: Mapping[str, object] | None = None
    clock: ClockMode | None = None
    now: float | None = None
    faults: Sequence[Mapping[str, Any]] = ()


async def open_world(server: Server, app: AppConfig, wanted: Wanted) -> Tenant:
    """Make a world with an app and the certificate that opens it, or nothing at all.

    Raises ConfigError.
    """
    tenants = server.tenants
    profile = _choose_profile(tenants.default.service.profile, wanted)
    tenant = tenants.create(clock=tenants.start.open_clock(wanted.clock, wanted.now))
    tenant.service.profile = profile
    account = app.certificate_id
    try:
        await tenants.put_account(
            tenant,
            App(app.appid, account, app.callback_url),
            Certificate(app.certificate_id, app.certificate_key, account),
        )
        if wanted.faults:
            server.add_faults(tenant, wanted.faults, "the plans in faults")
            await server.open_fault_ports(tenant)
    except BaseException:
        await server.drop_world(tenant)
        raise
    return tenant


def _choose_profile(usual: Profile, wanted: Wanted) -> Profile:
    if wanted.profile is None and not wanted.settings:
        return usual
    try:
        settings = json.dumps(wanted.settings or {}, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Can't use settings: {error}; write plain JSON values") from error
    return _open_profile(wanted.profile or usual.name, settings)


@lru_cache(maxsize=64)
def _open_profile(source: str, settings: str) -> Profile:
    """Many tests want the same one, and its making costs more than all else."""
    return open_profile(source, json.loads(settings))
