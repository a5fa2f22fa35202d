"""The callbacks of a test, in its hands: read, waited for and judged, from any thread."""

import math
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, overload

from fakerelay.errors import FakerelayError
from fakerelay.inboxes.failures import tell_disorder, tell_miscount, tell_timeout, tell_unwanted
from fakerelay.inboxes.patterns import Pattern
from fakerelay.inboxes.received import Received
from fakerelay.inboxes.receivers import Inbox
from fakerelay.loops import find_running_loop

TIMEOUT_SECONDS: Final = 5.0
_BLOCKED: Final = (
    "this blocked the event loop of the test, and of an app in it: use 'await"
    " callbacks.await_for(...)'",
)


class Callbacks(Sequence[Received]):
    """`relay.callbacks`: what the relay's own receiver was told, in order of arrival.

    Fields to look for are `status`, a number or a name such as "pushing", `rtmpurl`, however it is
    spelled, `taskid`, `uid`, `roomid`, `appid`, `trace_id` and `msgid`; None: there is none. What
    is forwarded to the app under test counts once the app has answered. Methods raise
    AssertionError where a test has failed, and FakerelayError where it asks for what can't be.
    """

    def __init__(
        self,
        inbox: Inbox,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        arun: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]],
        *,
        explain: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`run` and `arun` do a coroutine in the inbox's loop, for sync code and for coroutines.

        `explain` has more lines for the text of a failure.
        """
        self._inbox = inbox
        self._run = run
        self._arun = arun
        self._explain = explain
        self._expected: list[Pattern] = []
        self._looked_at: set[Received] = set()

    @property
    def url(self) -> str:
        """Where they are received."""
        return self._inbox.url

    # All of them.

    def __len__(self) -> int:
        return len(self._inbox.received)

    @overload
    def __getitem__(self, index: int) -> Received: ...
    @overload
    def __getitem__(self, index: slice) -> list[Received]: ...
    def __getitem__(self, index: int | slice) -> Received | list[Received]:
        found = self._inbox.received[index]
        self._looked_at.update(found if isinstance(found, list) else [found])
        return found

    def __iter__(self) -> Iterator[Received]:
        return iter(self[:])

    def __repr__(self) -> str:
        return f"<Callbacks {list(self._inbox.received)}>"

    def unexpected(self) -> list[Received]:
        """Those that no wait or assertion has looked for, and that nobody has looked at."""
        return [
            each
            for each in self._inbox.received
            if each not in self._looked_at and not any(one.fits(each) for one in self._expected)
        ]

    # Some of them.

    def wait_for(
        self, count: int = 1, *, timeout_seconds: float = TIMEOUT_SECONDS, **fields: Any
    ) -> list[Received]:
        """All that fit, once they are `count` or more; the timeout is in real seconds."""
        __tracebackhide__ = True
        search = _Search(self._inbox, Pattern(fields), count, timeout_seconds)
        outcome = self._run(search.wait())
        return self._take(search, outcome, hints=_BLOCKED if find_running_loop() else ())

    async def await_for(
        self, count: int = 1, *, timeout_seconds: float = TIMEOUT_SECONDS, **fields: Any
    ) -> list[Received]:
        """The same, for coroutines."""
        __tracebackhide__ = True
        search = _Search(self._inbox, Pattern(fields), count, timeout_seconds)
        return self._take(search, await self._arun(search.wait()))

    @overload
    def assert_received(self, count: None = None, **fields: Any) -> Received: ...
    @overload
    def assert_received(self, count: int, **fields: Any) -> list[Received]: ...
    def assert_received(self, count: int | None = None, **fields: Any) -> Received | list[Received]:
        """The first that fits, or all of them if they are exactly `count`; without waiting."""
        __tracebackhide__ = True
        pattern = Pattern(fields)
        received = list(self._inbox.received)
        fitting = [each for each in received if _counts(each, pattern)]
        if count is None and fitting:
            self._expected.append(pattern)
            return fitting[0]
        if count is None or len(fitting) != _check_count(count, least=0):
            raise AssertionError(tell_miscount(received, pattern, count, self._explain()))
        self._expected.append(pattern)
        return fitting

    def assert_none(self, **fields: Any) -> None:
        """None that fits has arrived so far."""
        __tracebackhide__ = True
        pattern = Pattern(fields)
        received = list(self._inbox.received)
        if any(map(pattern.fits, received)):
            raise AssertionError(tell_unwanted(received, pattern))

    def assert_in_order(self, *wanted: Mapping[str, Any]) -> list[Received]:
        """One of each has arrived, in this order, whatever else did in between."""
        __tracebackhide__ = True
        patterns = [Pattern(fields) for fields in wanted]
        received = list(self._inbox.received)
        places = _find_in_order(received, patterns)
        if len(places) < len(patterns):
            raise AssertionError(tell_disorder(received, patterns, places, self._explain()))
        self._expected.extend(patterns)
        return [received[place] for place in places]

    # How they are answered.

    def accept(self) -> None:
        """Answer 200 again, or what the app under test answers: end `fail`, `hang` and `delay`."""
        self._inbox.answers.accept()

    def fail(self, status: int = 500, times: int | None = None) -> None:
        """Answer the next so many, or all, with a status from 300 to 599: they come again.

        Of `fail`, `hang` and `delay` the latest counts: it replaces what is left of the one before.
        """
        self._inbox.answers.fail(status, times)

    def hang(self, times: int | None = None) -> None:
        """Answer the next so many, or all, never: the relay gives each up after a while."""
        self._inbox.answers.hang(times)

    def delay(self, seconds: float, times: int | None = None) -> None:
        """Answer the next so many, or all, as usual, but so many real seconds later."""
        self._inbox.answers.delay(seconds, times)

    def forward_to(self, url: str | None) -> None:
        """Post each to the app under test, too, and answer what it answers; None ends that.

        Where the app can't be reached the answer is 502, and the callback's `note` says why.
        """
        self._inbox.answers.forward_to(url)

    def _take(
        self, search: "_Search", outcome: "_Outcome", *, hints: Sequence[str] = ()
    ) -> list[Received]:
        __tracebackhide__ = True
        if outcome.has_come:
            self._expected.append(search.pattern)
            return outcome.fitting
        raise AssertionError(
            tell_timeout(
                outcome.received,
                search.pattern,
                search.count,
                search.timeout_seconds,
                is_closed=outcome.is_closed,
                hints=[*hints, *self._explain()],
            )
        )


class _Outcome(NamedTuple):
    """What a search has come to, all of it as of one moment."""

    has_come: bool
    fitting: list[Received]
    received: list[Received]
    is_closed: bool


class _Search:
    """Waits in the inbox's loop until enough have come that fit; looks at each of them once."""

    def __init__(self, inbox: Inbox, pattern: Pattern, count: int, timeout_seconds: float) -> None:
        self._inbox = inbox
        self.pattern = pattern
        self.count = _check_count(count, least=1)
        self.timeout_seconds = _check_timeout(timeout_seconds)
        self._looked_at = 0
        self._fitting: list[Received] = []

    async def wait(self) -> _Outcome:
        inbox = self._inbox
        has_come = await inbox.wait(self._has_come, self.timeout_seconds)
        arrived = [each for each in self._fitting if not each.is_forwarding]
        return _Outcome(has_come, arrived, list(inbox.received), inbox.is_closed)

    def _has_come(self) -> bool:
        new = self._inbox.received[self._looked_at :]
        self._looked_at += len(new)
        self._fitting += filter(self.pattern.fits, new)
        if len(self._fitting) < self.count:
            return False
        return sum(not each.is_forwarding for each in self._fitting) >= self.count


def _counts(received: Received, pattern: Pattern) -> bool:
    return not received.is_forwarding and pattern.fits(received)


def _find_in_order(received: Sequence[Received], patterns: Sequence[Pattern]) -> list[int]:
    """Where each pattern fits behind the one before; shorter than `patterns` if one does not."""
    places: list[int] = []
    for place, each in enumerate(received):
        if len(places) < len(patterns) and _counts(each, patterns[len(places)]):
            places.append(place)
    return places


def _check_count(count: int, *, least: int) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and count >= least:
        return count
    raise FakerelayError(f"count is {count!r}: give how many callbacks, from {least}")


def _check_timeout(seconds: float) -> float:
    if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
        return seconds
    raise FakerelayError(f"timeout_seconds is {seconds!r}: give a number of seconds, from 0")
