"""Where a relay lives: on a server of its own, or as a guest on one that it shares.

A guest is one world among others, cheap enough for each test to have its own.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
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
from fakerelay.hosts import NOT_RUNNING, WAS_CLOSED, Host
from fakerelay.inboxes import Inbox, Receiver
from fakerelay.ports import ClockMode
from fakerelay.profiles import open_profile
from fakerelay.server import Server
from fakerelay.targets import check_callback_url
from fakerelay.tenants import Tenant


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
    def is_untouched(self) -> bool:
        """Whether it is open, and nobody can have asked anything of it."""

    @property
    def world(self) -> Tenant:
        """Raises FakerelayError where it isn't open."""

    def check_open(self) -> None:
        """Raises FakerelayError where it isn't open."""

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
        self.strays_after: int | None = None
        self.host = Host(self._make_config)
        self.inbox: Inbox | None = None

    @property
    def is_open(self) -> bool:
        return self.host.is_running

    @property
    def is_untouched(self) -> bool:
        return False

    @property
    def world(self) -> Tenant:
        return self.host.server.tenants.default

    def check_open(self) -> None:
        self.host.server  # noqa: B018  # says so where it isn't

    def bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Other worlds on it are its relay's too."""
        return parameters

    def open(self) -> None:
        self.host.open()

    async def aopen(self) -> None:
        await self.host.aopen()

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


class Guest:
    """A world of its own on the server of a host that runs already.

    What `open` can't be refused is asked for and not waited for: the host does it before it looks
    at any call that comes later. Whoever wants to see the world waits for it.
    """

    def __init__(self, host: Host, wanted: Wanted) -> None:
        for name in ("seed", "snapshot"):
            if getattr(wanted, name) is not None:
                raise ConfigError(
                    f"Can't use {name} on the server of others: it needs a server of its own;"
                    " leave server out"
                )
        self._wanted = wanted
        self._tenant: Tenant | None = None
        self._opening: Future[None] | None = None
        self._was_closed = False
        self.strays_after: int | None = None
        self.host = host
        self.inbox: Inbox | None = None

    @property
    def is_open(self) -> bool:
        return self._is_begun and self.host.is_running

    @property
    def is_untouched(self) -> bool:
        return self.is_open and self._tenant is None

    @property
    def world(self) -> Tenant:
        self._wait()
        if self._tenant is None:
            raise FakerelayError(self._absence)
        return self._tenant

    def check_open(self) -> None:
        if not self._is_begun:
            raise FakerelayError(self._absence)

    def bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if "world" in parameters or "all" in parameters or "world" not in find_verb(verb).query:
            return parameters
        return {**parameters, "world": self.world.id}

    def open(self) -> None:
        made = self._prepare()
        try:
            if self._wanted.is_sole and not self._wanted.faults:
                self._opening = self.host.begin(self._begin(*made))
            else:
                self.host.run(self._begin(*made), is_quick=not self._wanted.faults)
        except BaseException:
            self.close()
            raise

    async def aopen(self) -> None:
        made = self._prepare()
        try:
            await self.host.arun(self._begin(*made))
        except BaseException:
            await self.aclose()
            raise

    def close(self) -> None:
        if self.host.is_running:
            self.host.run(self._end(), is_quick=True)

    async def aclose(self) -> None:
        if self.host.is_running:
            await self.host.arun(self._end())

    @property
    def _is_begun(self) -> bool:
        return self._tenant is not None or self._opening is not None

    @property
    def _absence(self) -> str:
        return WAS_CLOSED if self._was_closed else NOT_RUNNING

    def _wait(self) -> None:
        opening = self._opening
        if opening is not None and self._tenant is None:
            self.host.wait(opening)

    def _prepare(self) -> tuple[AppConfig, Profile, WorldClock]:
        """All that can be refused is made before it is begun. Raises ConfigError."""
        server, app = self.host.server, self._wanted.app
        if self._wanted.tls and server.tls_files.ca_file is None:
            raise ConfigError(
                "Can't use tls=True on this server: it speaks plain HTTP only; leave server out,"
                " or share one that was opened with TLS"
            )
        profile = _choose_profile(server.tenants.default.service.profile, self._wanted)
        clock = server.tenants.start.open_clock(self._wanted.clock, self._wanted.now)
        if self._wanted.is_received:
            name = f"{app.appid}-{secrets.token_hex(4)}"
            self.inbox = self.host.receiver.open_inbox(name)
            app = replace(app, callback_url=self.inbox.url)
        return app, profile, clock

    async def _begin(self, app: AppConfig, profile: Profile, clock: WorldClock) -> None:
        server = self.host.server
        self._tenant = await _open_world(server, app, self._wanted.faults, profile, clock)
        self.strays_after = server.tenants.default.journal.newest

    async def _end(self) -> None:
        """Forget all there is; first the inbox, so that nothing hangs there any more."""
        self._was_closed = self._was_closed or self._is_begun
        tenant, self._tenant, self._opening = self._tenant, None, None
        if self.inbox is not None:
            self.host.receiver.close_inbox(self.inbox)
        if tenant is not None:
            await self.host.server.drop_world(tenant)


async def _open_world(
    server: Server,
    app: AppConfig,
    faults: Sequence[Mapping[str, Any]],
    profile: Profile,
    clock: WorldClock,
) -> Tenant:
    """Make a world with an app and the certificate that opens it, or nothing at all.

    Raises ConfigError.
    """
    tenants = server.tenants
    tenant = tenants.create(clock=clock)
    tenant.service.profile = profile
    account = app.certificate_id
    try:
        await tenants.put_account(
            tenant,
            App(app.appid, account, app.callback_url),
            Certificate(app.certificate_id, app.certificate_key, account),
        )
        if faults:
            server.add_faults(tenant, faults, "the plans in faults")
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
