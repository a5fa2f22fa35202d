"""How many pushes an app may have, and how many mixed tasks a room."""

from collections import Counter
from collections.abc import Sequence

from tests.mutants.conduct import Conduct, Refused
from tests.mutants.fields import Request
from tests.mutants.pushes import Task


class Quotas:
    """Counts `running`, which others change, and what a faulty server counts besides."""

    def __init__(self, conduct: Conduct, running: Sequence[Task]) -> None:
        self._conduct = conduct
        self._running = running
        self.phantoms: Counter[int] = Counter()
        self.ended_in_rooms: Counter[tuple[int, str]] = Counter()

    def check_quota(self, request: Request, task: Task | None) -> None:
        quota = self._conduct.number("concurrent_pushes", 5)
        unchecked = self._conduct.has("quota-unchecked", f"quota-unchecked-for-{request.kind}")
        exempt = task is not None and not self._conduct.has("full-quota-refuses-updates")
        if quota == 0 or unchecked or exempt:
            return
        quota -= self._conduct.has("quota-one-less")
        quota += self._conduct.has("quota-one-more")
        if self._count_pushes(request) >= quota:
            raise Refused("quota_exceeded", f"{quota} pushes")

    def _count_pushes(self, request: Request) -> int:
        tasks = [
            task
            for task in self._running
            if (task.appid == request.appid or self._conduct.has("quota-across-apps"))
            and (task.room == request.room or not self._conduct.has("quota-per-room"))
            and (task.kind == request.kind or not self._conduct.has("quota-per-kind"))
        ]
        phantoms = self.phantoms[request.appid]
        if self._conduct.has("quota-counts-addresses"):
            more = len(request.addresses or ()) - 1
            return sum(len(task.addresses) for task in tasks) + max(more, 0) + phantoms
        return len(tasks) + phantoms

    def check_room_quota(self, request: Request, task: Task | None) -> None:
        quota = self._conduct.number("mixed_tasks_per_room", 5)
        if request.kind != "mixed" or quota == 0 or task is not None:
            return
        quota -= self._conduct.has("room-quota-one-less")
        quota += self._conduct.has("room-quota-one-more")
        counted = [
            other
            for other in self._running
            if other.appid == request.appid
            and (other.room == request.room or self._conduct.has("room-quota-across-rooms"))
            and (other.kind == "mixed" or self._conduct.has("room-quota-counts-sources"))
        ]
        past = self.ended_in_rooms[request.appid, request.room or ""]
        if len(counted) + past >= quota and not self._conduct.has("room-quota-unchecked"):
            raise Refused("room_quota_exceeded", f"{quota} mixed tasks")
