"""What can be asked of a world: the vendor's two calls, and what the control plane sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fakerelay.core.fates import Fates
from fakerelay.core.model import App, Certificate, PushAddress, TaskKey
from fakerelay.core.world import World


@dataclass(slots=True)
class StartPush:
    """`startrtmp`: begin a task, or update it where it runs already.

    `fates` says of new addresses what becomes of the push; nobody asks for that over HTTP.
    """

    key: TaskKey
    room_id: str
    addresses: tuple[PushAddress, ...]
    mixconfig: Mapping[str, Any] | None
    trace_id: str
    fates: Fates | None = None


@dataclass(slots=True)
class StopPush:
    """`stoprtmp`: end a task; with `addresses`, the pushes to those alone."""

    key: TaskKey
    room_id: str
    addresses: tuple[PushAddress, ...] | None
    trace_id: str


class CountCall(NamedTuple):
    """An authenticated call of an app, for the rate limit."""

    appid: int


class SetPushStatus(NamedTuple):
    """What the vendor would notice of one push by itself: it failed, or it is back."""

    key: TaskKey
    address_key: str
    status: int


class PutApp(NamedTuple):
    app: App


class RemoveApp(NamedTuple):
    """Take an app away, its tasks included; nobody is notified."""

    appid: int


class PutCertificate(NamedTuple):
    certificate: Certificate


class ResetApp(NamedTuple):
    """Forget what an app has running, silently; the app and its certificates stay."""

    appid: int


class RestoreWorld(NamedTuple):
    """Put the state of another world, which is given away, in the place of all there is."""

    world: World


Command = (
    StartPush
    | StopPush
    | CountCall
    | SetPushStatus
    | PutApp
    | RemoveApp
    | PutCertificate
    | ResetApp
    | RestoreWorld
)
