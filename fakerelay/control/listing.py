"""Lists: filtered, in pages, and waited for."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, TypeVar

from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Listing, Search
from fakerelay.errors import ControlError
from fakerelay.tenants import Tenant
from fakerelay.watch import wait_for_any

T = TypeVar("T")
# Under a flood of changes a list that is waited for is searched now and then, not for each.
_PAUSE_SECONDS: Final = 0.01


async def show_list(plane: Plane, listing: Listing[T], values: Values) -> Json:
    """One page of what matches, as soon as `count` do or the time is over."""
    world = _read_world(plane, values)
    searches: dict[Tenant, Search[T]] = {}
    give_up_at = time.monotonic() + values["wait_seconds"]
    while True:
        tenants = plane.worlds(world)
        searches = {each: searches.get(each) or Search(each, listing, values) for each in tenants}
        if any(search.look() for search in searches.values()):
            if values["wait_seconds"]:  # else it must be done at once
                await asyncio.sleep(0)
            continue
        left = give_up_at - time.monotonic()
        if sum(len(search.found) for search in searches.values()) >= values["count"] or left <= 0:
            return _show_page(listing, list(searches.values()), values)
        watches = [listing.watch(tenant) for tenant in tenants]
        if await wait_for_any([*watches, plane.tenants.watch], left):
            await asyncio.sleep(_PAUSE_SECONDS)


def show_page(items: Sequence[Json], values: Values) -> Json:
    """A page of a short list that nobody filters or waits for."""
    offset, limit = values["offset"], values["limit"]
    page = list(items[offset : offset + limit])
    return {"items": page, "total": len(items), "limit": limit, "offset": offset, "evicted": 0}


def _read_world(plane: Plane, values: Values) -> str | None:
    """The world that is meant: with `after`, one, and the same for as long as the wait lasts."""
    world: str | None = values["world"]
    if world is not None or values.get("after") is None:
        return world
    ids = [tenant.id for tenant in plane.tenants]
    if len(ids) > 1:
        detail = f"Each of the {len(ids)} worlds counts for itself: give 'world' with 'after'"
        raise ControlError("ambiguous_world", detail, pointer="/query/after", status=409)
    return ids[0]


def _show_page(listing: Listing[T], searches: Sequence[Search[T]], values: Values) -> Json:
    found = [(search.tenant, item) for search in searches for item in search.found]
    if len(searches) > 1:  # each world keeps its own in order already
        found.sort(key=lambda pair: listing.at(pair[1]))
    if values["order"] == "newest":
        found.reverse()
    offset, limit = values["offset"], values["limit"]
    return {
        "items": [listing.render(tenant, item) for tenant, item in found[offset : offset + limit]],
        "total": len(found),
        "limit": limit,
        "offset": offset,
        "evicted": sum(listing.evicted(search.tenant) for search in searches),
    }
