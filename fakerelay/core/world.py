"""The state of one vendor service: accounts, apps, running tasks, the address space.

`decide` reads it; only a store writes it, by applying the changes of an accepted command.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fakerelay.core.model import MIXED, App, Certificate, Push, Release, Task, TaskKey

K = TypeVar("K")


class World:
    """Every lookup and every write is one or two steps in a dict, however many tasks run."""

    def __init__(self) -> None:
        self._apps: dict[int, App] = {}
        self._certificates: dict[str, Certificate] = {}
        self._tasks: dict[TaskKey, Task] = {}
        self._holders: dict[str, tuple[TaskKey, ...]] = {}
        self._releases: dict[str, tuple[Release, ...]] = {}
        self._release_ends: deque[tuple[float, str]] = deque()
        self._running: dict[int, int] = {}
        self._mixed: dict[tuple[int, str], int] = {}
        self._calls: dict[int, tuple[float, ...]] = {}
        self.revision = 0

    @classmethod
    def of(
        cls,
        apps: Iterable[App],
        certificates: Iterable[Certificate],
        tasks: Iterable[Task],
        releases: Iterable[tuple[str, Release]],
        calls: Iterable[tuple[int, tuple[float, ...]]],
        revision: int,
    ) -> "World":
        """A world in which all this is so, each in the order in which it came to be."""
        world = cls()
        for app in apps:
            world.write_app(app)
        for certificate in certificates:
            world.write_certificate(certificate)
        for task in tasks:
            world.write_task(None, task, task.pushes, ())
        for address_key, release in releases:
            world._keep(address_key, release)
        for appid, times in calls:
            world.write_calls(appid, times)
        world.revision = revision
        return world

    # What `decide` reads.

    def app(self, appid: int) -> App | None:
        return self._apps.get(appid)

    def certificate(self, certificate_id: str) -> Certificate | None:
        return self._certificates.get(certificate_id)

    def task(self, key: TaskKey) -> Task | None:
        return self._tasks.get(key)

    def holders(self, address_key: str) -> tuple[TaskKey, ...]:
        """Who pushes to an address: several tasks only where `address_scope` is `app`."""
        return self._holders.get(address_key, ())

    def releases(self, address_key: str) -> tuple[Release, ...]:
        return self._releases.get(address_key, ())

    def running_count(self, appid: int) -> int:
        return self._running.get(appid, 0)

    def mixed_count(self, appid: int, room_id: str) -> int:
        return self._mixed.get((appid, room_id), 0)

    def recent_calls(self, appid: int) -> tuple[float, ...]:
        """When the last calls that the rate limit counts came, oldest first."""
        return self._calls.get(appid, ())

    # What lists read besides.

    def apps(self) -> Iterator[App]:
        return iter(self._apps.values())

    def certificates(self) -> Iterator[Certificate]:
        return iter(self._certificates.values())

    def tasks(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def released(self) -> Iterator[tuple[str, Release]]:
        """Each release with the key of its address; some may be over."""
        return ((key, each) for key, kept in self._releases.items() for each in kept)

    def counted(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        """Each app whose calls are counted, and what `recent_calls` says of it."""
        return iter(self._calls.items())

    # What the changes of an accepted command write.

    def write_task(
        self,
        before: Task | None,
        after: Task | None,
        gained: tuple[Push, ...],
        lost: tuple[Push, ...],
    ) -> None:
        """Put `after` in the place of `before`; claim what it gained, free what it lost."""
        self.revision += 1
        if after is None:
            if before is not None:
                del self._tasks[before.key]
                self._count(before, -1)
        else:
            self._tasks[after.key] = after
            if before is None:
                self._count(after, 1)
            for push in gained:
                address_key = push.address.key
                self._holders[address_key] = (*self.holders(address_key), after.key)
                if self._releases:
                    # Who claims an address ends its own app's releases of it.
                    self._keep_releases(address_key, lambda each: each.task_key[0] != after.key[0])
        if lost and before is not None:
            self._free(before.key, lost)

    def write_releases(
        self, task_key: TaskKey, lost: tuple[Push, ...], at: float, until: float
    ) -> None:
        """Keep what a task lost `at` a time from others, and forget what is over by then."""
        while self._release_ends and self._release_ends[0][0] <= at:
            self._keep_releases(self._release_ends.popleft()[1], lambda each: each.until > at)
        for push in lost:
            self._keep(push.address.key, Release(task_key, until))

    def write_app(self, app: App) -> None:
        self.revision += 1
        self._apps[app.appid] = app

    def erase_app(self, appid: int) -> None:
        self.erase_tasks(appid)
        self._apps.pop(appid, None)

    def erase_tasks(self, appid: int) -> None:
        """Forget an app's tasks, the addresses they hold or held, and its counted calls."""
        for task in [task for task in self._tasks.values() if task.key[0] == appid]:
            self.write_task(task, None, (), task.pushes)
        for address_key in list(self._releases):
            self._keep_releases(address_key, lambda each: each.task_key[0] != appid)
        self._calls.pop(appid, None)
        self.revision += 1

    def write_certificate(self, certificate: Certificate) -> None:
        self.revision += 1
        self._certificates[certificate.id] = certificate

    def replace(self, other: "World") -> None:
        """Become what another world is; that one is not to be used any more."""
        vars(self).update(vars(other))

    def write_calls(self, appid: int, calls: tuple[float, ...]) -> None:
        """What the rate limit counts is no state of the service: the revision stays."""
        self._calls[appid] = calls

    def _free(self, task_key: TaskKey, lost: tuple[Push, ...]) -> None:
        for push in lost:
            address_key = push.address.key
            left = self._holders.pop(address_key)
            if len(left) > 1:
                self._holders[address_key] = tuple([key for key in left if key != task_key])

    def _keep(self, address_key: str, release: Release) -> None:
        self._releases[address_key] = (*self.releases(address_key), release)
        self._release_ends.append((release.until, address_key))

    def _keep_releases(self, address_key: str, is_kept: Callable[[Release], bool]) -> None:
        kept = tuple([each for each in self._releases.pop(address_key, ()) if is_kept(each)])
        if kept:
            self._releases[address_key] = kept

    def _count(self, task: Task, step: int) -> None:
        appid, streamtype, _ = task.key
        _count_up(self._running, appid, step)
        if streamtype == MIXED:
            _count_up(self._mixed, (appid, task.room_id), step)


def _count_up(counts: dict[K, int], key: K, step: int) -> None:
    """What counts none is forgotten."""
    count = counts.get(key, 0) + step
    if count:
        counts[key] = count
    else:
        del counts[key]
