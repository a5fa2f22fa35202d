"""Everything that happens, as a stream: each event in the form in which lists show the thing."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from fakerelay.control.callbacks import show_callback
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.requests import show_request
from fakerelay.control.tasks import show_status
from fakerelay.control.verbs import Call
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import Plan, Step, Subject
from fakerelay.core.model import KIND_NAMES, NAME_FIELDS
from fakerelay.errors import ControlError, nearest
from fakerelay.feed import KINDS, Event, Kind, Listener, Missed
from fakerelay.tenants import Tenant

HEARTBEAT_SECONDS: Final = 15.0
_SECRETS: Final = frozenset(("certificate_key", "token"))
_LONG: Final = "fired"
_CLOCK_VERBS: Final = frozenset(("put_clock", "advance_clock"))


class Stream:
    """Events from the moment it is made, until the time, the count or the server is over.

    Iterating gives None where nothing has happened for a while.
    """

    def __init__(self, listener: Listener, for_seconds: float | None, most: int | None) -> None:
        self._listener = listener
        self._left = most
        self._end_at = None if for_seconds is None else time.monotonic() + for_seconds

    def __aiter__(self) -> AsyncIterator[Json | None]:
        return self

    async def __anext__(self) -> Json | None:
        if self._left == 0:
            raise StopAsyncIteration
        told = self.take()
        if told is None:
            seconds = HEARTBEAT_SECONDS
            if self._end_at is not None:
                seconds = min(seconds, self._end_at - time.monotonic())
            if seconds <= 0 or self._listener.is_closed:
                raise StopAsyncIteration
            await self._listener.wait(seconds)
            told = self.take()
        return told

    def take(self) -> Json | None:
        """The next event, if one is there and was asked for."""
        told = None if self._left == 0 else self._listener.take()
        if told is None:
            return None
        if self._left is not None:
            self._left -= 1
        return show_event(told)

    def close(self) -> None:
        self._listener.close()


def open_events(plane: Plane, values: Values) -> Stream:
    """Listen. Raises ControlError for what can't be listened to."""
    feed = plane.tenants.feed
    listener = Listener(
        feed,
        world=None if values["world"] is None else plane.world(values["world"]),
        appid=values["appid"],
        kinds=KINDS if values["event"] is None else _read_kinds(values["event"]),
    )
    feed.listen(listener, after=values["after_event"])
    return Stream(listener, values["for_seconds"], values["most"])


def show_event(told: Event | Missed) -> Json:
    if isinstance(told, Missed):
        missed = {"missed": told.amount}
        return _envelop(told.number, "missed", None, None, None, missed)
    shown = _RENDERERS[told.kind](told.source, told.thing)
    return _envelop(told.number, told.kind, told.source.id, told.appid, told.at, shown)


def tell_change(plane: Plane, call: Call, values: Values, answer: Json) -> None:
    """Let the feed know of a verb that has changed something; it keeps no long lists."""
    kind: Kind = "clock" if call.verb.name in _CLOCK_VERBS else "control"
    appid = values.get("appid") or (call.body or {}).get("appid") or answer.get("appid")
    kept = {key: value for key, value in answer.items() if key != _LONG}
    for source, at in _find_sources(plane, call, values, answer):
        plane.tenants.feed.tell(kind, source, at, appid, (call.verb.name, kept))


class _Gone(NamedTuple):
    """A world that has been dropped: none of it is kept for an event's sake."""

    id: str


def _find_sources(
    plane: Plane, call: Call, values: Values, answer: Json
) -> Iterable[tuple[Any, float]]:
    """The worlds in which a verb did something, and what time it is there."""
    if call.verb.name == "delete_world":
        return [(_Gone(answer["id"]), answer["now"])]
    if call.verb.needs_target:
        found = plane.targets(values)
        if values["appid"] is not None:
            found = [plane.world_of(values["appid"])]
    else:
        world = answer.get("id") if call.verb.name == "create_world" else answer.get("world")
        found = [plane.tenants.get(world or values.get("world") or "") or plane.tenants.default]
    return [(tenant, tenant.clock.now()) for tenant in found]


def _envelop(
    number: int, kind: str, world: str | None, appid: int | None, at: float | None, data: Json
) -> Json:
    return {
        "id": number,
        "event": kind,
        "world": world,
        "appid": appid,
        "at": at,
        "data": data,
    }


def _read_kinds(text: str) -> list[Kind]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in KINDS:
            detail = f"Unknown event {name!r}{nearest(name, KINDS)}"
            raise ControlError("unknown_event", detail, pointer="/query/event")
    return [kind for kind in KINDS if kind in names]


def _show_push(tenant: Tenant, event: PushStatusChanged) -> Json:
    appid, streamtype, name = event.key
    return {
        "world": tenant.id,
        "appid": appid,
        "streamtype": streamtype,
        "kind": KIND_NAMES[streamtype],
        NAME_FIELDS[streamtype]: name,
        "roomid": event.room_id,
        "rtmpurl": event.address.spelled,
        **show_status(event.status),
        "traceid": event.trace_id,
    }


def _show_fault(tenant: Tenant, taken: tuple[Plan, Step, Subject | None]) -> Json:
    plan, step, subject = taken
    return {
        "world": tenant.id,
        "plan": plan.id,
        "on": plan.on,
        "step": plan.number_of(step),
        "fault": step.fault,
        "settings": dict(step.settings),
        "subject": None if subject is None else _show_subject(subject),
    }


def _show_subject(subject: Subject) -> Json:
    return {
        "appid": subject.appid,
        "operation": subject.operation,
        "roomid": subject.room_id,
        "taskid": subject.task_id,
        "uid": subject.uid,
        "status": subject.status,
    }


def _show_change(source: Any, change: tuple[str, Json]) -> Json:
    """What a verb answered, without the secrets that are shown only once."""
    verb, answer = change
    shown = {key: value for key, value in answer.items() if key not in _SECRETS}
    return {"world": source.id, "verb": verb, "answer": shown}


_RENDERERS: Final[Mapping[str, Callable[[Any, Any], Json]]] = {
    "call": show_request,
    "push": _show_push,
    "callback": show_callback,
    "fault": _show_fault,
    "clock": _show_change,
    "control": _show_change,
}
