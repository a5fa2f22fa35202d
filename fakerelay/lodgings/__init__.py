"""Where a relay lives: on a server of its own, or as a guest on one that it shares.

A guest is one world among others, cheap enough for each test to have its own.
"""

from typing import Any, Protocol

from fakerelay.hosts import Host
from fakerelay.hosts.clients import HostedClient
from fakerelay.inboxes import Inbox
from fakerelay.server import Server
from fakerelay.tenants import Tenant


class Lodging(Protocol):
    """The place of one relay. Opening and closing it raise what `Host` does.

    `strays_after`: calls that nobody on a shared server is named by have numbers above it.
    """

    host: Host
    inbox: Inbox | None
    strays_after: int | None

    @property
    def is_open(self) -> bool: ...

    @property
    def server(self) -> Server:
        """Raises FakerelayError where it isn't open."""

    @property
    def client(self) -> HostedClient:
        """The same one until it is closed. Raises FakerelayError where it isn't open."""

    @property
    def is_made(self) -> bool:
        """Whether its world is there; until then nobody can have asked anything of it."""

    @property
    def world(self) -> Tenant:
        """Waits for it. Raises FakerelayError where it isn't open, or waiting would be in vain."""

    @property
    def world_id(self) -> str:
        """Raises FakerelayError where it isn't open."""

    def use(self) -> None:
        """Whoever is about to ask anything of its inbox or its world."""

    def bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a verb, kept to this world where they name no other."""

    def open(self) -> None: ...

    async def aopen(self) -> None: ...

    def close(self) -> None: ...

    async def aclose(self) -> None: ...
