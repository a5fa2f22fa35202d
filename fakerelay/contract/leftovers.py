"""What may run on after a scenario, and how it is stopped: by the names that it began with."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from fakerelay.contract.answers import Reading
from fakerelay.contract.clients import Observed
from fakerelay.contract.drafts import Account, Draft, Names, draft
from fakerelay.contract.drivers import Driver, Step
from fakerelay.contract.model import Key, key_of
from fakerelay.contract.operations import Start, Stop
from fakerelay.contract.patience import Patience
from fakerelay.contract.persistence import Persistence

_NAMES: Final = ("roomid", "streamtype", "taskid", "uid")


class Loose(NamedTuple):
    """A task that may run since a step; `is_sure` where the server says so itself."""

    begun: Step
    is_sure: bool


class Sweep:
    """Stops all that may run after a scenario, what was wrongly let in too."""

    def __init__(
        self, driver: Driver, persistence: Persistence, reading: Reading, patience: Patience
    ) -> None:
        self._driver = driver
        self._persistence = persistence
        self._reading = reading
        self._patience = patience

    def run(self, running: Collection[Key]) -> Iterator[Step]:
        """The stops of what may run on for all that; `running` is what a right server runs."""
        ended: set[Key] = set()
        for begun, is_sure in reversed(
            list_loose(self._driver.calls, running, self._reading.is_unclear)
        ):
            key, end = key_of(begun.operation), partial(self._end, begun)
            is_told = is_sure and key not in ended
            step = self._persistence.insist(end) if is_told else end()
            if step is None:
                ended.add(key)
            elif is_told:
                yield step

    def _end(self, begun: Step) -> Step | None:
        """The last stop that was tried, if what began may run on."""
        step = None
        for stop, request in list_stops(begun, self._driver.accounts, self._driver.names):
            step = self._stop(stop, request)
            if step is None:
                return None
        return step

    def _stop(self, stop: Stop, request: Draft) -> Step | None:
        """The step, if what it was to stop may run on: refused, not answered, or not to be sent."""
        last = self._patience.last
        for _attempt in range(2):
            if last is not None and self._patience.reason is not None:
                step = Step(stop, request, last)
                break
            step = self._driver.send(stop, request)
            step = self._persistence.ask_slower(step) or step
            last = step.observed
            if not self._reading.is_unclear(last):
                return None if last.is_accepted else step
        # With a server of this machine that is gone, all that it ran is gone.
        return None if last is not None and last.failure == "gone" else step


def list_loose(
    steps: Iterable[Step], running: Collection[Key], is_unclear: Callable[[Observed], bool]
) -> Sequence[Loose]:
    """What was started, rightly or not, and not stopped by the server's own word.

    `running` are the tasks that a right server may run now: what was stopped in part may be gone.
    """
    loose: dict[object, Loose] = {}
    for step in steps:
        done, names = step.operation, _read_names(step)
        is_accepted = step.observed.is_accepted
        if isinstance(done, Start) and (is_accepted or is_unclear(step.observed)):
            was_sure = names in loose and loose[names].is_sure
            loose[names] = Loose(step, is_accepted or was_sure)
        elif isinstance(done, Stop) and is_accepted and done.addresses is None:
            for each in _find(loose, step):
                del loose[each]
        elif isinstance(done, Stop) and is_accepted:
            for each in _find(loose, step):
                loose[each] = Loose(loose[each].begun, key_of(done) in running)
    return list(loose.values())


def list_stops(
    begun: Step, accounts: Mapping[int, Account], names: Names
) -> Iterator[tuple[Stop, Draft]]:
    """The stop by the names that the start had, and by those it should have had."""
    start = begun.operation
    stop = Stop(start.task, None, start.kind, start.room, start.app)
    usual, same = draft(stop, accounts, names), draft(stop, accounts, names)
    same.body = {key: value for key, value in same.body.items() if key not in _NAMES}
    same.body |= {key: begun.request.body[key] for key in _NAMES if key in begun.request.body}
    yield stop, same
    if same.body != usual.body:
        yield stop, usual


def _find(loose: Mapping[object, Loose], stop: Step) -> Sequence[object]:
    """What a stop is of: what bears its very names, or else what they are other forms of."""
    names, key = _read_names(stop), key_of(stop.operation)
    if names in loose:
        return [names]
    return [each for each, (begun, _sure) in loose.items() if key_of(begun.operation) == key]


def _read_names(step: Step) -> object:
    body = step.request.body
    return step.operation.app, *(repr(body.get(name)) for name in _NAMES)
