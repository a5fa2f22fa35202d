"""Where a relay lives: on a server of its own, or as a guest on one that it shares.

A guest is one world among others, cheap enough for each test to have its own.
"""

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from os import PathLike
from pathlib import Path
from typing import Any, Final, Protocol

from fakerelay.clock import WorldClock
from fakerelay.config import AppConfig, Config
from fakerelay.control.callback_urls import explain_url
from fakerelay.control.verbs import find_verb
from fakerelay.core.model import App, Certificate
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.hosts import NOT_RUNNING, RUNS_ALREADY, WAS_CLOSED, Host, HostedClient
from fakerelay.inboxes import Inbox, Receiver
from fakerelay.ports import ClockMode
from fakerelay.profiles import open_profile
from fakerelay.server import Server
from fakerelay.targets import check_callback_url
from fakerelay.tenants import Tenant

_NAME_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a world is to be; None leaves it as it is usual.

    `is_received`: by an inbox here. `is_sole`: nobody else can have its appid.
    """

    app: AppConfig
    is_received: bool
    is_sole: bool = False
    profile: str | None = None
    settings: Mapping[str, object] | None = None
    clock: ClockMode | None = None
    now: float | None = None
    faults: Sequence[Mapping[str, Any]] = ()
    tls: bool = False
    seed: int | None = None
    snapshot: Mapping[str, Any] | Path | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for what is of another type, and for a URL that is none."""
        if not isinstance(self.tls, bool):
            raise ConfigError(f"Can't use tls={self.tls!r}: expected True or False")
        if self.seed is not None and not is_whole(self.seed):
            raise ConfigError(f"Can't use seed={self.seed!r}: expected a whole number")
        if self.app.callback_url is not None:
            _check_callback_url(self.app.callback_url)


_EXPECTED: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "server": ((Host,), "a Host, as fakerelay_server is"),
    "certificate_id": ((str,), "text"),
    "certificate_key": ((str,), "text"),
    "profile": ((str, PathLike), "a name, or the path of a file"),
    "settings": ((Mapping,), "a dict of keys of the profile"),
    "snapshot": ((Mapping, str, PathLike), "a snapshot, or the path of its file"),
    "clock": ((str,), "'real' or 'frozen'"),
    "faults": ((list, tuple), "a list of fault plans"),
}


def check_types(**given: object) -> None:
    """Raises ConfigError for what is of another type, and never shows a key; None is left out."""
    for name, value in given.items():
        types, wanted = _EXPECTED[name]
        if value is not None and not isinstance(value, types):
            shown = "" if name == "certificate_key" else f"={value!r}"
            raise ConfigError(f"Can't use {name}{shown}: expected {wanted}")


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_callback_url(url: object) -> None:
    if not isinstance(url, str):
        raise ConfigError(f"Can't use callback_url={url!r}: expected a URL as text, or None")
    try:
        check_callback_url(url)
    except ConfigError:
        raise ConfigError(explain_url(url)) from None


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
        self._client = _make_client(self.host, self.server, self._wanted)

    async def aopen(self) -> None:
        await self.host.aopen()
        self._client = _make_client(self.host, self.server, self._wanted)

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


