"""A guest's world from one opening to the closing after it."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from fakerelay.clock import WorldClock
from fakerelay.core.model import App, Certificate
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError
from fakerelay.hosts import Host
from fakerelay.hosts.clients import HostedClient
from fakerelay.inboxes import Inbox
from fakerelay.server import Server
from fakerelay.tenants import Tenant
from fakerelay.wants import Wanted, choose_profile

_NAME_BYTES: Final = 6


@dataclass(slots=True, eq=False)
class Stay:
    """What one has that has to end.

    Unless it `is_used`, nothing was done with it that the host's loop knows of.
    """

    server: Server
    world_id: str
    inbox: Inbox | None
    opening: Future[Tenant]
    client: HostedClient | None = None
    is_used: bool = False

    async def end(self, host: Host) -> None:
        """Forget all there is; first the inbox, so that nothing hangs there any more."""
        if self.inbox is not None:
            host.receiver.close_inbox(self.inbox)
        if self.client is not None:
            await self.client.end()
        host.call_off(self.opening)  # nobody looked, though somebody was about to
        if not self.opening.done():
            await asyncio.wait([asyncio.wrap_future(self.opening)])
        if not self.opening.cancelled() and self.opening.exception() is None:
            await self.server.drop_world(self.opening.result())


def begin_stay(host: Host, wanted: Wanted, *, is_awaited: bool) -> Stay:
    """What can't be refused is only asked for, unless it `is_awaited`. Raises ConfigError."""
    server, receiver = host.server, host.receiver
    profile, clock = _prepare(server, wanted)
    world_id = server.tenants.make_name(_NAME_BYTES)
    inbox, url = None, wanted.app.callback_url
    if wanted.is_received:
        inbox = receiver.open_inbox(f"{wanted.app.appid}-{world_id}")
        url = inbox.url
    make = partial(_make, server, wanted, world_id, url, profile, clock)
    try:
        if wanted.is_sure and not is_awaited:
            opening = host.ask(make)
        else:
            opening = host.begin(make(), is_awaited=is_awaited)
    except BaseException:
        if inbox is not None:
            receiver.close_inbox(inbox)  # which nobody has been told of
        raise
    return Stay(server, world_id, inbox, opening)


def _prepare(server: Server, wanted: Wanted) -> tuple[Profile, WorldClock]:
    """All that can be refused is made before it is begun. Raises ConfigError."""
    if wanted.tls and server.tls_files.ca_file is None:
        raise ConfigError(
            "Can't use tls=True on this server: it speaks plain HTTP only; leave server out,"
            " or share one that was opened with TLS"
        )
    profile = choose_profile(server.tenants.default.service.profile, wanted)
    return profile, server.tenants.start.open_clock(wanted.clock, wanted.now)


async def _make(
    server: Server,
    wanted: Wanted,
    world_id: str,
    url: str | None,
    profile: Profile,
    clock: WorldClock,
) -> Tenant:
    tenant = server.tenants.create(world_id, clock)
    tenant.service.profile = profile
    await _furnish(server, tenant, wanted, url)
    return tenant


async def _furnish(
    server: Server, tenant: Tenant, wanted: Wanted, callback_url: str | None
) -> None:
    """Give a world an app and the certificate that opens it, or drop it. Raises ConfigError."""
    app, faults = wanted.app, wanted.faults
    account = app.certificate_id
    try:
        await server.tenants.put_account(
            tenant,
            App(app.appid, account, callback_url),
            Certificate(app.certificate_id, app.certificate_key, account),
        )
        if faults:
            server.add_faults(tenant, faults, "the plans in faults")
            await server.open_fault_ports(tenant)
    except BaseException:
        await server.drop_world(tenant)
        raise
