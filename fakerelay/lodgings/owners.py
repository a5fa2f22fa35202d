"""A relay that has a server of its own."""

from dataclasses import replace
from typing import Any

from fakerelay.config import Config
from fakerelay.errors import FakerelayError
from fakerelay.hosts import Host
from fakerelay.hosts.clients import HostedClient
from fakerelay.hosts.errands import NOT_RUNNING, WAS_CLOSED
from fakerelay.inboxes import Inbox, Receiver
from fakerelay.lodgings.clients import make_client
from fakerelay.server import Server
from fakerelay.tenants import Tenant
from fakerelay.wants import Wanted


class OwnServer:
    """A server for one relay, whose world is the default one."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._client: HostedClient | None = None
        self.strays_after: int | None = None
        self.host = Host(self._make_config)
        self.inbox: Inbox | None = None

    @property
    def is_open(self) -> bool:
        return self.host.is_running

    @property
    def server(self) -> Server:
        return self.host.server

    @property
    def client(self) -> HostedClient:
        client = self._client
        if client is None or not self.is_open:
            raise FakerelayError(NOT_RUNNING if client is None else WAS_CLOSED)
        return client

    @property
    def is_made(self) -> bool:
        return self.is_open

    @property
    def world(self) -> Tenant:
        return self.server.tenants.default

    @property
    def world_id(self) -> str:
        return self.world.id

    def use(self) -> None:
        """It has begun already."""

    def bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Other worlds on it are its relay's too."""
        return parameters

    def open(self) -> None:
        self.host.open()
        self._client = make_client(self.host, self.server, self._wanted)

    async def aopen(self) -> None:
        await self.host.aopen()
        self._client = make_client(self.host, self.server, self._wanted)

    def close(self) -> None:
        self.host.close()

    async def aclose(self) -> None:
        await self.host.aclose()

    def _make_config(self, receiver: Receiver) -> Config:
        wanted = self._wanted
        app = wanted.app
        if wanted.is_received:
            self.inbox = receiver.open_inbox("relay")
            app = replace(app, callback_url=self.inbox.url)
        return Config(
            port=0,
            http_port=0 if wanted.tls else None,
            control_port=0,
            no_tls=not wanted.tls,
            apps=(app,),
            profile="default" if wanted.profile is None else wanted.profile,
            settings=wanted.settings or {},
            snapshot=wanted.snapshot,
            clock="real" if wanted.clock is None else wanted.clock,
            now=wanted.now,
            seed=wanted.seed,
            faults=tuple(wanted.faults),
        )
