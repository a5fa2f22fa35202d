"""A relay of one's own inside a Python process, for scripts and tests in any framework."""

import os
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from fakerelay import reports
from fakerelay.assertions import Assertions
from fakerelay.client import RelayClient, Reply, make_token
from fakerelay.config import AppConfig, check_snapshot
from fakerelay.environment import describe_relay
from fakerelay.errors import ConfigError, FakerelayError, nearest
from fakerelay.hosts import Host
from fakerelay.inboxes import Callbacks
from fakerelay.lodgings import (
    Guest,
    Lodging,
    OwnServer,
    Wanted,
    check_types,
    find_url,
    is_whole,
)
from fakerelay.planning import Planner
from fakerelay.ports import ClockMode
from fakerelay.profiles import nest_settings
from fakerelay.server import Server
from fakerelay.silence import explain_silence
from fakerelay.tenants import DEFAULT_WORLD
from fakerelay.timekeeping import Timekeeper
from fakerelay.web.tls import TlsFiles

BUILT_IN: Final = "built-in"
_APP: Final = AppConfig(123456789, "fakerelay", "fakerelay-key")
_USER: Final = "user-1"
PushStatus = (
    Literal["pushing", "recovered", "cdn_failed", "internal_failed", "stopped", "connecting"] | int
)
_QUOTA: Final = "concurrent_pushes"
_TILED: Final[Mapping[str, Any]] = {"templateid": 3, "output": {}}
_SETTLE_SECONDS: Final = 1.0
_EXACT: Final = 2**53  # below it, whole numbers are so in every language's numbers


