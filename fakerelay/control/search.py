"""How one noun is searched: by facts, and what is waited for without looking at it all again."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from fakerelay.control.plane import Json, Values
from fakerelay.core.addresses import address_key
from fakerelay.tenants import Tenant
from fakerelay.watch import Watch

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Filters = Sequence[tuple[Callable[[T], Any], Any]]
# So many entries are looked at before others get their turn.
_SLICE: Final = 100


class Log(Protocol[T_co]):
    """What only grows at its end, with numbers that rise, and loses what is oldest or cleared."""

    @property
    def cleared(self) -> int: ...
    @property
    def oldest(self) -> int: ...
    def newer(self, number: int, most: int) -> Sequence[T_co]: ...


class Listing(NamedTuple, Generic[T]):
    """How one noun is listed: where it lies, what it is filtered and ordered by, how it looks.

    A fact is the value of an item that a filter of its name is compared with, or a collection of
    such values. `number` is what `after` is compared with, where a noun has that. With a `log` an
    item never changes, and none is looked at twice by who waits.
    """

    items: Callable[[Tenant], Iterable[T]]
    facts: Mapping[str, Callable[[T], Any]]
    at: Callable[[T], float]
    render: Callable[[Tenant, T], Json]
    watch: Callable[[Tenant], Watch]
    evicted: Callable[[Tenant], int] = lambda tenant: 0
    number: Callable[[T], int] = lambda item: 0
    log: Callable[[Tenant], Log[T]] | None = None


class Search(Generic[T]):
    """What of one world matches, oldest first; `found` holds for the moment `look` returns."""

    def __init__(self, tenant: Tenant, listing: Listing[T], values: Values) -> None:
        self.tenant = tenant
        self.found: Sequence[T] = ()
        self._listing = listing
        self._filters = read_filters(listing, values)
        self._after: int | None = values.get("after")
        self._kept: deque[T] = deque()
        self._last = self._after or 0
        self._cleared = 0

    def look(self) -> bool:
        """Find what there is now, or a part of it: whether there is more to look at."""
        if self._listing.log is not None:
            return self._look_on(self._listing.log(self.tenant), self._listing.number)
        self.found = [item for item in self._listing.items(self.tenant) if self._is_wanted(item)]
        return False

    def _look_on(self, log: Log[T], number: Callable[[T], int]) -> bool:
        if log.cleared != self._cleared:
            self._cleared, self._last = log.cleared, self._after or 0
            self._kept.clear()
        new = log.newer(self._last, _SLICE)
        self._kept.extend(item for item in new if self._is_wanted(item))
        while self._kept and number(self._kept[0]) < log.oldest:
            self._kept.popleft()
        if new:
            self._last = number(new[-1])
        self.found = self._kept
        return len(new) == _SLICE

    def _is_wanted(self, item: T) -> bool:
        if self._after is not None and self._listing.number(item) <= self._after:
            return False
        return all(_matches(fact(item), wanted) for fact, wanted in self._filters)


def read_filters(listing: Listing[T], values: Values) -> Filters[T]:
    return [
        (fact, address_key(values[name]) if name == "rtmpurl" else values[name])
        for name, fact in listing.facts.items()
        if values[name] is not None
    ]


def _matches(fact: Any, wanted: Any) -> bool:
    return wanted in fact if isinstance(fact, (set, frozenset)) else bool(fact == wanted)
