"""What the verbs act on: the worlds of a server, and a few facts about it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fakerelay.core.faults import Plan
from fakerelay.core.profile import Profile
from fakerelay.errors import ControlError, nearest
from fakerelay.tenants import Tenant, Tenants

Json = Any
Values = Mapping[str, Any]
"""Parameters, checked and with their defaults."""


class TlsPort(Protocol):
    """Where the port of a plan on `tls` is, and what to trust for nothing else to be wrong."""

    @property
    def url(self) -> str: ...

    @property
    def ca_file(self) -> Path | None: ...


class TlsPorts(Protocol):
    """The ports that show what the plans on `tls` say, one for each plan."""

    def find(self, tenant: Tenant, plan: Plan) -> TlsPort | None: ...

    def open(self, tenant: Tenant, plan: Plan) -> None:
        """Take a port for a plan that is to come, or to take another's place.

        Raises ConfigError.
        """

    async def settle(self) -> None:
        """Serve one port for each plan there is, and close all others."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A running server as its control plane sees it; `is_guarded` where it asks for a token."""

    tenants: Tenants
    state: str = "memory:"
    url: str = ""
    http_url: str | None = None
    ca_file: Path | None = None
    is_guarded: bool = False
    tls_ports: TlsPorts | None = None
    started_at: float = field(default_factory=time.monotonic)

    def world(self, world_id: str | None) -> Tenant:
        """The world of an id, or the default one."""
        if world_id is None:
            return self.tenants.default
        tenant = self.tenants.get(world_id)
        if tenant is None:
            known = nearest(world_id, [tenant.id for tenant in self.tenants])
            raise ControlError("unknown_world", f"Unknown world {world_id!r}{known}", status=404)
        return tenant

    def worlds(self, world_id: str | None) -> list[Tenant]:
        """The one of an id, or all of them."""
        return list(self.tenants) if world_id is None else [self.world(world_id)]

    def world_of(self, appid: int) -> Tenant:
        """The world an app belongs to."""
        tenant = self.tenants.find(appid)
        if tenant is None:
            known = [str(app.appid) for each in self.tenants for app in each.service.view.apps()]
            hint = nearest(str(appid), known[:20])
            raise ControlError("unknown_app", f"No world has app {appid}{hint}", status=404)
        return tenant

    def world_for(self, world_id: str | None, appid: int | None) -> Tenant:
        """The world that is named, else that of the app that is named, else the default one."""
        if appid is None:
            return self.world(world_id)
        tenant = self.world_of(int(appid))
        if world_id is not None and self.world(world_id) is not tenant:
            detail = f"World {world_id!r} has no app {appid}"
            raise ControlError("unknown_app", detail, pointer="/appid", status=404)
        return tenant

    def targets(self, values: Values) -> list[Tenant]:
        """Where a verb that destroys has to look; an app that is named exists there."""
        worlds = self.worlds(values["world"])
        if values["appid"] is not None and self.world_of(values["appid"]) not in worlds:
            detail = f"World {values['world']!r} has no app {values['appid']}"
            raise ControlError("unknown_app", detail, status=404)
        return worlds


def show_profile(profile: Profile) -> dict[str, Json]:
    return {"name": profile.name, "version": profile.version, "hash": profile.hash}
