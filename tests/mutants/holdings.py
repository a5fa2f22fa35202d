"""Who holds which address: running tasks, and what is kept though none of them has it."""

import time
from collections.abc import Iterable, Sequence

from tests.mutants.conduct import Conduct
from tests.mutants.fields import Request
from tests.mutants.pushes import Task, identify


class Holdings:
    """Looks into `running`, which others change; correct servers keep nothing besides."""

    def __init__(self, conduct: Conduct, running: Sequence[Task]) -> None:
        self._conduct = conduct
        self._running = running
        self._kept: dict[str, tuple[float, Task | None]] = {}

    def keep(self, keys: Iterable[str], task: Task | None, seconds: float = float("inf")) -> None:
        """Addresses are held in the name of a task that may be over, or of none."""
        self._kept |= dict.fromkeys(keys, (time.monotonic() + seconds, task))

    def find(self, request: Request, key: str) -> tuple[Task | None] | None:
        """The other task that holds an address, in a tuple; of a kept one there may be none."""
        own = identify(request)
        for task in self._running:
            if key in task.addresses and identify(task) != own and self._sees(request, task):
                return (task,)
        until, former = self._kept.get(key, (0.0, None))
        if time.monotonic() < until and (former is None or identify(former) != own):
            return (former,)
        return None

    def _sees(self, request: Request, task: Task) -> bool:
        same_app, same_kind = request.appid == task.appid, request.kind == task.kind
        scope = self._conduct.profile.get("address_scope", "service")
        return not (
            (
                not same_app
                and (scope == "app" or self._conduct.has("address-unchecked-across-apps"))
            )
            or (not same_kind and self._conduct.has("address-unchecked-across-kinds"))
            or (same_kind and self._conduct.has("address-unchecked-within-kind"))
            or (request.id == task.id and self._conduct.has("address-unchecked-for-namesakes"))
            or (request.kind == "mixed" and self._conduct.has("address-unchecked-for-mixed"))
            or (request.room != task.room and self._conduct.has("address-unchecked-across-rooms"))
            or (request.room == task.room and self._conduct.has("address-unchecked-within-room"))
        )

    def release(self, task: Task) -> None:
        keys = list(task.addresses)
        for fault, seconds in (("released-after-3-s", 3.0), ("released-after-2-s", 2.0)):
            if self._conduct.has(fault):
                self.keep(keys, task, seconds)
        if self._conduct.has("released-at-next-stop"):
            self._kept.clear()
            self.keep(keys, task)
        if self._conduct.has("never-released"):
            self.keep(keys, task)
        if self._conduct.has("only-first-address-released"):
            self.keep(keys[1:], task)
        if self._conduct.has("only-last-address-released"):
            self.keep(keys[:-1], task)
