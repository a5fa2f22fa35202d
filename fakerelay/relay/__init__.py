"""A relay of one's own inside a Python process, for scripts and tests in any framework."""

import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from fakerelay import reports
from fakerelay.config import AppConfig, check_snapshot
from fakerelay.hosts import Host
from fakerelay.inboxes import Callbacks
from fakerelay.lodgings.guests import Guest
from fakerelay.lodgings.owners import OwnServer
from fakerelay.planning import Planner
from fakerelay.ports import ClockMode
from fakerelay.relay.calls import Calls
from fakerelay.relay.insights import Insights
from fakerelay.timekeeping import Timekeeper
from fakerelay.wants import EXACT, Wanted, check_types, read_settings

BUILT_IN: Final = "built-in"
_APP: Final = AppConfig(123456789, "fakerelay", "fakerelay-key")


class FakeRelay(Calls, Insights):
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
        settings = read_settings(settings, quota)
        if snapshot is not None:
            own = {"profile": profile, "settings": settings, "clock": clock, "now": now}
            check_snapshot(key for key, value in own.items() if value is not None)
        usual = _APP if server is None else _random_app()
        app = AppConfig(
            usual.appid if appid is None else appid,
            usual.certificate_id if certificate_id is None else certificate_id,
            usual.certificate_key if certificate_key is None else certificate_key,
            None if callback_url == BUILT_IN else callback_url,
        )
        wanted = Wanted(
            app,
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
        super().__init__(
            app, OwnServer(wanted) if server is None else Guest(server, wanted), tls=tls
        )
        self._ending = threading.Lock()
        self.clock = Timekeeper(self.control, self.acontrol)
        self.faults = Planner(self.control)

    def __repr__(self) -> str:
        if not self.is_open:
            return f"<FakeRelay app {self.appid}, not running>"
        return f"<FakeRelay app {self.appid} at {self.url}, world {self._lodging.world_id}>"

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
        if self._host.is_elsewhere:  # and so, perhaps, is the thread that is closing it
            self._lodging.close()
            return
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


def _random_app() -> AppConfig:
    """Drawn in one go: each test that shares a server pays for it."""
    drawn = secrets.token_bytes(28)
    appid = int.from_bytes(drawn[20:]) % (EXACT - 1) + 1
    return AppConfig(appid, f"cert-{drawn[:4].hex()}", drawn[4:20].hex())
