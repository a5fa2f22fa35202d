"""A relay of one's own inside a Python process, for scripts and tests in any framework."""

import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from fakerelay.assertions import Assertions
from fakerelay.client import RelayClient, Reply, make_token
from fakerelay.config import AppConfig, Config, check_snapshot
from fakerelay.control.verbs import find_verb
from fakerelay.environment import describe_relay
from fakerelay.errors import ConfigError, FakerelayError, nearest
from fakerelay.guests import Wanted, open_world
from fakerelay.hosts import NOT_RUNNING, Host, HostedClient
from fakerelay.inboxes.callbacks import Callbacks
from fakerelay.inboxes.receivers import Inbox, Receiver
from fakerelay.planning import Planner
from fakerelay.ports import ClockMode
from fakerelay.server import Server
from fakerelay.tenants import Tenant
from fakerelay.timekeeping import Timekeeper
from fakerelay.web.tls import TlsFiles

BUILT_IN: Final = "built-in"
_APP: Final = AppConfig(123456789, "fakerelay", "fakerelay-key")
_USER: Final = "user-1"
_TILED: Final[Mapping[str, Any]] = {"templateid": 3, "output": {}}
_SETTLE_SECONDS: Final = 1.0
_MOST_RANDOM_APPID: Final = 2**53  # exact in every language's numbers


