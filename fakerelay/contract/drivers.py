"""Operations done to a server over HTTP, each with fresh names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fakerelay.contract.clients import Client, Observed
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.drafts import Account, Draft, Names, draft
from fakerelay.contract.flaws import find_flaw
from fakerelay.contract.operations import RIGHT, Move, Operation, Race, Start, Stop
from fakerelay.contract.patience import Patience
from fakerelay.contract.styles import STYLES


@dataclass(frozen=True, slots=True)
class Step:
    """An operation as it was done; those of one `race`, counted from 1, at the same moment."""

    operation: Operation
    request: Draft
    observed: Observed
    race: int = 0


class Driver:
    """Does operations of one scenario, for the apps of `accounts`: 0, and 1 if there is one.

    `calls` are all that were made; `steps` are those that count: not what was asked again, and
    not what was asked aside.
    """

    def __init__(
        self,
        client: Client,
        accounts: Mapping[int, Account],
        names: Names,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self.accounts = accounts
        self.names = names
        self._patience = patience or Patience()
        self._races = 0
        self.steps: list[Step] = []
        self.calls: list[Step] = []

    def perform(self, operation: Operation) -> Step:
        return self.send(operation, make_request(operation, self.accounts, self.names))

    def send(self, operation: Operation, request: Draft) -> Step:
        """An operation by a request of one's own."""
        return self._note(Step(operation, request, self._client.send(request)))

    def repeat(self, step: Step) -> Step:
        """What was sent once more, as a call of its own; it counts in the place of the first."""
        request = make_request(step.operation, self.accounts, self.names)
        request.body = step.request.body
        place = next(n for n, each in enumerate(self.steps) if each is step)
        again = self.send(step.operation, request)
        self.steps[place] = self.steps.pop()
        return again

    def ask_aside(self, operation: Operation) -> Step:
        """Do what is no part of the scenario; what it starts is to be stopped all the same."""
        step = self.perform(operation)
        self.steps.pop()
        return step

    def move(self, move: Move) -> Sequence[Step]:
        """All at the same moment, if there are several."""
        if not isinstance(move, Race):
            return [self.perform(move)]
        self._races += 1
        requests = [make_request(each, self.accounts, self.names) for each in move.starts]
        answers = self._client.race(requests)
        told = zip(move.starts, requests, answers, strict=True)
        return [self._note(Step(*each, race=self._races)) for each in told]

    def _note(self, step: Step) -> Step:
        self._patience.note(step.observed)
        if isinstance(step.operation, Stop) and step.observed.is_accepted:
            self._patience.note_freed()
        self.steps.append(step)
        self.calls.append(step)
        return step


def list_moves(steps: Iterable[Step]) -> Sequence[Move]:
    """What was done, as values: raced steps are a race again."""
    moves: list[Move] = []
    for race, grouped in groupby(enumerate(steps), lambda pair: pair[1].race or -pair[0]):
        done = [step.operation for _number, step in grouped]
        starts = tuple(each for each in done if isinstance(each, Start))
        moves += [Race(starts)] if race > 0 else done
    return moves


def make_request(operation: Operation, accounts: Mapping[int, Account], names: Names) -> Draft:
    """The request of an operation, with its style and whatever is wrong with it."""
    request = draft(operation, accounts, names)
    STYLES[operation.style].change(request)
    if operation.credential != RIGHT:
        CREDENTIALS[operation.credential].spoil(request)
    if operation.flaw is not None:
        find_flaw(operation.flaw).spoil(request)
    return request
