"""A relay that is a world on the server of others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakerelay.control.verbs import find_verb
from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.hosts import Host
from fakerelay.hosts.clients import HostedClient
from fakerelay.hosts.errands import NOT_RUNNING, RUNS_ALREADY, WAS_CLOSED
from fakerelay.inboxes import Inbox
from fakerelay.lodgings.clients import make_client
from fakerelay.lodgings.stays import Stay, begin_stay
from fakerelay.server import Server
from fakerelay.tenants import Tenant
from fakerelay.wants import Wanted


class Guest:
    """A world of its own on the server of a host that runs already.

    What `open` can't be refused is asked for and not waited for: the host does it once anybody
    looks for the world, and never if nobody does before it is closed.
    """

    def __init__(self, host: Host, wanted: Wanted) -> None:
        for name in ("seed", "snapshot"):
            if getattr(wanted, name) is not None:
                raise ConfigError(
                    f"Can't use {name} on the server of others: it needs a server of its own;"
                    " leave server out"
                )
        self._wanted = wanted
        self._lock = threading.Lock()
        self._stay: Stay | None = None
        self._was_open = False
        self.strays_after: int | None = None
        self.host = host
        self.inbox: Inbox | None = None

    @property
    def is_open(self) -> bool:
        stay = self._stay
        return stay is not None and self.host.runs(stay.server)

    @property
    def server(self) -> Server:
        return self._find_stay().server

    @property
    def client(self) -> HostedClient:
        with self._lock:
            stay = self._use()
            if stay.client is None:
                stay.client = make_client(self.host, stay.server, self._wanted)
            return stay.client

    @property
    def is_made(self) -> bool:
        stay = self._stay
        return stay is not None and stay.opening.done()

    @property
    def world(self) -> Tenant:
        with self._lock:
            opening = self._use().opening
        return self.host.wait_for(opening)

    @property
    def world_id(self) -> str:
        return self._find_stay().world_id

    def use(self) -> None:
        with self._lock:
            if self._stay is not None:
                self._stay.is_used = True

    def bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            world_id = self._use().world_id
        if "world" in parameters or "all" in parameters or "world" not in find_verb(verb).query:
            return parameters
        return {**parameters, "world": world_id}

    def open(self) -> None:
        stay = self._begin()
        if not self._wanted.is_sure:
            try:
                self.host.wait_for(stay.opening)
            except BaseException:
                self._leave(stay)
                raise
        self._was_open = True

    async def aopen(self) -> None:
        stay = self._begin(is_awaited=True)
        try:
            await self.host.await_for(stay.opening)
        except BaseException:
            await self._aleave(stay)
            raise
        self._was_open = True

    def close(self) -> None:
        stay = self._stay
        if stay is not None and not self._call_off(stay):
            self._leave(stay)

    async def aclose(self) -> None:
        stay = self._stay
        if stay is not None and not self._call_off(stay):
            await self._aleave(stay)

    def _use(self) -> Stay:
        """From now on it takes the host's loop to end it."""
        stay = self._find_stay()
        stay.is_used = True
        return stay

    def _find_stay(self) -> Stay:
        stay = self._stay
        if stay is not None and self.host.runs(stay.server):
            return stay
        raise FakerelayError(WAS_CLOSED if self._was_open else NOT_RUNNING)

    def _begin(self, *, is_awaited: bool = False) -> Stay:
        """Raises ConfigError, and FakerelayError where another one has begun."""
        with self._lock:
            if self.is_open:
                raise FakerelayError(RUNS_ALREADY)
            stay = self._stay = begin_stay(self.host, self._wanted, is_awaited=is_awaited)
            self.inbox = stay.inbox
            self.strays_after = stay.server.tenants.default.journal.newest
            return stay

    def _call_off(self, stay: Stay) -> bool:
        """Whether it has ended, since it never really began: nobody had to wait for the host."""
        if self.host.is_elsewhere:
            return False
        with self._lock:
            if self._stay is not stay or stay.is_used or not self.host.call_off(stay.opening):
                return False
            if stay.inbox is not None and not self.host.receiver.close_untouched(stay.inbox):
                return False
            self._stay = None
            return True

    def _leave(self, stay: Stay) -> None:
        with self._leaving(stay) as is_near:
            if is_near:
                self.host.run(self._end(stay), is_quick=True)

    async def _aleave(self, stay: Stay) -> None:
        with self._leaving(stay) as is_near:
            if is_near:
                await self.host.await_for(self.host.begin(self._end(stay), is_awaited=True))

    @contextmanager
    def _leaving(self, stay: Stay) -> Iterator[bool]:
        """Whether there is anything to end in this process, for whoever does so."""
        is_near = not self.host.is_elsewhere
        if not is_near:
            self._stay = None
        try:
            yield is_near
        except FakerelayError:
            if self.host.runs(stay.server):  # else it ends, and with it all that it has
                raise

    async def _end(self, stay: Stay) -> None:
        if self._stay is stay:
            self._stay = None
            await stay.end(self.host)