class FakeRelay(Assertions):
    """A vendor of one's own on this machine: `with FakeRelay() as relay:`, or `async with`.

    With `with` it runs in a thread of its own, with `async with` in the caller's loop; its methods
    work from either. On the `server` of others it is a world of its own, with an appid and a
    certificate that nobody else has; else it has a server of its own.

    `tls` makes `url` HTTPS; `settings` replaces keys of the `profile`, `quota` one of them (how
    many tasks run at once, 0 is any number). Callbacks go to `callback_url`, None is nowhere;
    "built-in" ones come to `relay.callbacks`. With `clock="frozen"` time stands still until
    `relay.clock` moves it; it begins at `now`. With a `seed` all that is made up is the same in
    every run. It begins with the world of a `snapshot`, or of its file, which brings its own
    profile, clock and callback URL, and with the plans `faults`. Raises ConfigError, most of them
    on entering.
    """

    def __init__(
        self,
        *,
        server: Host | None = None,
        appid: int | None = None,
        certificate_id: str | None = None,
        certificate_key: str | None = None,
        callback_url: str | None = BUILT_IN,
        profile: str | None = None,
        settings: Mapping[str, object] | None = None,
        quota: int | None = None,
        snapshot: Mapping[str, Any] | str | Path | None = None,
        tls: bool = False,
        clock: ClockMode | None = None,
        now: float | None = None,
        seed: int | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        if quota is not None:
            settings = {**(settings or {}), "concurrent_pushes": quota}
        if snapshot is not None:
            own = {"profile": profile, "settings": settings, "clock": clock, "now": now}
            check_snapshot(key for key, value in own.items() if value is not None)
        if server is not None:
            _refuse_for_guests(seed=seed, snapshot=snapshot)
        app = _random_app() if server is not None else _APP
        self._app = AppConfig(
            app.appid if appid is None else appid,
            app.certificate_id if certificate_id is None else certificate_id,
            app.certificate_key if certificate_key is None else certificate_key,
        )
        self._wants_callbacks = callback_url == BUILT_IN and snapshot is None
        self._given_url = None if callback_url == BUILT_IN else callback_url
        self._tls = tls
        self._wanted = Wanted(profile, settings, clock, now, tuple(faults))
        self._seed = seed
        self._snapshot = Path(snapshot) if isinstance(snapshot, str) else snapshot
        self._is_guest = server is not None
        self._host = Host(self._make_config) if server is None else server
        self._tenant: Tenant | None = None
        self._inbox: Inbox | None = None
        self._client: RelayClient | None = None
        self._callbacks: Callbacks | None = None
        self.clock = Timekeeper(self.control, self.acontrol)
        self.faults = Planner(self.control)

    # Where it is, and what opens it.

    @property
    def url(self) -> str:
        server = self._running()
        return server.url if self._tls else (server.http_url or "")

    @property
    def http_url(self) -> str:
        """The vendor API over plain HTTP."""
        return self._running().http_url or ""

    @property
    def control_url(self) -> str:
        return self._running().control_url or ""

    @property
    def ca_file(self) -> str | None:
        """What a client has to trust; None without TLS."""
        path = self._running().tls_files.ca_file if self._tls else None
        return str(path) if path else None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """A client's context that trusts this relay; None without TLS."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None

    @property
    def appid(self) -> int:
        return self._app.appid

    @property
    def certificate_id(self) -> str:
        return self._app.certificate_id

    @property
    def certificate_key(self) -> str:
        return self._app.certificate_key

    @property
    def callback_url(self) -> str | None:
        """Where its callbacks go; None is nowhere, or where its snapshot says."""
        return self._inbox.url if self._inbox is not None else self._given_url

    @property
    def token(self) -> str:
        """The whole value of the `token` header."""
        return make_token(self.certificate_id, self.certificate_key)

    @property
    def headers(self) -> dict[str, str]:
        """What every call of the vendor API needs."""
        return {"token": self.token, "Content-Type": "application/json;charset=utf-8"}

    def env(self) -> dict[str, str]:
        """The same for a subprocess, as environment variables."""
        files = self._running().tls_files if self._tls else TlsFiles()
        known = describe_relay(self.url, self.http_url, self.control_url, self._app, files)
        return known | ({"FAKERELAY_WORLD": self._tenant.id} if self._tenant is not None else {})

    # Calls of the vendor API.

    @property
    def client(self) -> RelayClient:
        """A client of the app, for coroutines: `await relay.client.start_source(...)`.

        It needs no `async with`, and ends with the relay.
        """
        self._running()
        if self._client is None:
            self._client = HostedClient(
                self._host,
                self.url,
                self.appid,
                self.certificate_id,
                self.certificate_key,
                ssl_context=self.ssl_context,
            )
        return self._client

    def start(
        self,
        rtmpurl: str | Sequence[str],
        *,
        roomid: str = "room-1",
        uid: str | None = None,
        taskid: str | None = None,
        mixconfig: Mapping[str, Any] | None = None,
        trace_id: str | None = None,
    ) -> Reply:
        """Call `startrtmp`: for a user's own stream, or mixed where there is a `taskid`.

        The user is `user-1`, and the users of a room are tiled, unless it is said otherwise.
        """
        client = self.client
        if taskid is None:
            if mixconfig is not None:
                raise FakerelayError("A mixconfig needs a taskid: a user's own stream isn't mixed")
            user = _USER if uid is None else uid
            return self._host.run(client.start_source(roomid, user, rtmpurl, trace_id=trace_id))
        _refuse_both(taskid, uid)
        layout = _TILED if mixconfig is None else mixconfig
        return self._host.run(
            client.start_mixed(roomid, taskid, rtmpurl, layout, trace_id=trace_id)
        )

    def stop(
        self,
        rtmpurl: str | Sequence[str] | None = None,
        *,
        roomid: str = "room-1",
        uid: str | None = None,
        taskid: str | None = None,
        trace_id: str | None = None,
    ) -> Reply:
        """Call `stoprtmp`, for the whole task or some of its addresses; `start` says which."""
        client = self.client
        if taskid is None:
            user = _USER if uid is None else uid
            return self._host.run(client.stop_source(roomid, user, rtmpurl, trace_id=trace_id))
        _refuse_both(taskid, uid)
        return self._host.run(client.stop_mixed(roomid, taskid, rtmpurl, trace_id=trace_id))

    # What goes on in it.

    @property
    def has_faults(self) -> bool:
        """Whether its world has any fault plan, met or not."""
        return len(self._world().faults) > 0

    @property
    def callbacks(self) -> Callbacks:
        """The push-status callbacks that came; what `callback_url` sends elsewhere, doesn't."""
        if self._callbacks is None:
            self._running()
            raise FakerelayError(
                f"The callbacks of this relay go to {self.callback_url!r}: to receive them here,"
                " leave callback_url out; control('callbacks') lists them"
            )
        return self._callbacks

    def tasks(self, **filters: Any) -> list[dict[str, Any]]:
        """The running tasks, as the control plane's `tasks` tells them."""
        listed: list[dict[str, Any]] = self.control("tasks", **filters)["items"]
        return listed

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The journal, oldest first, as the control plane's `requests` tells it."""
        listed: list[dict[str, Any]] = self.control("requests", **filters)["items"]
        return listed

    def notifications(self, **filters: Any) -> list[dict[str, Any]]:
        """What it has to tell, with every attempt, as the control plane's `callbacks` tells it."""
        listed: list[dict[str, Any]] = self.control("callbacks", **filters)["items"]
        return listed

    def push_status(self, rtmpurl: str, status: int | str, *, after_seconds: float = 0.0) -> None:
        """Let the push to an address take a status, as the vendor would notice by itself.

        0 or `pushing`, 1 or `cdn_failed`, 2 or `internal_failed`, 3 or `stopped`, or `connecting`;
        now, or in so many seconds of the world's time. Raises FakerelayError where no task pushes
        there.
        """
        tasks = self.tasks(rtmpurl=rtmpurl, appid=self.appid)
        if not tasks:
            known = [push["rtmpurl"] for task in self.tasks() for push in task["pushes"]]
            raise FakerelayError(f"No task pushes to {rtmpurl!r}{nearest(rtmpurl, known)}")
        name = "taskid" if tasks[0].get("taskid") is not None else "uid"
        self.control(
            "set_push_status",
            **{"appid": self.appid, name: tasks[0][name], "rtmpurl": rtmpurl, "status": status},
            **({"after_seconds": after_seconds} if after_seconds else {}),
        )

    def control(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, from any thread. Raises ControlError.

        Called inside the loop that the relay runs in, it can't wait: `wait_seconds` needs
        `await acontrol(...)`, and what is forgotten is gone at once, but a callback of it that is
        in flight may still arrive within a second.
        """
        control = self._running().control
        bound = self._bind(verb, parameters)
        if self._host.is_here:
            return control.call_at_once(verb, **bound)
        return self._host.run(control.call(verb, **bound))

    async def acontrol(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, waiting without standing in the loop's way."""
        control = self._running().control
        return await self._host.arun(control.call(verb, **self._bind(verb, parameters)))

    def find_leftovers(self) -> list[str]:
        """What strict tests fail for: what still runs or is pending, callbacks nobody looked for.

        Callbacks that are on their way are waited for, a second at most.
        """
        self._host.run(self._world().delivery.settle(_SETTLE_SECONDS))
        complaints = []
        try:
            self.assert_no_leftovers()
        except AssertionError as error:
            complaints.append(str(error))
        unexpected = self._callbacks.unexpected() if self._callbacks is not None else []
        return complaints + [
            f"Nobody looked for a callback: {each.describe()}" for each in unexpected
        ]

    # Its life.

    def __enter__(self) -> Self:
        self._refuse_twice()
        if not self._is_guest:
            self._host.open()
        self._host.run(self._begin())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self._refuse_twice()
        if not self._is_guest:
            await self._host.aopen()
        await self._host.arun(self._begin())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """End a relay that was entered with `with`; closing again does nothing."""
        if self._is_guest:
            if self._tenant is not None and self._host.is_running:
                self._host.run(self._end())
        elif self._host.has_thread:
            try:
                self._host.run(self._end())
            finally:
                self._host.close()

    async def aclose(self) -> None:
        """End a relay, entered either way, without standing in the loop's way; again, nothing."""
        if self._is_guest:
            if self._tenant is not None and self._host.is_running:
                await self._host.arun(self._end())
        elif self._host.is_running:
            try:
                await self._host.arun(self._end())
            finally:
                await self._host.aclose()

    def _make_config(self, receiver: Receiver) -> Config:
        """What a server of its own is to be; `receiver` is the one beside it."""
        wanted = self._wanted
        return Config(
            port=0,
            http_port=0 if self._tls else None,
            control_port=0,
            no_tls=not self._tls,
            apps=(self._open_app(receiver, "relay"),),
            profile="default" if wanted.profile is None else wanted.profile,
            settings=wanted.settings or {},
            snapshot=self._snapshot,
            clock="real" if wanted.clock is None else wanted.clock,
            now=wanted.now,
            seed=self._seed,
            faults=tuple(wanted.faults),
        )

    def _open_app(self, receiver: Receiver, name: str) -> AppConfig:
        """Its app, with callbacks to an inbox of this name unless they go elsewhere."""
        if self._wants_callbacks:
            self._inbox = receiver.open_inbox(name)
        return replace(self._app, callback_url=self.callback_url)

    async def _begin(self) -> None:
        host = self._host
        try:
            if self._is_guest:
                name = f"{self.appid}-{secrets.token_hex(4)}"
                app = self._open_app(host.receiver, name)
                self._tenant = await open_world(host.server, app, self._wanted)
        except BaseException:
            await self._end()
            raise
        if self._inbox is not None:
            self._callbacks = Callbacks(self._inbox, host.run, host.arun)

    async def _end(self) -> None:
        """Forget all of it; what its receiver still hangs on comes to an end by that."""
        client, inbox, tenant = self._client, self._inbox, self._tenant
        self._client = self._inbox = self._tenant = None
        host = self._host
        try:
            if client is not None:
                await client.close()
        finally:
            if inbox is not None:
                host.receiver.close_inbox(inbox)
            if tenant is not None:
                await host.server.drop_world(tenant)

    def _bind(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Keep a guest to its own world, unless it names another one, or all."""
        if self._tenant is None or "world" in parameters or "all" in parameters:
            return parameters
        return parameters | ({"world": self._tenant.id} if "world" in find_verb(verb).query else {})

    def _running(self) -> Server:
        if self._is_guest and self._tenant is None:
            raise FakerelayError(NOT_RUNNING)
        return self._host.server

    def _world(self) -> Tenant:
        server = self._running()
        return self._tenant or server.tenants.default

    def _refuse_twice(self) -> None:
        is_running = self._tenant is not None if self._is_guest else self._host.is_running
        if is_running:
            raise FakerelayError("The relay runs already: make another FakeRelay for a second one")


def _random_app() -> AppConfig:
    appid = secrets.randbelow(_MOST_RANDOM_APPID - 1) + 1
    return AppConfig(appid, f"cert-{secrets.token_hex(4)}", secrets.token_hex(16))


def _refuse_for_guests(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise ConfigError(
                f"Can't use {name} on the server of others: it needs a server of its own;"
                " leave server out"
            )


def _refuse_both(taskid: str, uid: str | None) -> None:
    if uid is not None:
        raise FakerelayError(
            f"A task is a user's own stream or mixed: leave out uid {uid!r} or taskid {taskid!r}"
        )
