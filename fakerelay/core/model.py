"""The vendor's nouns, all of them values: replaced, never changed. Times are seconds since 1970."""

import marshal
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MIXED: Final = 1
SOURCE: Final = 2
KIND_NAMES: Final = {MIXED: "mixed", SOURCE: "source"}
NAME_FIELDS: Final = {MIXED: "taskid", SOURCE: "uid"}

TaskKey = tuple[int, int, str]
"""appid, streamtype, and the `taskid` (mixed) or `uid` (source)."""


class PushAddress:
    """An RTMP address as a caller spelled it, and the `key` by which two are the same."""

    __slots__ = ("key", "spelled")

    def __init__(self, spelled: str, key: str) -> None:
        self.spelled = spelled
        self.key = key

    def __repr__(self) -> str:
        return f"PushAddress({self.spelled!r})"


class Push:
    """One address of a running task, and how the push to it fares (`pushes.PUSHING` ...)."""

    __slots__ = ("address", "since", "status")

    def __init__(self, address: PushAddress, status: int, since: float) -> None:
        self.address = address
        self.status = status
        self.since = since


class Task:
    """A running task; an update is a new `Task` under the same key with the next `revision`.

    The layout is kept packed: with a million tasks, its many small objects would fill the memory
    and make each call wait for it, and hardly anybody reads it.
    """

    __slots__ = ("_layout", "key", "pushes", "revision", "room_id", "started_at", "updated_at")

    def __init__(
        self,
        key: TaskKey,
        room_id: str,
        pushes: tuple[Push, ...],
        mixconfig: Mapping[str, Any] | None,
        started_at: float,
        updated_at: float,
        revision: int,
    ) -> None:
        self.key = key
        self.room_id = room_id
        self.pushes = pushes
        self._layout = marshal.dumps(mixconfig)  # type: ignore[arg-type]  # read from JSON
        self.started_at = started_at
        self.updated_at = updated_at
        self.revision = revision

    @property
    def mixconfig(self) -> Mapping[str, Any] | None:
        """As the latest accepted request had it; None for a source task."""
        mixconfig: Mapping[str, Any] | None = marshal.loads(self._layout)
        return mixconfig

    def find_push(self, address_key: str) -> Push | None:
        for push in self.pushes:
            if push.address.key == address_key:
                return push
        return None


class Release(NamedTuple):
    """An address that no task holds any more, kept from other tasks until `until`."""

    task_key: TaskKey
    until: float


class Certificate(NamedTuple):
    """A REST credential of an account; `key` is the secret.

    `revoked_at` may be still to come: until then it opens the account's apps.
    """

    id: str
    key: str
    account: str
    revoked_at: float | None = None

    def __repr__(self) -> str:
        shown = f"id={self.id!r}, account={self.account!r}, revoked_at={self.revoked_at}"
        return f"Certificate({shown})"

    def is_revoked(self, now: float) -> bool:
        return self.revoked_at is not None and self.revoked_at <= now


class App(NamedTuple):
    """An appid of an account, its callback URL, and the rooms declared live with their users."""

    appid: int
    account: str
    callback_url: str | None = None
    live_rooms: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def live_users(self, room_id: str) -> tuple[str, ...] | None:
        """The users declared live in a room; None where the room is not declared live."""
        for room, users in self.live_rooms:
            if room == room_id:
                return users
        return None
