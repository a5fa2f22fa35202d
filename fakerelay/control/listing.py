"""Lists: filtered, in pages, and waited for."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeVar

from fakerelay.control.plane import Json, Plane, Values
from fakerelay.core.addresses import read_address
from fakerelay.core.model import PushAddress
from fakerelay.tenants import Tenant
from fakerelay.watch import Watch, wait_for_any

T = TypeVar("T")
# Under a flood of changes a list that is waited for is searched now and then, not for each.
_PAUSE_SECONDS: Final = 0.01


class Listing(NamedTuple, Generic[T]):
    """How one noun is listed: where it lies, what it is filtered and ordered by, how it looks.

    A fact is the value of an item that a filter of its name is compared with, or a collection of
    such values.
    """

    items: Callable[[Tenant], Iterable[T]]
    facts: Mapping[str, Callable[[T], Any]]
    at: Callable[[T], float]
    render: Callable[[Tenant, T], Json]
    watch: Callable[[Tenant], Watch]
    evicted: Callable[[Tenant], int] = lambda tenant: 0


async def show_list(plane: Plane, listing: Listing[T], values: Values) -> Json:
    """One page of what matches, as soon as `count` do or the time is over."""
    filters = _read_filters(listing, values)
    give_up_at = time.monotonic() + values["wait_seconds"]
    while True:
        tenants = plane.worlds(values["world"])
        found = _find(tenants, listing, filters, values.get("after"))
        left = give_up_at - time.monotonic()
        if len(found) >= values["count"] or left <= 0:
            return _show_page(tenants, listing, found, values)
        watches = [listing.watch(tenant) for tenant in tenants]
        if await wait_for_any([*watches, plane.tenants.watch], left):
            await asyncio.sleep(_PAUSE_SECONDS)


def show_page(items: Sequence[Json], values: Values) -> Json:
    """A page of a short list that nobody filters or waits for."""
    offset, limit = values["offset"], values["limit"]
    page = list(items[offset : offset + limit])
    return {"items": page, "total": len(items), "limit": limit, "offset": offset, "evicted": 0}


def address_key(text: str) -> str:
    """What an address is compared by; of what is none, its text."""
    address = read_address(text)
    return address.key if isinstance(address, PushAddress) else text


def _read_filters(listing: Listing[T], values: Values) -> list[tuple[Callable[[T], Any], Any]]:
    return [
        (fact, address_key(values[name]) if name == "rtmpurl" else values[name])
        for name, fact in listing.facts.items()
        if values[name] is not None
    ]


def _find(
    tenants: Sequence[Tenant],
    listing: Listing[T],
    filters: Sequence[tuple[Callable[[T], Any], Any]],
    after: int | None,
) -> list[tuple[Tenant, T]]:
    """Oldest first; each world keeps its own in that order already."""
    found = [
        (tenant, item)
        for tenant in tenants
        for item in listing.items(tenant)
        if (after is None or item.number > after)  # type: ignore[attr-defined]
        and all(_matches(fact(item), wanted) for fact, wanted in filters)
    ]
    if len(tenants) > 1:
        found.sort(key=lambda pair: listing.at(pair[1]))
    return found


def _matches(fact: Any, wanted: Any) -> bool:
    return wanted in fact if isinstance(fact, (set, frozenset)) else bool(fact == wanted)


def _show_page(
    tenants: Iterable[Tenant],
    listing: Listing[T],
    found: list[tuple[Tenant, T]],
    values: Values,
) -> Json:
    ordered = reversed(found) if values["order"] == "newest" else iter(found)
    offset, limit = values["offset"], values["limit"]
    return {
        "items": [
            listing.render(tenant, item) for tenant, item in islice(ordered, offset, offset + limit)
        ],
        "total": len(found),
        "limit": limit,
        "offset": offset,
        "evicted": sum(listing.evicted(tenant) for tenant in tenants),
    }