@dataclass(slots=True, eq=False)
class _Stay:
    """From one opening to the closing after it: what that has to end.

    Unless it `is_used`, nothing was done with it that the host's loop knows of.
    """

    server: Server
    world_id: str
    inbox: Inbox | None
    opening: Future[Tenant]
    client: HostedClient | None = None
    is_used: bool = False


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
        self._stay: _Stay | None = None
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
                stay.client = _make_client(self.host, stay.server, self._wanted)
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
        if not self._is_sure:
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
        if stay is not None and not self._take_back(stay):
            self._leave(stay)

    async def aclose(self) -> None:
        stay = self._stay
        if stay is not None and not self._take_back(stay):
            await self._aleave(stay)

    @property
    def _is_sure(self) -> bool:
        """Whether making it can't be refused."""
        return self._wanted.is_sole and not self._wanted.faults

    def _use(self) -> _Stay:
        """From now on it takes the host's loop to end it."""
        stay = self._find_stay()
        stay.is_used = True
        return stay

    def _find_stay(self) -> _Stay:
        stay = self._stay
        if stay is not None and self.host.runs(stay.server):
            return stay
        raise FakerelayError(WAS_CLOSED if self._was_open else NOT_RUNNING)

    def _begin(self, *, is_awaited: bool = False) -> _Stay:
        """Raises ConfigError, and FakerelayError where another one has begun."""
        with self._lock:
            if self.is_open:
                raise FakerelayError(RUNS_ALREADY)
            server, receiver = self.host.server, self.host.receiver
            profile, clock = self._prepare(server)
            world_id = server.tenants.make_name(_NAME_BYTES)
            inbox, url = None, self._wanted.app.callback_url
            if self._wanted.is_received:
                inbox = receiver.open_inbox(f"{self._wanted.app.appid}-{world_id}")
                url = inbox.url
            make = partial(self._make, server, world_id, url, profile, clock)
            try:
                if self._is_sure and not is_awaited:
                    opening = self.host.ask(make)
                else:
                    opening = self.host.begin(make(), is_awaited=is_awaited)
            except BaseException:
                if inbox is not None:
                    receiver.close_inbox(inbox)  # which nobody has been told of
                raise
            self.strays_after = server.tenants.default.journal.newest
            self.inbox, self._stay = inbox, _Stay(server, world_id, inbox, opening)
            return self._stay

    def _prepare(self, server: Server) -> tuple[Profile, WorldClock]:
        """All that can be refused is made before it is begun. Raises ConfigError."""
        if self._wanted.tls and server.tls_files.ca_file is None:
            raise ConfigError(
                "Can't use tls=True on this server: it speaks plain HTTP only; leave server out,"
                " or share one that was opened with TLS"
            )
        profile = _choose_profile(server.tenants.default.service.profile, self._wanted)
        return profile, server.tenants.start.open_clock(self._wanted.clock, self._wanted.now)

    async def _make(
        self, server: Server, world_id: str, url: str | None, profile: Profile, clock: WorldClock
    ) -> Tenant:
        tenant = server.tenants.create(world_id, clock)
        tenant.service.profile = profile
        await _furnish(server, tenant, self._wanted, url)
        return tenant

    def _take_back(self, stay: _Stay) -> bool:
        """Whether it has ended, since it never really began: nobody had to wait for the host."""
        if self.host.is_elsewhere:
            return False
        with self._lock:
            if self._stay is not stay or stay.is_used or not self.host.take_back(stay.opening):
                return False
            if stay.inbox is not None and not self.host.receiver.take_back(stay.inbox):
                return False
            self._stay = None
            return True

    def _leave(self, stay: _Stay) -> None:
        if self.host.is_elsewhere:
            self._stay = None
            return
        try:
            self.host.run(self._end(stay), is_quick=True)
        except FakerelayError:
            if self.host.runs(stay.server):  # else it ends, and with it all that it has
                raise

    async def _aleave(self, stay: _Stay) -> None:
        if self.host.is_elsewhere:
            self._stay = None
            return
        try:
            await self.host.await_for(self.host.begin(self._end(stay), is_awaited=True))
        except FakerelayError:
            if self.host.runs(stay.server):  # else it ends, and with it all that it has
                raise

    async def _end(self, stay: _Stay) -> None:
        """Forget all there is; first the inbox, so that nothing hangs there any more."""
        if self._stay is not stay:
            return
        self._stay = None
        if stay.inbox is not None:
            self.host.receiver.close_inbox(stay.inbox)
        if stay.client is not None:
            await stay.client.end()
        self.host.take_back(stay.opening)  # nobody looked, though somebody was about to
        if not stay.opening.done():
            await asyncio.wait([asyncio.wrap_future(stay.opening)])
        if not stay.opening.cancelled() and stay.opening.exception() is None:
            await stay.server.drop_world(stay.opening.result())


def _make_client(host: Host, server: Server, wanted: Wanted) -> HostedClient:
    return HostedClient(
        host,
        find_url(server, is_tls=wanted.tls),
        wanted.app.appid,
        wanted.app.certificate_id,
        wanted.app.certificate_key,
        ca_file=server.tls_files.ca_file if wanted.tls else None,
    )


def find_url(server: Server, *, is_tls: bool) -> str:
    """The vendor API of a relay."""
    return server.url if is_tls else (server.http_url or "")


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


def _choose_profile(usual: Profile, wanted: Wanted) -> Profile:
    if wanted.profile is None and not wanted.settings:
        return usual
    try:
        settings = json.dumps(wanted.settings or {}, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Can't use settings: {error}; write plain JSON values") from error
    source = usual.name if wanted.profile is None else wanted.profile
    return _open_profile(source, _read_if_file(source), settings)


def _read_if_file(source: str) -> bytes | None:
    """None for a shipped name, and for what `open_profile` says is wrong."""
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _open_profile(source: str, content: bytes | None, settings: str) -> Profile:
    """Many tests want the same one, and its making costs more than all else.

    `content` tells a file from what it was before, or from another of that name elsewhere.
    """
    return open_profile(source, json.loads(settings))
