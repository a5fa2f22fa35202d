"""Everything that happens on a server, told to whoever listens as it does.

Events are kept raw: a listener shows them late, if it does. While nobody listens one is counted
and no more.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple, Protocol

from fakerelay.core.changes import Change, TaskChanged
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.pushes import CONNECTING
from fakerelay.watch import Watch

Kind = Literal["call", "push", "callback", "fault", "clock", "control"]
KINDS: Final[tuple[Kind, ...]] = ("call", "push", "callback", "fault", "clock", "control")
_MOST_KEPT: Final = 1000


class Source(Protocol):
    """The world in which something happens."""

    @property
    def id(self) -> str: ...


class Event(NamedTuple):
    """What happened `at` (the world's time); `number` counts the events of all worlds.

    `thing` is what it happened to, as it was then: it never changes.
    """

    number: int
    kind: Kind
    source: Source
    at: float
    appid: int | None
    thing: Any


class Missed(NamedTuple):
    """So many events are not told, the last of them of this number."""

    number: int
    amount: int


class Listener:
    """Hears the events it wants, from its making until `close`.

    It has room for `most`. Who lets that fill up misses what comes until all has been taken, and is
    told how much that was.
    """

    def __init__(
        self,
        feed: "Feed",
        *,
        world: Source | None = None,
        appid: int | None = None,
        kinds: Collection[Kind] = KINDS,
        most: int = _MOST_KEPT,
    ) -> None:
        self.world = world
        self.is_closed = False
        self._feed = feed
        self._appid = appid
        self._kinds = frozenset(kinds)
        self._most = most
        self._queue: deque[Event | Missed] = deque()
        self._missed = Missed(0, 0)
        self._watch = Watch()

    def hear(self, event: Event) -> None:
        """Take an event in, if it is wanted and there is room."""
        if not self._wants(event):
            return
        if self._missed.amount or len(self._queue) >= self._most:
            self._missed = Missed(event.number, self._missed.amount + 1)
        else:
            self._queue.append(event)
        self._watch.notify()

    def resume(self, after: int, kept: Collection[Event], forgotten: int) -> None:
        """Begin with what is `kept` and newer than `after`; all up to `forgotten` is not."""
        if forgotten > after:
            self._queue.append(Missed(forgotten, forgotten - after))
        self._queue.extend(each for each in kept if each.number > after and self._wants(each))

    async def wait(self, timeout_seconds: float) -> None:
        """Until there is something to take, or an end, or so many real seconds are over."""
        if not (self._queue or self._missed.amount or self.is_closed):
            await self._watch.wait(timeout_seconds)

    def take(self) -> Event | Missed | None:
        """The next thing, if there is one."""
        if self._queue:
            return self._queue.popleft()
        missed, self._missed = self._missed, Missed(0, 0)
        return missed if missed.amount else None

    def close(self) -> None:
        """Hear no more; what has been heard can still be taken."""
        self.is_closed = True
        self._feed.leave(self)
        self._watch.notify()

    def _wants(self, event: Event) -> bool:
        return (
            event.kind in self._kinds
            and self.world in (None, event.source)
            and self._appid in (None, event.appid)
        )


class Feed:
    """Tells the listeners of a server, and keeps the last events for one that comes back.

    It begins to keep them with the first listener, and ends when the last has been gone for as
    many events as it keeps: `is_warm` in between. Else there is nothing to tell, only to add to
    `number`, the count of events.
    """

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self.number = 0
        self.is_warm = False
        self._most_kept = most_kept
        self._recent: deque[Event] = deque()
        self._forgotten = 0
        self._alone_since = 0
        self._is_closed = False
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def tell(self, kind: Kind, source: Source, at: float, appid: int | None, thing: Any) -> None:
        """Count an event, and hand it to whoever listens. `thing` must not change afterwards."""
        self.number += 1
        if self.is_warm:
            self._spread(Event(self.number, kind, source, at, appid, thing))

    def listen(self, listener: Listener, *, after: int | None = None) -> None:
        """Let a listener hear all from now on, or from the event `after` as far as it is kept."""
        if not self.is_warm:
            self.is_warm, self._forgotten = True, self.number
        if after is not None:
            # An id from before a restart is of other events: all of these are news then.
            known = after if after <= self.number else 0
            listener.resume(known, self._recent, self._forgotten)
        if self._is_closed:
            listener.is_closed = True
        else:
            self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """Tell a listener no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._alone_since = self.number

    def forget(self, source: Source) -> None:
        """End what listens to a world that is no more, and keep none of its events."""
        for listener in list(self._listeners):
            if listener.world is source:
                listener.close()
        self._recent = deque(each for each in self._recent if each.source is not source)

    def close(self) -> None:
        """End every listener, and those to come."""
        self._is_closed = True
        for listener in list(self._listeners):
            listener.close()

    def _spread(self, event: Event) -> None:
        if not self._listeners and event.number - self._alone_since > self._most_kept:
            self.is_warm = False
            self._recent.clear()
            return
        self._recent.append(event)
        if len(self._recent) > self._most_kept:
            self._forgotten = self._recent.popleft().number
        for listener in self._listeners:
            listener.hear(event)


def find_silent(changes: Iterable[Change]) -> Iterator[PushStatusChanged]:
    """The pushes that began to connect: no customer is told of that, but whoever listens."""
    for change in changes:
        if not isinstance(change, TaskChanged) or change.after is None:
            continue
        task, before = change.after, change.before
        for push in task.pushes:
            was = before.find_push(push.address.key) if before is not None else None
            if push.status == CONNECTING and (was is None or was.status != CONNECTING):
                yield PushStatusChanged(
                    task.key, task.room_id, push.address, CONNECTING, task.started_at, None
                )
