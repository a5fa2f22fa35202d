"""Worlds with something of everything in them, and what a snapshot says of them."""

from collections.abc import Mapping
from random import Random
from typing import Any

from fakerelay.clock import FROZEN, Start
from fakerelay.control.components import compile_component
from fakerelay.core.commands import Command, PutCertificate, StartPush
from fakerelay.core.model import App, Certificate
from fakerelay.core.rules import Decision
from fakerelay.faults import read_plan
from fakerelay.ids import SeededIds
from fakerelay.outlooks import Place
from fakerelay.ports import Sent
from fakerelay.profiles import build_profile, merge_profile, profile_data
from fakerelay.snapshots import restore_world, save_world
from fakerelay.stores.memory import MemoryStore
from fakerelay.tenants import Parts, Tenant, Tenants
from tests.core.worlds import DEFAULT, addresses, start

Json = dict[str, Any]

URL = "http://127.0.0.1:1/nobody"
NOW = 1_800_000_000.0
MIX = {"templateid": 1, "input": [{"uid": "a"}], "output": {"width": 64}, "more": [1.5, None]}
CHANCE = {
    "seed": 3,
    "match": {"rtmpurl": "rtmp://h/*"},
    "steps": [
        {"fault": "reset", "probability": 0.5, "count": "always"},
        {"fault": "http_status", "status": 503, "headers": {"Retry-After": "1"}},
    ],
}


class NoReceiver:
    """Takes nothing, so that all stays pending until it is given up."""

    async def send(self, url: str, body: bytes, timeout_seconds: float, *more: str) -> Sent:
        return Sent(503, None, 0.0)


def make_tenants() -> Tenants:
    return Tenants(
        Parts(
            make_store=MemoryStore,
            start=Start(FROZEN, NOW),
            make_ids=lambda world_id: SeededIds(7),
            sender=NoReceiver(),
            profile=DEFAULT,
            journal_size=100,
            random=Random(7),
        )
    )


async def make_world(tenants: Tenants | None = None) -> tuple[Tenants, Tenant]:
    """A world with the apps 1 and 2, opened by one certificate, and nothing going on in it."""
    tenants = tenants or make_tenants()
    tenant = tenants.default
    certificate = Certificate("cert", "secret", "account")
    for appid in (1, 2):
        await tenants.put_account(tenant, App(appid, "account", URL), certificate)
    return tenants, tenant


async def make_full_world() -> tuple[Tenants, Tenant]:
    """A world with something in each part of its snapshot."""
    tenants, tenant = await make_world()
    set_profile(tenant, release_seconds=60.0, rate_limit_per_second=5)
    await tenants.put_app(tenant, App(1, "account", URL, live_rooms=(("r", ("a", "b")),)))
    revoked = Certificate("old", "secret", "account", revoked_at=NOW - 1.0)
    await tenant.service.apply(PutCertificate(revoked))
    mixed = StartPush((1, 1, "t"), "r", addresses("h/a", "H:1935/b?key=1"), MIX, "trace")
    for command in (mixed, start("u", "h/c", "h/d", appid=1), start("u", "h/d", appid=1)):
        await apply(tenant, command)
    await tenant.clock.advance(0.5)
    await tenant.service.count_call(1)
    tenant.faults.add(read_plan(CHANCE, tenant.faults.next_id(), NOW))
    place: Place = (1, 1, "t"), addresses("h/a")[0].key
    tenant.cdn.schedule(place, 1, 30.0)
    tenant.ids.message_id()
    return tenants, tenant


async def apply(tenant: Tenant, command: Command) -> Decision:
    """Apply a command, and answer it: what it caused may be told."""
    applied = await tenant.service.apply(command)
    if applied.open_gate is not None:
        applied.open_gate()
    return applied.decision


def set_profile(tenant: Tenant, **changes: Any) -> None:
    data = profile_data(tenant.service.profile)
    tenant.service.profile = build_profile(merge_profile(data, changes))


def save(tenant: Tenant, *, with_keys: bool = True) -> Json:
    snapshot = save_world(tenant, version="1", with_keys=with_keys)
    compile_component("snapshot").validate(snapshot)
    return snapshot


async def restore(tenants: Tenants, snapshot: Mapping[str, Any]) -> Tenant:
    compile_component("snapshot").validate(snapshot)
    await restore_world(tenants, tenants.default, dict(snapshot))
    return tenants.default
