"""A world in this process's memory: gone with it."""

from fakerelay.core.commands import Command
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision
from fakerelay.core.world import World
from fakerelay.ports import Decide


class MemoryStore:
    """Decides and writes without an await between: no other call can come in the middle."""

    def __init__(self) -> None:
        self._world = World()

    @property
    def view(self) -> World:
        return self._world

    async def transact(
        self, command: Command, now: float, profile: Profile, decide: Decide
    ) -> Decision:
        decision = decide(self._world, command, now, profile)
        if isinstance(decision, Accepted):
            for change in decision.changes:
                change.apply(self._world)
        return decision
