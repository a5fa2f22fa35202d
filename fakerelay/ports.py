"""What the service needs of the outside: a store, a clock, ids, somebody who sends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple, Protocol

from fakerelay.core.commands import Command, StartPush
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision
from fakerelay.core.world import World

ClockMode = Literal["real", "frozen"]
Decide = Callable[[World, Command, float, Profile], Decision]


class OpenGate(Protocol):
    """Says that the caller has been answered, so that what the call caused may be told to others.

    `wait_first` is what has to be awaited before that, where a fault has a callback overtake the
    reply.
    """

    @property
    def wait_first(self) -> Callable[[], Awaitable[None]] | None: ...

    def __call__(self) -> None: ...


class Store(Protocol):
    """Keeps one world; an accepted command is one atomic change."""

    @property
    def view(self) -> World:
        """The state as it stands, to read from."""

    async def transact(
        self, command: Command, now: float, profile: Profile, decide: Decide
    ) -> Decision:
        """Decide on a command and, if it is accepted, write its changes in the same step."""


class Served(Protocol):
    """One world's service, as those see it that act on it by themselves."""

    profile: Profile

    @property
    def view(self) -> World:
        """The state as it stands, to read from."""

    async def apply(self, command: Command) -> object:
        """Decide, and write what is accepted."""


class Network(Protocol):
    """Where the pushes of one world go, and what becomes of them there."""

    def has_say(self, command: StartPush) -> bool:
        """Whether `foresee` may have anything to say; asked with every start, so quick."""

    def foresee(self, view: World, command: StartPush, now: float) -> StartPush:
        """An acceptable command with the fates of the pushes that it begins."""

    def hear(self, decision: Accepted, now: float) -> None:
        """Take note of what has just been written."""


class Timer(Protocol):
    """Something due; a cancelled timer never fires. `number` counts them in order of making."""

    @property
    def number(self) -> int: ...

    def cancel(self) -> None: ...


class Clock(Protocol):
    """The one time of a world, behind every timer in it."""

    mode: ClockMode

    def now(self) -> float:
        """Seconds since 1970."""

    def call_at(self, due_at: float, callback: Callable[[], None], what: str = "") -> Timer:
        """Call back once `now()` has reached `due_at`; `what` says what for."""

    def track(self, work: asyncio.Future[Any]) -> None:
        """Name a task that a step of time has to wait for before it counts as done."""


class MadeIds(NamedTuple):
    """How many ids of each kind have been made up."""

    messages: int
    traces: int


class IdSource(Protocol):
    """Makes up names nobody else has."""

    @property
    def made(self) -> MadeIds | None:
        """How far it is, where another source with the same seed could go on from there."""

    def resume(self, made: MadeIds) -> None:
        """Go on from where a source with the same seed had come to, where there is a seed."""

    def message_id(self) -> str: ...

    def trace_id(self) -> str: ...


class Sent(NamedTuple):
    """How an attempt to deliver went: an HTTP `status`, or the `error` that kept it from one.

    `answer` is the beginning of the receiver's answer, None where there was no body.
    """

    status: int | None
    error: str | None
    duration_seconds: float
    answer: str | None = None


class Sender(Protocol):
    """Posts a body to a URL; never raises for what the receiver or the network does."""

    async def send(
        self,
        url: str,
        body: bytes,
        timeout_seconds: float,
        content_type: str = "application/json",
    ) -> Sent: ...
