"""One world's service: transact, then emit. No HTTP in here.

The only caller of `decide`; every timer and stamp comes from the world's clock.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fakerelay.core.certificates import check_app, check_certificate, read_token
from fakerelay.core.commands import Command, CountCall
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision, Refused, decide
from fakerelay.core.world import World
from fakerelay.ports import Clock, OpenGate, Store

Emit = Callable[[Sequence[PushStatusChanged], float, Profile], OpenGate | None]


class Applied(NamedTuple):
    """A decision; `open_gate` lets out what it caused, once its caller has been answered."""

    decision: Decision
    open_gate: OpenGate | None = None


class Service:
    """Applies commands to a store, one at a time, and hands on what they mean for those outside."""

    def __init__(self, store: Store, clock: Clock, profile: Profile, emit: Emit) -> None:
        self._store = store
        self._clock = clock
        self._emit = emit
        self.profile = profile

    @property
    def view(self) -> World:
        return self._store.view

    async def apply(self, command: Command) -> Applied:
        """Decide and write in one step; a refused command has changed nothing."""
        now = self._clock.now()
        profile = self.profile
        decision = await self._store.transact(
            command, lambda view, command: decide(view, command, now, profile)
        )
        if isinstance(decision, Accepted) and decision.events:
            return Applied(decision, self._emit(decision.events, now, profile))
        return Applied(decision)

    async def authorize(self, token: str | None, appid: int) -> Certificate | Problem:
        """Whether a `token` header opens the app now, its rate limit included."""
        credentials = read_token(token)
        if isinstance(credentials, Problem):
            return credentials
        certificate = check_certificate(self.view, *credentials)
        if isinstance(certificate, Problem):
            return certificate
        problem = check_app(self.view, certificate, appid)
        if problem is None and self.profile.rate_limit_per_second:
            decision = (await self.apply(CountCall(appid))).decision
            problem = decision.problem if isinstance(decision, Refused) else None
        return problem or certificate
