"""The clock of a world: shown, switched, moved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fakerelay.clock import CAP_SECONDS, ClockError, WorldClock
from fakerelay.control.callbacks import CALLBACKS
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Search
from fakerelay.errors import ControlError
from fakerelay.tenants import Tenant

_LIMIT_SECONDS: Final = 86400.0
_MOST_SHOWN: Final = 100
_MOST_FIRED_SHOWN: Final = 1000


async def show_clock(plane: Plane, values: Values, body: Json) -> Json:
    return _show(plane.world(values["world"]))


async def put_clock(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    with _told("/now"):
        tenant.clock.set(body.get("mode"), body.get("now"))
    return _show(tenant)


async def advance_clock(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world(values["world"])
    clock, until = tenant.clock, body.get("until")
    if until is None and "seconds" not in body:
        detail = "Say how far: by so many 'seconds', or 'until' something"
        raise ControlError("invalid_body", detail, pointer="/seconds", status=422)
    cap_seconds = body.get("cap_seconds", CAP_SECONDS)
    with _told("/seconds"):
        if until is None:
            advance = await clock.advance(body["seconds"], cap_seconds=cap_seconds)
        else:
            advance = await clock.run_until(
                _read_condition(tenant, until),
                limit_seconds=body.get("seconds", _LIMIT_SECONDS),
                cap_seconds=cap_seconds,
            )
    return {
        "world": tenant.id,
        "now": clock.now(),
        "fired": [fired._asdict() for fired in advance.fired[:_MOST_FIRED_SHOWN]],
        "fired_count": len(advance.fired),
        "reached": advance.reached,
        "unfinished": advance.unfinished,
    }


def open_clock(plane: Plane, body: Json) -> WorldClock:
    """The clock of a new world, as a body wants it."""
    with _told("/now"):
        return plane.tenants.start.open_clock(body.get("clock"), body.get("now"))


@contextmanager
def _told(pointer: str) -> Iterator[None]:
    try:
        yield
    except ClockError as error:
        status = 409 if error.code in ("clock_is_real", "advance_under_way") else 422
        raise ControlError(error.code, str(error), pointer=pointer, status=status) from error


def _show(tenant: Tenant) -> Json:
    clock = tenant.clock
    return {
        "world": tenant.id,
        "mode": clock.mode,
        "now": clock.now(),
        "pending": clock.pending_count,
        "next": [due._asdict() for due in clock.pending(_MOST_SHOWN)],
    }


def _read_condition(tenant: Tenant, until: Json) -> Callable[[], bool]:
    if until == "idle":
        return lambda: tenant.clock.is_idle
    if until == "next":
        fired_before = tenant.clock.fired_count
        return lambda: tenant.clock.fired_count > fired_before
    filters = dict(until["callbacks"])
    count: int = filters.pop("count", 1)
    search = Search(tenant, CALLBACKS, {**dict.fromkeys(CALLBACKS.facts), **filters})

    def is_met() -> bool:
        search.look()
        return len(search.found) >= count

    return is_met
