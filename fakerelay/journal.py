"""What was asked and what was answered: a bounded log of exchanges, kept raw and read late.

It never holds a token or a certificate's key.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from fakerelay.core.problems import Problem, RuleWarning
from fakerelay.watch import Watch

MOST_BODY_BYTES: Final = 16 * 1024
_MOST_TEXT: Final = 2000
_MOST_WARNINGS: Final = 50


class Decided(NamedTuple):
    """What the service decided on a call that met a fault, and the reply that this would be."""

    status: int | None
    code: int | None
    problem: Problem | None


class FaultMet:
    """The step, from 0, of a fault plan that met a call, and what came of it.

    `decided` has an entry for each time that the service was asked: none where the fault came
    instead. `told` is how much of a reply left for the caller.
    """

    __slots__ = ("decided", "fault", "plan_id", "step", "told")

    def __init__(self, plan_id: str, step: int, fault: str) -> None:
        self.plan_id = plan_id
        self.step = step
        self.fault = fault
        self.decided: list[Decided] = []
        self.told: Literal["reply", "part", "nothing"] = "reply"

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.fault}"


class Exchange:
    """One request and its reply, filled in on its way through the checks.

    `at` is in seconds since 1970 on the world's clock, `duration_seconds` real time. `names` is
    what its body names, once somebody has read that. `status` and `code` are those of the reply
    that left, None where none did.
    """

    __slots__ = (
        "appid",
        "at",
        "body",
        "body_bytes",
        "certificate_id",
        "code",
        "duration_seconds",
        "fault",
        "method",
        "names",
        "number",
        "operation",
        "problem",
        "status",
        "target",
        "trace_id",
        "warnings",
    )

    def __init__(self, method: str, target: str, at: float) -> None:
        self.number = 0
        self.method = method
        self.target = target
        self.at = at
        self.duration_seconds = 0.0
        self.operation: str | None = None
        self.appid: int | None = None
        self.certificate_id: str | None = None
        self.trace_id = ""
        self.body = b""
        self.body_bytes = 0
        self.names: Mapping[str, Any] | None = None
        self.problem: Problem | None = None
        self.warnings: list[RuleWarning] = []
        self.status: int | None = 0
        self.code: int | None = None
        self.fault: FaultMet | None = None

    def keep_body(self, body: bytes) -> None:
        """Keep the body, or as much of it as a journal has room for."""
        self.body_bytes = len(body)
        self.body = body if len(body) <= MOST_BODY_BYTES else body[:MOST_BODY_BYTES]

    def trim(self) -> None:
        """Cut off what would make a journal of bounded length take unbounded memory."""
        if len(self.target) > _MOST_TEXT:  # and only then may the trace id, which stands in it
            self.target = self.target[:_MOST_TEXT]
            self.trace_id = self.trace_id[:_MOST_TEXT]
        more = len(self.warnings) - _MOST_WARNINGS
        if more > 0:
            rule = self.warnings[_MOST_WARNINGS].rule
            self.warnings[_MOST_WARNINGS:] = [RuleWarning(rule, f"and {more} more warnings")]
        if self.problem is not None and self.body_bytes > MOST_BODY_BYTES:
            self.problem = _trim_problem(self.problem)

    @property
    def rule(self) -> str | None:
        """The rule that refused it; none stands behind what a fault told."""
        return (self.problem.rule or None) if self.problem is not None else None

    @property
    def is_accepted(self) -> bool:
        """Whether the service did what was asked, whatever became of its reply."""
        return self.problem is None and (self.fault is None or bool(self.fault.decided))


def _trim_problem(problem: Problem) -> Problem:
    explanation = dict(problem.explanation)
    value = explanation.get("value")
    if isinstance(value, str):
        explanation["value"] = value[:_MOST_TEXT]
    elif isinstance(value, (dict, list)):
        explanation["value"] = "too large to keep"
    return problem._replace(explanation=explanation)


class Journal:
    """The newest `size` exchanges of a world; what had to go is counted in `evicted`.

    `cleared` counts what `clear` has dropped. `on_added` is told of each that is new.
    """

    def __init__(self, size: int, *, on_added: Callable[[Exchange], None] | None = None) -> None:
        self._on_added = on_added
        self._exchanges: deque[Exchange] = deque()
        self._size = size
        self._trace_counts: dict[str, int] = {}
        self._next_number = 1
        self.evicted = 0
        self.cleared = 0
        self.watch = Watch()

    def __iter__(self) -> Iterator[Exchange]:
        """Oldest first."""
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        exchange.trim()
        exchange.number = self._next_number
        self._next_number += 1
        kept, trace_id, counts = self._exchanges, exchange.trace_id, self._trace_counts
        kept.append(exchange)
        counts[trace_id] = counts.get(trace_id, 0) + 1
        if len(kept) > self._size:
            self._forget(kept.popleft())
            self.evicted += 1
        self.watch.notify()
        if self._on_added is not None:
            self._on_added(exchange)

    @property
    def oldest(self) -> int:
        """The number of the first exchange that is kept, or would be."""
        return self._exchanges[0].number if self._exchanges else self._next_number

    @property
    def newest(self) -> int:
        """The number of the last exchange that was added; 0 before the first."""
        return self._next_number - 1

    def newer(self, number: int, most: int) -> list[Exchange]:
        """The first exchanges after a number, without a look at those before."""
        kept = self._exchanges
        start = bisect_right(kept, number, key=_by_number)
        return [kept[index] for index in range(start, min(start + most, len(kept)))]

    def has_trace(self, trace_id: str) -> bool:
        """Whether a kept exchange bears this trace id."""
        return trace_id[:_MOST_TEXT] in self._trace_counts

    def clear(self, is_wanted: Callable[[Exchange], bool] = lambda exchange: True) -> int:
        """Drop the exchanges that `is_wanted` picks; how many there were."""
        dropped = [exchange for exchange in self._exchanges if is_wanted(exchange)]
        self._exchanges = deque(e for e in self._exchanges if not is_wanted(e))
        for exchange in dropped:
            self._forget(exchange)
        self.cleared += len(dropped)
        return len(dropped)

    def _forget(self, exchange: Exchange) -> None:
        left = self._trace_counts[exchange.trace_id] - 1
        if left:
            self._trace_counts[exchange.trace_id] = left
        else:
            del self._trace_counts[exchange.trace_id]


def _by_number(exchange: Exchange) -> int:
    return exchange.number
