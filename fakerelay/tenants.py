"""The worlds of one server: each with a state, clock, journal and callbacks of its own.

An appid belongs to one world, so the path of a request finds it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from itertools import chain
from random import Random
from typing import Any, NamedTuple, TypeVar

from fakerelay.arrivals import Arrivals
from fakerelay.cdn import Cdn
from fakerelay.clock import Start, WorldClock
from fakerelay.core.certificates import read_token
from fakerelay.core.commands import PutApp, PutCertificate, RemoveApp, ResetApp, RestoreWorld
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import Plan, Plans, Step, Subject
from fakerelay.core.model import App, Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted
from fakerelay.core.world import World
from fakerelay.delivery import Delivery, Notification
from fakerelay.errors import ConfigError
from fakerelay.faults import read_plan
from fakerelay.feed import Feed, find_silent
from fakerelay.journal import Exchange, Journal
from fakerelay.metrics import CallCounts
from fakerelay.ports import IdSource, OpenGate, Sender, Store
from fakerelay.service import Service
from fakerelay.watch import Watch

T = TypeVar("T")

DEFAULT_WORLD = "default"
_MOST_RANDOM_APPID = 2**53


class Parts(NamedTuple):
    """What every world of a server is made of; `make_*` are called once per world.

    `random` makes up the names of worlds, apps and certificates.
    """

    make_store: Callable[[], Store]
    start: Start
    make_ids: Callable[[str], IdSource]
    sender: Sender
    profile: Profile
    journal_size: int
    random: Random
    on_failed: Callable[[Notification], None] | None = None
    magic_addresses: bool = True


class Tenant:
    """One world: service, CDN, journal and delivery around one store and one clock."""

    def __init__(self, world_id: str, parts: Parts, clock: WorldClock, feed: Feed) -> None:
        self.id = world_id
        self.ids = parts.make_ids(world_id)
        self.clock = clock
        self.feed = feed
        self.call_counts = CallCounts()
        self.fault_counts: Counter[str] = Counter()
        self.faults = Plans(on_taken=self.tell_fault)
        self.first_faults: Sequence[Mapping[str, Any]] = ()
        self.held_calls: dict[Callable[[], None], int] = {}
        self.journal = Journal(parts.journal_size, on_added=self._tell_call)
        self.delivery = Delivery(
            self.clock,
            self.ids,
            parts.sender,
            parts.journal_size,
            plans=self.faults,
            on_told=self._tell_callback,
            on_failed=parts.on_failed,
        )
        self.service = Service(parts.make_store(), self.clock, parts.profile, self._emit)
        self.cdn = Cdn(self.service, self.clock, self.faults, has_magic=parts.magic_addresses)
        self.service.network = self.cdn
        self.service.on_accepted = self._tell_pushes

    def begin_faults(self, appid: int | None = None) -> None:
        """Have the plans again that the world begins with: all, or those for one app only."""
        for data in self.first_faults:
            if appid in (None, data.get("appid")):
                self.faults.add(read_plan(data, data["id"], self.clock.now()))

    def let_go(self, appid: int | None = None) -> None:
        """End the calls that are held until a time comes, all or one app's, with nothing done.

        `held_calls` has what ends each, with its appid; one that has ended is none of them.
        """
        for end, owner in list(self.held_calls.items()):
            if appid in (None, owner):
                del self.held_calls[end]
                end()

    def _emit(
        self, events: Sequence[PushStatusChanged], at: float, profile: Profile
    ) -> OpenGate | None:
        app = self.service.view.app(events[0].key[0])
        if app is None or app.callback_url is None:
            return None
        return self.delivery.emit(events, app.callback_url, at, profile.callback)

    def _tell_pushes(self, decision: Accepted, at: float) -> None:
        if not self.feed.is_warm:
            self.feed.number += len(decision.events)
            return
        for event in (*decision.events, *find_silent(decision.changes)):
            self.feed.tell("push", self, at, event.key[0], event)

    def _tell_call(self, exchange: Exchange) -> None:
        self.call_counts.count(exchange.operation, exchange.code, exchange.duration_seconds)
        if not self.feed.is_warm:
            self.feed.number += 1
            return
        self.feed.tell("call", self, exchange.at, exchange.appid, exchange)

    def _tell_callback(self, notification: Notification) -> None:
        """It goes on changing, so what is told is how it stands now."""
        if not self.feed.is_warm:
            self.feed.number += 1
            return
        appid, now = notification.appid, self.clock.now()
        self.feed.tell("callback", self, now, appid, copy(notification))

    def tell_fault(self, plan: Plan, step: Step, subject: Subject | None, at: float) -> None:
        """Let others know of a fault that acted; on a connection, there is no subject."""
        self.fault_counts[step.fault] += 1
        appid = plan.match.appid if subject is None else subject.appid
        self.feed.tell("fault", self, at, appid, (plan, step, subject))


class Tenants:
    """Finds the world of an appid; worlds come and go while the server runs.

    `watch` wakes when one does. Those that wait in `arrivals` are let in for whoever looks.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.start = parts.start
        self._by_id: dict[str, Tenant] = {}
        self._by_appid: dict[int, Tenant] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self.arrivals = Arrivals()
        self.watch = Watch()
        self.feed = Feed()
        self.default = self.create(DEFAULT_WORLD)

    def __iter__(self) -> Iterator[Tenant]:
        self.arrivals.let_in()
        return iter(list(self._by_id.values()))

    def find(self, appid: int) -> Tenant | None:
        """The world an appid belongs to."""
        return self._by_appid.get(appid) or self._let_in(self._by_appid).get(appid)

    def find_for(self, appid: int | None, token: str | None) -> Tenant:
        """The world that answers a request: the appid's, or the certificate's, or the default."""
        if appid is None:
            return self.default
        return self.find(appid) or self._find_issuer(token) or self.default

    def _find_issuer(self, token: str | None) -> Tenant | None:
        credentials = read_token(token)
        if isinstance(credentials, Problem):
            return None
        for tenant in self:
            if tenant.service.view.certificate(credentials[0]) is not None:
                return tenant
        return None

    def get(self, world_id: str) -> Tenant | None:
        return self._by_id.get(world_id) or self._let_in(self._by_id).get(world_id)

    def _let_in(self, tenants: dict[T, Tenant]) -> dict[T, Tenant]:
        """The same ones, and among them those that were only asked for."""
        self.arrivals.let_in()
        return tenants

    def create(self, world_id: str | None = None, clock: WorldClock | None = None) -> Tenant:
        """A new world without apps. Raises `ConfigError` if the id is taken."""
        world_id = world_id or self.make_name(6)
        if self.get(world_id) is not None:
            raise ConfigError(f"World {world_id!r} exists already: choose another id")
        tenant = self._by_id[world_id] = Tenant(
            world_id, self._parts, clock or self.start.open_clock(), self.feed
        )
        self.watch.notify()
        return tenant

    async def drop(self, tenant: Tenant) -> None:
        """Forget a world with all it holds, as `remove_app` does each of its apps.

        Calls that are held there end, and none is held any more: its clock may stand for ever.
        """
        self._by_id.pop(tenant.id, None)
        for app in list(tenant.service.view.apps()):
            await self.remove_app(tenant, app.appid)
        tenant.faults.clear()
        tenant.let_go()
        self.feed.forget(tenant)
        self.watch.notify()

    async def put_app(self, tenant: Tenant, app: App) -> None:
        """Add or change an app.

        Raises `ConfigError` if the appid is another world's, or the world has been dropped.
        """
        if self._by_id.get(tenant.id) is not tenant:
            raise ConfigError(f"World {tenant.id!r} has been dropped: choose another one")
        owner = self.find(app.appid)
        if owner is not None and owner is not tenant:
            raise ConfigError(
                f"Appid {app.appid} belongs to another world: choose one that no world has"
            )
        self._by_appid[app.appid] = tenant
        await tenant.service.apply(PutApp(app))

    async def remove_app(self, tenant: Tenant, appid: int) -> None:
        """Forget an app and its callbacks; `let_end` waits for the posts that are in flight."""
        self._by_appid.pop(appid, None)
        await tenant.service.apply(RemoveApp(appid))
        self._drop_callbacks(tenant, appid)

    async def reset_app(self, tenant: Tenant, appid: int) -> None:
        """Forget what an app did; `let_end` waits for the posts that are in flight."""
        await tenant.service.apply(ResetApp(appid))
        self._drop_callbacks(tenant, appid)

    async def let_end(self) -> None:
        """Wait until no post of what was forgotten so far is in flight: about a second at most."""
        if self._endings:
            await asyncio.wait(self._endings)

    async def close(self, grace_seconds: float) -> list[Notification]:
        """Give every world's callbacks a grace, and say which were not delivered."""
        forgotten = asyncio.ensure_future(self.let_end())
        for tenant in self:
            tenant.cdn.close()
        closing = (tenant.delivery.close(grace_seconds) for tenant in self)
        closed = await asyncio.gather(*closing)
        await forgotten
        return list(chain.from_iterable(closed))

    async def restore(self, tenant: Tenant, world: World, profile: Profile) -> None:
        """Put another state, which is given away, in the place of a world's, in one step.

        No app of it is another world's. What the world did is forgotten, its journal too, and calls
        that are held end: they would wait for times of before.
        """
        tenant.let_go()
        for app in list(tenant.service.view.apps()):
            del self._by_appid[app.appid]
            self._drop_callbacks(tenant, app.appid)
        self._by_appid |= {app.appid: tenant for app in world.apps()}
        tenant.journal.clear()
        tenant.service.profile = profile
        await tenant.service.apply(RestoreWorld(world))

    async def put_account(self, tenant: Tenant, app: App, certificate: Certificate) -> None:
        """Add an app together with a certificate that opens it."""
        await self.put_app(tenant, app)
        await tenant.service.apply(PutCertificate(certificate))

    def _drop_callbacks(self, tenant: Tenant, appid: int) -> None:
        ending = tenant.delivery.drop(appid)
        if ending is not None:
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def free_appid(self) -> int:
        """A random appid that no world has, exact in every language's numbers (below 2^53)."""
        while True:
            appid = self._parts.random.randrange(1, _MOST_RANDOM_APPID)
            if self.find(appid) is None:
                return appid

    def make_name(self, size: int) -> str:
        """So many random bytes, in hexadecimal."""
        return self._parts.random.randbytes(size).hex()
