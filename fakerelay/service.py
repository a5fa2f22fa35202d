"""One world's service: transact, then emit. No HTTP in here.

The only caller of `decide`; every timer and stamp comes from the world's clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fakerelay.core.certificates import check_app, check_certificate, read_token
from fakerelay.core.commands import Command, CountCall, StartPush
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision, Refused, decide
from fakerelay.core.world import World
from fakerelay.ports import Clock, Network, OpenGate, Store
from fakerelay.watch import Watch

Emit = Callable[[Sequence[PushStatusChanged], float, Profile], OpenGate | None]


@dataclass(slots=True)
class Applied:
    """A decision; `open_gate` lets out what it caused, once its caller has been answered."""

    decision: Decision
    open_gate: OpenGate | None = None


class Service:
    """Applies commands to a store, one at a time, and hands on what they mean for those outside.

    `watch` wakes when the state has changed, and `on_accepted` is told of what was decided and
    when; `network` has a say in how pushes fare.
    """

    def __init__(self, store: Store, clock: Clock, profile: Profile, emit: Emit) -> None:
        self._store = store
        self._clock = clock
        self._emit = emit
        self.profile = profile
        self.view: World = store.view
        self.network: Network | None = None
        self.on_accepted: Callable[[Accepted, float], None] | None = None
        self.watch = Watch()

    async def apply(self, command: Command, *, is_silent: bool = False) -> Applied:
        """Decide and write in one step; a refused command has changed nothing.

        Of a silent one no customer is told, and no fault meets the pushes that it begins.
        """
        now = self._clock.now()
        profile = self.profile
        network = self.network
        is_special = (
            type(command) is StartPush
            and network is not None
            and not is_silent
            and network.has_say(command)
        )
        decide_so = self._decide_foreseen if is_special else decide
        decision = await self._store.transact(command, now, profile, decide_so)
        if isinstance(decision, Accepted) and decision.changes:
            if self.on_accepted is not None:
                self.on_accepted(decision, now)
            if network is not None:
                network.hear(decision, now)
            self.watch.notify()
            if decision.events and not is_silent:
                open_gate = self._emit(decision.events, now, profile)
                if open_gate is not None and open_gate.wait_first is not None:
                    await open_gate.wait_first()
                return Applied(decision, open_gate)
        return Applied(decision)

    def _decide_foreseen(
        self, view: World, command: Command, now: float, profile: Profile
    ) -> Decision:
        """What is refused anyway begins no push, and nobody is asked about it."""
        decision = decide(view, command, now, profile)
        if isinstance(decision, Refused) or not isinstance(command, StartPush):
            return decision
        assert self.network is not None
        return decide(view, self.network.foresee(view, command, now), now, profile)

    def authorize(self, token: str | None, appid: int) -> Certificate | Problem:
        """The certificate of a `token` header, if it opens the app."""
        credentials = read_token(token)
        if isinstance(credentials, Problem):
            return credentials
        certificate = check_certificate(self.view, *credentials, self._clock.now())
        if isinstance(certificate, Problem):
            return certificate
        return check_app(self.view, certificate, appid) or certificate

    async def count_call(self, appid: int) -> Problem | None:
        """Count an authorized call, or refuse it for the rate limit."""
        decision = (await self.apply(CountCall(appid))).decision
        return decision.problem if isinstance(decision, Refused) else None
