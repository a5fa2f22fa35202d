"""What an accepted command writes: each change knows its one step on a `World`."""

from dataclasses import dataclass
from typing import NamedTuple

from fakerelay.core.model import App, Certificate, Push, Task, TaskKey
from fakerelay.core.world import World


@dataclass(slots=True)
class TaskChanged:
    """A task began (`before` is None), was updated, or ended (`after` is None)."""

    before: Task | None
    after: Task | None
    gained: tuple[Push, ...]
    lost: tuple[Push, ...]

    def apply(self, world: World) -> None:
        world.write_task(self.before, self.after, self.gained, self.lost)


class AddressesReleased(NamedTuple):
    """Addresses that left a task stay kept from other tasks for a while."""

    task_key: TaskKey
    lost: tuple[Push, ...]
    at: float
    until: float

    def apply(self, world: World) -> None:
        world.write_releases(self.task_key, self.lost, self.at, self.until)


class CallsCounted(NamedTuple):
    appid: int
    calls: tuple[float, ...]

    def apply(self, world: World) -> None:
        world.write_calls(self.appid, self.calls)


class AppPut(NamedTuple):
    app: App

    def apply(self, world: World) -> None:
        world.write_app(self.app)


class AppRemoved(NamedTuple):
    appid: int

    def apply(self, world: World) -> None:
        world.erase_app(self.appid)


class AppReset(NamedTuple):
    appid: int

    def apply(self, world: World) -> None:
        world.erase_tasks(self.appid)


class CertificatePut(NamedTuple):
    certificate: Certificate

    def apply(self, world: World) -> None:
        world.write_certificate(self.certificate)


class WorldRestored(NamedTuple):
    """Everything is as it was in another world, which is given away."""

    world: World

    def apply(self, world: World) -> None:
        world.replace(self.world)


Change = (
    TaskChanged
    | AddressesReleased
    | CallsCounted
    | AppPut
    | AppRemoved
    | AppReset
    | CertificatePut
    | WorldRestored
)
