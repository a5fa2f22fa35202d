"""Ports whose TLS goes wrong: one for each plan on `tls`, since only its own port tells a world.

Which world a call is for stands in its path, after the handshake; the port of all worlds can't
show one of them a certificate of its own.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from fakerelay.clock import machine_time
from fakerelay.core.faults import Plan, Step
from fakerelay.errors import ConfigError
from fakerelay.tenants import Tenant, Tenants
from fakerelay.web.ca_folder import CaFolder
from fakerelay.web.waits import WaitingServer

_LOGGER = logging.getLogger("fakerelay")
_SHUTDOWN_SECONDS = 1.0
_KNOWN_ISSUER: Final = ("expired", "not_yet_valid", "wrong_name")
_WITHOUT_TLS: Final = ("refuse_handshake", "handshake_hang")


class Site(NamedTuple):
    """Where the ports are opened and what they serve, if a client lets them.

    `open_ca` says where the CA is that clients trust; `make_server` makes the vendor API of one
    world. `url_host` is how a URL names `host`.
    """

    host: str
    url_host: str
    names: Sequence[str]
    open_ca: Callable[[], Path]
    make_server: Callable[[Tenant], "WorldServer"]


class WorldServer(WaitingServer):
    """The vendor API of one world; once closed it takes nobody in who was still shaking hands."""

    is_closed = False

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if self.is_closed:
            transport.abort()


class OneWorld(NamedTuple):
    """Finds its world for every call, whosever app and certificate that names."""

    tenant: Tenant

    def find_for(self, appid: int | None, token: str | None) -> Tenant:
        return self.tenant


class TlsPorts:
    """The ports of a server's plans on `tls`; `settle` once plans have come or gone."""

    def __init__(self, tenants: Tenants, site: Site) -> None:
        self._tenants = tenants
        self._site = site
        self._ports: dict[tuple[str, str], _Port] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def find(self, tenant: Tenant, plan: Plan) -> "_Port | None":
        """The port of a plan, if it is open."""
        return self._ports.get((tenant.id, plan.id))

    def open(self, tenant: Tenant, plan: Plan) -> None:
        """Take a port for a plan, in place of what its id had; served from the next `settle` on.

        One with the same step goes on as it is. Raises ConfigError.
        """
        before = self.find(tenant, plan)
        if before is not None and before.tenant is tenant and before.step == plan.steps[0]:
            before.plan = plan
            return
        step = plan.steps[0]
        ca_file = self._site.open_ca() if step.fault in _KNOWN_ISSUER else None
        context = self._open_context(step, ca_file)
        if before is not None and before.number == step.settings.get("port"):
            self._close(before)
        listening = _bind(self._site.host, step.settings.get("port", 0))
        if before is not None:
            self._close(before)
        url = f"https://{self._site.url_host}:{listening.getsockname()[1]}"
        self._ports[tenant.id, plan.id] = _Port(
            tenant, plan, url, ca_file, listening, context, self._site.make_server(tenant)
        )

    async def settle(self) -> None:
        """Serve one port for each plan there is, and close all others."""
        wanted = {
            (tenant.id, plan.id): (tenant, plan)
            for tenant in self._tenants
            if tenant.faults.has("tls")
            for plan in tenant.faults
            if plan.on == "tls"
        }
        for key, port in list(self._ports.items()):
            if wanted.get(key, (None,))[0] is not port.tenant:
                self._close(port)
        for tenant, plan in wanted.values():
            try:
                self.open(tenant, plan)
            except ConfigError as error:
                _LOGGER.warning("Fault %r of world %r: %s", plan.id, tenant.id, error)
                if (before := self.find(tenant, plan)) is not None:
                    self._close(before)  # what it serves is no plan's any more
        for port in list(self._ports.values()):
            await port.serve()

    async def close(self) -> None:
        """Close all of them, connections included."""
        for port in list(self._ports.values()):
            self._close(port)
        if self._endings:
            await asyncio.wait(self._endings)

    def _close(self, port: "_Port") -> None:
        """At once; only the handlers of calls in progress end a little later."""
        self._ports = {key: each for key, each in self._ports.items() if each is not port}
        port.close()
        port.server.pre_shutdown()
        ending = asyncio.ensure_future(port.server.shutdown(_SHUTDOWN_SECONDS))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    def _open_context(self, step: Step, ca_file: Path | None) -> ssl.SSLContext | None:
        if step.fault in _WITHOUT_TLS:
            return None
        from fakerelay.web.bad_certificates import open_context  # slow to import

        folder = CaFolder(ca_file.parent) if ca_file else None
        return open_context(step.fault, step.settings, self._site.names, folder, machine_time())


class _Port:
    """One plan's port: it counts in the plan whoever connects."""

    def __init__(
        self,
        tenant: Tenant,
        plan: Plan,
        url: str,
        ca_file: Path | None,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        server: WorldServer,
    ) -> None:
        self.tenant = tenant
        self.plan = plan
        self.step = plan.steps[0]
        self.url = url
        self.ca_file = ca_file
        self.number: int = listening.getsockname()[1]
        self.server = server
        self._listening = listening
        self._context = context
        self._mutes: set[_Mute] = set()
        self._acceptor: asyncio.Server | None = None
        self._is_served = False

    async def serve(self) -> None:
        """Take connections, if it doesn't already; those that came before have been waiting."""
        if self._is_served:
            return
        self._is_served = True
        loop = asyncio.get_running_loop()
        self._acceptor = await loop.create_server(
            self._greet, sock=self._listening, ssl=self._context
        )
        if self.server.is_closed:
            self._acceptor.close()

    def close(self) -> None:
        self.server.is_closed = True
        if self._acceptor is None:
            self._listening.close()
        else:
            self._acceptor.close()
        served = [each.transport for each in self.server.connections]
        for transport in (*served, *[each.transport for each in self._mutes]):
            if transport is not None:
                transport.abort()

    def _greet(self) -> asyncio.Protocol:
        self.plan.met[0] += 1
        self.tenant.tell_fault(self.plan, self.plan.steps[0], None, self.tenant.clock.now())
        if self._context is None:
            return _Mute(self._mutes, is_rude=self.step.fault == "refuse_handshake")
        return self.server()


class _Mute(asyncio.Protocol):
    """Never answers; a rude one closes at the first word."""

    def __init__(self, open_ones: "set[_Mute]", *, is_rude: bool) -> None:
        self.transport: asyncio.Transport | None = None
        self._open_ones = open_ones
        self._is_rude = is_rude

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open_ones.add(self)

    def data_received(self, data: bytes) -> None:
        if self._is_rude and self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_ones.discard(self)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"Can't listen on {host}:{port}: {error.strerror or error}"
            " (choose another 'port'; 0 takes any free one)"
        ) from error
