"""The wiring: builds worlds, sockets and timers from a `Config`, and takes them down again."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from aiohttp import web

from fakerelay.clock import REAL, Start, machine_time
from fakerelay.config import AppConfig, Config
from fakerelay.control.access import Access, check_binding, is_loopback
from fakerelay.control.local import LocalControl
from fakerelay.control.plane import Plane
from fakerelay.control.routes import build_application
from fakerelay.control.snapshots import load_snapshot
from fakerelay.core.model import App, Certificate
from fakerelay.delivery import Notification
from fakerelay.errors import ConfigError, nearest
from fakerelay.faults import check_plans
from fakerelay.ids import RandomIds, SeededIds
from fakerelay.journal import Exchange
from fakerelay.listening import (
    PROTOCOL_LOGGER,
    Listeners,
    make_vendor_runner,
    make_vendor_server,
    name_host,
)
from fakerelay.ports import IdSource
from fakerelay.profiles import open_profile
from fakerelay.sender import HttpSender
from fakerelay.stores import open_store
from fakerelay.targets import check_callback_url
from fakerelay.tenants import Parts, Tenant, Tenants
from fakerelay.web.app import VendorApi
from fakerelay.web.tls import NAMES, Tls, TlsFiles, open_tls
from fakerelay.web.tls_ports import OneWorld, Site, TlsPorts, WorldServer

_TLS_CHECK_SECONDS = 3600.0
_GRACE_SECONDS = 2.0
_LEAST_GRACE_SECONDS = 0.5
# Lists that are waited for don't end by themselves, and all else is quick.
_CONTROL_SHUTDOWN_SECONDS = 0.1
_SEEDED_START = 1767225600.0  # 2026-01-01T00:00:00Z
_LARGE_BLOCK_BYTES = 8 * 1024 * 1024

_LOGGER = logging.getLogger("fakerelay")


class Server:
    """The vendor API and the control plane on ports of their own; `start`, then `close`."""

    def __init__(
        self,
        config: Config,
        *,
        on_exchange: Callable[[Exchange], None] | None = None,
        on_failed: Callable[[Notification], None] | None = None,
    ) -> None:
        self.config = config
        self.apps: Sequence[AppConfig] = config.apps
        self._sender = HttpSender(config.callback_allow, config.callback_ca)
        self.tenants = Tenants(
            Parts(
                make_store=partial(open_store, config.state),
                start=_find_start(config),
                make_ids=_choose_ids(config.seed),
                sender=self._sender,
                profile=open_profile(config.profile, config.settings),
                journal_size=config.journal_size,
                random=SystemRandom() if config.seed is None else Random(config.seed),
                on_failed=on_failed,
                magic_addresses=config.magic_addresses,
            )
        )
        self._on_exchange = on_exchange
        self._tls_ports = TlsPorts(
            self.tenants,
            Site(
                config.host,
                name_host(config.host),
                (*NAMES, *config.tls_name),
                self._open_ca,
                self._make_world_server,
            ),
        )
        self._tls: Tls | None = None
        self._tls_timer: asyncio.TimerHandle | None = None
        self._listeners = Listeners(config)
        self.url = ""
        self.http_url: str | None = None
        self.control_url: str | None = None
        self.control = LocalControl(
            Plane(self.tenants, state=config.state, tls_ports=self._tls_ports)
        )

    @property
    def tls_files(self) -> TlsFiles:
        return self._tls.files if self._tls else TlsFiles()

    @property
    def _is_wide(self) -> bool:
        """Whether others than this machine reach the control plane, which then speaks TLS."""
        config = self.config
        return config.control_port is not None and not is_loopback(config.control_host)

    async def start(self) -> None:
        """Open every port, or none. Raises `ConfigError`."""
        try:
            await self._start()
        except BaseException:
            await self.close(grace_seconds=0)
            raise

    async def close(self, *, grace_seconds: float = _GRACE_SECONDS) -> list[Notification]:
        """Stop answering, give pending callbacks a grace, and say which were not delivered.

        The grace begins at once, and a little of it is left for what the last requests caused.
        """
        if self._tls_timer is not None:
            self._tls_timer.cancel()
        self.tenants.feed.close()
        began_at = time.monotonic()
        await asyncio.gather(self._tls_ports.close(), self._listeners.close())
        left = began_at + grace_seconds - time.monotonic()
        least = min(grace_seconds, _LEAST_GRACE_SECONDS)
        undelivered = await self.tenants.close(max(left, least))
        await self._sender.close()
        return undelivered

    async def _start(self) -> None:
        config = self.config
        if config.control_port is not None:
            check_binding(config.control_host, config.control_token)
        if config.no_tls and (config.tls_cert or config.tls_key) and not self._is_wide:
            raise ConfigError(
                "A TLS certificate is of no use with --no-tls; leave out --tls-cert and --tls-key,"
                " or give --tls and, for plain HTTP besides, --http-port"
            )
        for app in config.apps:
            await self._add_app(app)
        if config.snapshot is not None:
            self.apps = await load_snapshot(self.control.call, self.tenants, config)
        self.add_faults(self.tenants.default, config.faults)
        api = VendorApi(self.tenants, explain=config.explain, on_exchange=self._on_exchange)
        if not config.no_tls:
            self._open_tls()
        context = self._tls.context if self._tls else None
        runner = make_vendor_runner(api)
        self.url = await self._listeners.listen(runner, config.host, config.port, "port", context)
        if config.http_port is not None:
            self.http_url = await self._listeners.listen(
                make_vendor_runner(api), config.host, config.http_port, "http-port"
            )
        elif config.no_tls:
            self.http_url = self.url
        await self.open_fault_ports(self.tenants.default)
        await self._start_control()

    async def _start_control(self) -> None:
        """Last, since it tells where the vendor API is; beyond loopback it speaks TLS."""
        config = self.config
        if self._is_wide and self._tls is None:
            self._open_tls()
        plane = Plane(
            self.tenants,
            config.state,
            self.url,
            self.http_url,
            self.tls_files.ca_file,
            is_guarded=config.control_token is not None,
            tls_ports=self._tls_ports,
        )
        self.control = LocalControl(plane)
        if config.control_port is None:
            return
        access = Access(config.allow_host, config.control_token)
        runner = web.AppRunner(
            build_application(self.control, access),
            access_log=None,
            handler_cancellation=True,
            logger=PROTOCOL_LOGGER,
            shutdown_timeout=_CONTROL_SHUTDOWN_SECONDS,
        )
        context = self._tls.context if self._tls and self._is_wide else None
        self.control_url = await self._listeners.listen(
            runner, config.control_host, config.control_port, "control-port", context
        )

    async def _add_app(self, app: AppConfig) -> None:
        if app.callback_url is not None:
            check_callback_url(app.callback_url)
        account = app.certificate_id
        await self.tenants.put_account(
            self.tenants.default,
            App(app.appid, account, app.callback_url, tuple(app.live_rooms.items())),
            Certificate(app.certificate_id, app.certificate_key, account),
        )

    def add_faults(
        self, tenant: Tenant, faults: Sequence[Mapping[str, Any]], origin: str = "the configuration"
    ) -> None:
        """Give a world the plans that it begins with. Raises ConfigError, with nothing done."""
        plans = check_plans(faults, origin)
        appids = [app.appid for app in tenant.service.view.apps()]
        for plan in plans:
            appid = plan.get("appid")
            if appid is not None and appid not in appids:
                hint = nearest(str(appid), map(str, appids))
                raise ConfigError(
                    f"Fault {plan['id']!r} is for app {appid}, which isn't served{hint}"
                )
        tenant.first_faults = plans
        tenant.begin_faults()

    async def open_fault_ports(self, tenant: Tenant) -> None:
        """Open the ports of a world's plans on `tls`, as far as they aren't. Raises ConfigError."""
        plans = [plan for plan in tenant.faults if plan.on == "tls"]
        for plan in plans:
            self._tls_ports.open(tenant, plan)
        if plans:
            await self._tls_ports.settle()

    async def drop_world(self, tenant: Tenant) -> None:
        """Forget a world with all it holds; returns when nothing of it is in flight any more."""
        had_ports = tenant.faults.has("tls")
        await self.tenants.drop(tenant)
        await self.tenants.let_end()
        if had_ports:
            await self._tls_ports.settle()

    def _open_tls(self) -> None:
        config = self.config
        self._tls = open_tls(
            config.ca_dir,
            config.tls_name,
            config.tls_cert,
            config.tls_key,
            now=machine_time(),
        )
        self._watch_tls()

    def _open_ca(self) -> Path:
        """The CA that clients trust; without TLS, or with the user's own, it has to be made."""
        config = self.config
        ca_file = self.tls_files.ca_file
        if ca_file is None:
            ca_file = open_tls(config.ca_dir, config.tls_name, now=machine_time()).files.ca_file
        assert ca_file is not None
        return ca_file

    def _make_world_server(self, tenant: Tenant) -> WorldServer:
        world = OneWorld(tenant)
        api = VendorApi(world, explain=self.config.explain, on_exchange=self._on_exchange)
        return make_vendor_server(api, WorldServer)

    def _watch_tls(self) -> None:
        """Look after the certificate now and then; one that can't be renewed goes on being used."""
        loop = asyncio.get_running_loop()
        self._tls_timer = loop.call_later(_TLS_CHECK_SECONDS, self._renew_tls)

    def _renew_tls(self) -> None:
        assert self._tls is not None
        try:
            self._tls.ensure_fresh(machine_time())
        except ConfigError as error:
            _LOGGER.warning("%s", error)
        self._watch_tls()


def tune_process() -> None:
    """Make the most of a process that does nothing but serve; nothing for one that is a guest.

    What worlds keep is bounded and has hardly a cycle, so that it is looked through seldom. And
    asyncio reads into a fresh 256 KiB each time, which glibc would map and unmap: it stops once
    it has seen a larger block come and go.
    """
    gc.freeze()
    gc.set_threshold(5_000, 20, 100)
    bytearray(_LARGE_BLOCK_BYTES)


def _find_start(config: Config) -> Start:
    """Runs of one seed are to be the same, so their frozen clocks begin at the same time."""
    if config.now is not None and config.clock == REAL:
        raise ConfigError(
            f"A real clock can't begin at {config.now!r}; give --clock frozen, or leave out --now"
        )
    if config.now is None and config.seed is not None:
        return Start(config.clock, _SEEDED_START)
    return Start(config.clock, config.now)


def _choose_ids(seed: int | None) -> Callable[[str], IdSource]:
    """Seeded ones are each world's own, so that none depends on what another one does."""
    if seed is None:
        ids = RandomIds()
        return lambda world_id: ids
    return lambda world_id: SeededIds(f"{seed}/{world_id}")