class FakeRelay(Assertions):
    """A vendor of one's own on this machine: `with FakeRelay() as relay:`, or `async with`.

    With `with` it runs in a thread of its own, with `async with` in the caller's loop; its methods
    work from either. On the `server` of others it is a world of its own, with an appid and a
    certificate that nobody else has; else it has a server of its own.

    `tls` makes `url` HTTPS; `settings` replaces keys of the `profile` (`{"callback.product": 4}`),
    `quota` one of them (how many tasks run at once, 0 is any number). Callbacks go to
    `callback_url`, None is nowhere; "built-in" ones come to `relay.callbacks`. With
    `clock="frozen"` time stands still until `relay.clock` moves it; it begins at `now`. With a
    `seed` all that is made up is the same in every run. It begins with the world of a `snapshot`,
    or of its file, which brings its own profile, clock and callback URL, and with the plans
    `faults`. Raises ConfigError, most of them on entering.
    """

    def __init__(
        self,
        *,
        server: Host | None = None,
        appid: int | None = None,
        certificate_id: str | None = None,
        certificate_key: str | None = None,
        callback_url: str | None = BUILT_IN,
        profile: str | os.PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
        quota: int | None = None,
        snapshot: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        tls: bool = False,
        clock: ClockMode | None = None,
        now: float | None = None,
        seed: int | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        check_types(
            server=server,
            certificate_id=certificate_id,
            certificate_key=certificate_key,
            profile=profile,
            settings=settings,
            snapshot=snapshot,
            clock=clock,
            faults=faults,
        )
        settings = _read_settings(settings, quota)
        if snapshot is not None:
            own = {"profile": profile, "settings": settings, "clock": clock, "now": now}
            check_snapshot(key for key, value in own.items() if value is not None)
        usual = _APP if server is None else _random_app()
        self._app = AppConfig(
            usual.appid if appid is None else appid,
            usual.certificate_id if certificate_id is None else certificate_id,
            usual.certificate_key if certificate_key is None else certificate_key,
            None if callback_url == BUILT_IN else callback_url,
        )
        wanted = Wanted(
            self._app,
            callback_url == BUILT_IN and snapshot is None,
            appid is None,
            None if profile is None else os.fspath(profile),
            settings,
            clock,
            now,
            tuple(faults),
            tls,
            seed,
            Path(snapshot) if isinstance(snapshot, str | os.PathLike) else snapshot,
        )
        self._tls = tls
        self._lodging: Lodging = OwnServer(wanted) if server is None else Guest(server, wanted)
        self._host = self._lodging.host
        self._callbacks: Callbacks | None = None
        self._ending = threading.Lock()
        self.clock = Timekeeper(self.control, self.acontrol)
        self.faults = Planner(self.control)

    def __repr__(self) -> str:
        if not self.is_open:
            return f"<FakeRelay app {self.appid}, not running>"
        return f"<FakeRelay app {self.appid} at {self.url}, world {self._lodging.world_id}>"

    # Where it is, and what opens it.

    @property
    def is_open(self) -> bool:
        return self._lodging.is_open

    @property
    def url(self) -> str:
        """The vendor API: HTTPS with `tls`, else plain HTTP."""
        return find_url(self._running(), is_tls=self._tls)

    @property
    def http_url(self) -> str:
        """The vendor API over plain HTTP."""
        return self._running().http_url or ""

    @property
    def control_url(self) -> str:
        """The control plane, for other languages; `control` needs none."""
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
        """The app that calls are about: a random one on the server of others."""
        return self._app.appid

    @property
    def certificate_id(self) -> str:
        """Opens the app, together with the key: the first half of the `token` header's value."""
        return self._app.certificate_id

    @property
    def certificate_key(self) -> str:
        """The secret half of it."""
        return self._app.certificate_key

    @property
    def callback_url(self) -> str | None:
        """Where its callbacks go; None is nowhere, or where its snapshot says."""
        inbox = self._lodging.inbox
        return self._app.callback_url if inbox is None else inbox.url

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
        world = self._lodging.world_id
        return describe_relay(self.url, self.http_url, self.control_url, self._app, files, world)

    # Calls of the vendor API.

    @property
    def client(self) -> RelayClient:
        """A client of the app, for coroutines: `await relay.client.start_source(...)`.

        It needs no `async with`, and ends with the relay.
        """
        return self._lodging.client

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
        return self._lodging.is_made and len(self._lodging.world.faults) > 0

    @property
    def callbacks(self) -> Callbacks:
        """The push-status callbacks that came; what `callback_url` sends elsewhere, doesn't."""
        self._lodging.use()
        if self._callbacks is None:
            self._running()
            url = self.callback_url
            told = (
                "Callbacks are off (callback_url=None)"
                if url is None
                else f"The callbacks of this relay go to {url!r}"
            )
            raise FakerelayError(
                f"{told}: to receive them here, leave callback_url out;"
                " control('callbacks') lists them"
            )
        return self._callbacks

    def tasks(self, **filters: Any) -> list[dict[str, Any]]:
        """The running tasks, as the control plane's `tasks` tells them."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("tasks", **filters)["items"]
        return listed

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The journal, oldest first, as the control plane's `requests` tells it."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("requests", **_name_trace(filters))["items"]
        return listed

    def notifications(self, **filters: Any) -> list[dict[str, Any]]:
        """What it has to tell, with every attempt, as the control plane's `callbacks` tells it."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("callbacks", **_name_trace(filters))["items"]
        return listed

    def push_status(self, rtmpurl: str, status: PushStatus, *, after_seconds: float = 0.0) -> None:
        """Let the push to an address take a status, as the vendor would notice by itself.

        0 or `pushing`, 1 or `cdn_failed`, 2 or `internal_failed`, 3 or `stopped`, or `connecting`;
        now, or in so many seconds of the world's time. Raises FakerelayError where no task pushes
        there.
        """
        __tracebackhide__ = True
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
        __tracebackhide__ = True
        try:
            control = self._running().control
            bound = self._lodging.bind(verb, parameters)
            if self._host.is_here or self._host.stands_still:
                return control.call_at_once(verb, **bound)
            return self._host.run(control.call(verb, **bound))
        except FakerelayError as error:
            raise error.with_traceback(None) from None

    async def acontrol(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, waiting without standing in the loop's way."""
        __tracebackhide__ = True
        try:
            control = self._running().control
            bound = self._lodging.bind(verb, parameters)
            return await self._host.arun(control.call(verb, **bound))
        except FakerelayError as error:
            raise error.with_traceback(None) from None

    def report(self) -> str:
        """What went on in its world, as the section of a failed test tells it."""
        from fakerelay.timeline import collect, render_timeline  # only for who wants to read it

        __tracebackhide__ = True
        return render_timeline(collect(self.control, strays=self._find_strays()))

    def _find_strays(self) -> Sequence[Mapping[str, Any]]:
        """What was asked of the server by paths that name no app, while this world was there."""
        after = self._lodging.strays_after
        if after is None:
            return ()
        listed = self.control("requests", world=DEFAULT_WORLD, after=after)["items"]
        return [each for each in listed if each["operation"] is None]

    def find_leftovers(self) -> list[str]:
        """What strict tests fail for: what still runs or is pending, callbacks nobody looked for.

        Callbacks that are on their way are waited for, a second at most.
        """
        self._host.run(self._lodging.world.delivery.settle(_SETTLE_SECONDS))
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
        self._lodging.open()
        self._begin()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None and self.is_open:
            reports.keep_report(self)
        self.close()

    async def __aenter__(self) -> Self:
        await self._lodging.aopen()
        self._begin()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None and self.is_open:
            reports.keep_report(self)
        await self.aclose()

    def close(self) -> None:
        """End a relay that was entered with `with`; closing again does nothing."""
        with self._ending:  # whoever comes second finds it done
            self._lodging.close()

    async def aclose(self) -> None:
        """End a relay, entered either way, without standing in the loop's way; again, nothing."""
        await self._lodging.aclose()

    def _begin(self) -> None:
        reports.note_opened(self)
        inbox = self._lodging.inbox
        if inbox is not None:
            host = self._host
            self._callbacks = Callbacks(inbox, host.run, host.arun, explain=self._explain_silence)

    def _explain_silence(self) -> Iterator[str]:
        """Why a callback that is waited for may not have come."""
        return explain_silence(self.control)

    def _running(self) -> Server:
        """The server, as long as the relay's world is there."""
        return self._lodging.server


def _read_settings(
    settings: Mapping[str, object] | None, quota: int | None
) -> Mapping[str, object] | None:
    """As one object, without dots in its keys. Raises ConfigError."""
    if settings is not None:
        settings = nest_settings(settings)
    if quota is None:
        return settings
    if not is_whole(quota) or not 0 <= quota < _EXACT:
        raise ConfigError(
            f"Can't use quota={quota!r}: expected how many tasks run at once, 0 for any number"
        )
    if settings is not None and _QUOTA in settings:
        raise ConfigError(
            f"Can't use quota={quota!r} beside {_QUOTA}={settings[_QUOTA]!r} of the settings:"
            " leave one of them out"
        )
    return {**(settings or {}), _QUOTA: quota}


def _random_app() -> AppConfig:
    """Drawn in one go: each test that shares a server pays for it."""
    drawn = secrets.token_bytes(28)
    appid = int.from_bytes(drawn[20:]) % (_EXACT - 1) + 1
    return AppConfig(appid, f"cert-{drawn[:4].hex()}", drawn[4:20].hex())


def _name_trace(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    """As the control plane spells it, who is told `trace_id` by callbacks and replies."""
    return {"traceid" if name == "trace_id" else name: value for name, value in filters.items()}


def _refuse_both(taskid: str, uid: str | None) -> None:
    if uid is not None:
        raise FakerelayError(
            f"A task is a user's own stream or mixed: leave out uid {uid!r} or taskid {taskid!r}"
        )
