"""What runs: tasks, the addresses they hold, and quota (contract, sections 4 and 5).

What one fault makes of a call is said where the rule is that it breaks.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from tests.mutants.addresses import Address
from tests.mutants.conduct import Conduct, Refused
from tests.mutants.fields import Request

STARTED: Final = 0
STOPPED: Final = 3


@dataclass(eq=False)
class Task:
    """A running push; `addresses` maps what is compared to how it was spelled."""

    appid: int
    kind: str
    name: str
    room: str
    addresses: dict[str, str]
    starttime: int


class Change(NamedTuple):
    """The status of one address of a task changed."""

    task: Task
    address: str
    status: int


Check = Callable[[Request, Task | None], None]
Delayed = tuple[float, Callable[[], list[Change]]]


class Tasks:
    """All tasks of the service. Refusals are raised as Refused."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._running: list[Task] = []
        self._kept: dict[str, tuple[float, Task | None]] = {}
        self._names: set[tuple[int, str, str]] = set()
        self._ended: dict[tuple[int, str, str], Task] = {}
        self._phantoms: Counter[int] = Counter()
        self._updated: set[int] = set()
        self._delayed: list[Delayed] = []

    async def apply(self, request: Request) -> list[Change]:
        try:
            return await (self._start(request) if request.is_start else self._stop(request))
        except Refused as refused:
            self.spoil(request, refused)
            raise

    def spoil(self, request: Request, refused: Refused) -> None:
        """What a faulty server leaves of a rejected start: addresses, id or quota."""
        if not request.is_start:
            return
        fault = f"claims-though-{refused.problem.replace('_', '-')}"
        if self._conduct.has(fault):
            for address in request.addresses or ():
                if self._find_holder(request, address.key) is None:
                    self._kept[address.key] = (float("inf"), None)
        if self._conduct.has("rejected-start-claims-id"):
            self._names.add(_identify(request))
        if self._conduct.has("rejected-start-counts"):
            self._phantoms[request.appid] += 1

    def pop_delayed(self) -> list[Delayed]:
        """What a faulty server does only so many seconds after its reply."""
        delayed, self._delayed = self._delayed, []
        return delayed

    # What starts.

    async def _start(self, request: Request) -> list[Change]:
        checks: list[Check] = [self._check_name, self._check_room]
        checks += [self._check_addresses, self._check_quota, self._check_room_quota]
        if self._conduct.has("address-before-room"):
            checks[1], checks[2] = checks[2], checks[1]
        if self._conduct.has("quota-before-address"):
            checks[2], checks[3] = checks[3], checks[2]
        if self._conduct.has("room-quota-before-quota"):
            checks[3], checks[4] = checks[4], checks[3]
        self._check_all(checks, request)
        races = {"address-race": self._check_addresses, "quota-race": self._check_quota}
        for fault, raced in races.items():
            if self._conduct.has(fault):
                await asyncio.sleep(0.05)
                self._check_all([check for check in checks if check != raced], request)
        if self._conduct.has("start-done-late"):
            self._delayed.append((1.0, partial(self._claim, request)))
            return []
        return self._claim(request)

    def _check_all(self, checks: Iterable[Check], request: Request) -> None:
        task = self._find(request)
        if task is not None:
            self._check_update(task)
        for check in checks:
            check(request, task)

    def _check_update(self, task: Task) -> None:
        if self._conduct.has("update-refused") or (
            self._conduct.has("second-update-refused") and id(task) in self._updated
        ):
            raise Refused("address_in_use", next(iter(task.addresses.values()), ""))

    def _check_name(self, request: Request, task: Task | None) -> None:
        if task is not None:
            return
        twin = any(
            other.name == request.name
            and (other.kind == request.kind or self._conduct.has("kinds-share-names"))
            and (other.appid == request.appid or self._conduct.has("apps-share-names"))
            for other in self._running
        )
        ended = self._ended.get(_identify(request))
        if (
            twin
            or _identify(request) in self._names
            or (ended is not None and self._conduct.has("restart-refused"))
        ):
            raise Refused("room_mismatch", request.name)

    def _check_room(self, request: Request, task: Task | None) -> None:
        if self._conduct.has("restart-remembers-room"):
            task = task or self._ended.get(_identify(request))
        if task and task.room != request.room and not self._conduct.has("room-may-change"):
            raise Refused("room_mismatch", str(request.room))

    def _check_addresses(self, request: Request, task: Task | None) -> None:
        if task is not None and self._conduct.has("update-address-unchecked"):
            return
        addresses = list(request.addresses or ())
        for address in self._choose(addresses):
            if self._conduct.has("update-holds-itself-up") and _holds(task, address):
                raise self._name_holder(address, task)
            holder = self._find_holder(request, address.key)
            if holder is not None:
                self._lose_some(request, task, address)
                raise self._name_holder(address, holder[0])
        unchanged = task and [address.key for address in addresses] == list(task.addresses)
        if unchanged and self._conduct.has("unchanged-update-refused"):
            raise self._name_holder(addresses[0], task)

    def _choose(self, addresses: list[Address]) -> list[Address]:
        """Which of the addresses are compared at all."""
        if self._conduct.has("address-unchecked"):
            return []
        if self._conduct.has("only-first-address-checked"):
            return addresses[:1]
        if self._conduct.has("only-first-three-checked"):
            return addresses[:3]
        if self._conduct.has("only-last-address-checked"):
            return addresses[-1:]
        return addresses[1:] if self._conduct.has("first-address-unchecked") else addresses

    def _find_holder(self, request: Request, key: str) -> tuple[Task | None] | None:
        """The other task that holds an address, in a tuple; of a kept one there may be none."""
        own = _identify(request)
        for task in self._running:
            if key in task.addresses and _identify(task) != own and self._sees(request, task):
                return (task,)
        until, former = self._kept.get(key, (0.0, None))
        if time.monotonic() < until and (former is None or _identify(former) != own):
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
            or (request.kind == "mixed" and self._conduct.has("address-unchecked-for-mixed"))
            or (request.room != task.room and self._conduct.has("address-unchecked-across-rooms"))
            or (request.room == task.room and self._conduct.has("address-unchecked-within-room"))
        )

    def _lose_some(self, request: Request, task: Task | None, taken: Address) -> None:
        """What a faulty server has already done of an update when it meets an address taken."""
        if task is None:
            return
        wanted = request.addresses or ()
        if self._conduct.has("update-not-atomic"):
            for address in wanted:
                if self._find_holder(request, address.key) is None:
                    task.addresses.setdefault(address.key, address.text)
        if self._conduct.has("rejected-update-loses-addresses"):
            keys = {address.key for address in wanted}
            task.addresses = {k: text for k, text in task.addresses.items() if k in keys}

    def _name_holder(self, address: Address, task: Task | None) -> Refused:
        about = address.text
        if self._conduct.has("holder-told") and task is not None:
            about += f" by {task.name}"
        return Refused("address_in_use", "" if self._conduct.has("address-not-told") else about)

    def _check_quota(self, request: Request, task: Task | None) -> None:
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
        phantoms = self._phantoms[request.appid]
        if self._conduct.has("quota-counts-addresses"):
            more = len(request.addresses or ()) - 1
            return sum(len(task.addresses) for task in tasks) + max(more, 0) + phantoms
        return len(tasks) + phantoms

    def _check_room_quota(self, request: Request, task: Task | None) -> None:
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
        if len(counted) >= quota and not self._conduct.has("room-quota-unchecked"):
            raise Refused("room_quota_exceeded", f"{quota} mixed tasks")

    def _claim(self, request: Request) -> list[Change]:
        wanted = {address.key: address.text for address in request.addresses or ()}
        task = self._find(request)
        if task is None:
            now = int(time.time() * 1000)
            names = (request.appid, request.kind, request.name, request.room or "")
            task = Task(*names, addresses={}, starttime=now)
            self._running.append(task)
            self._ended.pop(_identify(request), None)
        else:
            self._updated.add(id(task))
            self._phantoms[request.appid] += self._conduct.has("update-counts")
            task.room = request.room or task.room
            wanted = self._meddle(task, wanted)
        return self._exchange(task, wanted)

    def _meddle(self, task: Task, wanted: dict[str, str]) -> dict[str, str]:
        """The addresses that an update leaves the task with."""
        if self._conduct.has("update-merges"):
            return task.addresses | wanted
        if self._conduct.has("update-drops-kept"):
            return {key: text for key, text in wanted.items() if key not in task.addresses}
        if self._conduct.has("update-ignores-new"):
            return {key: text for key, text in wanted.items() if key in task.addresses}
        return task.addresses if self._conduct.has("update-ignores-addresses") else wanted

    def _exchange(self, task: Task, wanted: dict[str, str]) -> list[Change]:
        left = {key: text for key, text in task.addresses.items() if key not in wanted}
        came = {key: text for key, text in wanted.items() if key not in task.addresses}
        kept = [text for key, text in wanted.items() if key in task.addresses]
        task.addresses = dict(wanted)
        if self._conduct.has("left-addresses-kept"):
            self._kept |= {key: (float("inf"), task) for key in left}
        told = [Change(task, text, STOPPED) for text in left.values()]
        told = [] if self._conduct.has("left-not-told") else told
        if self._conduct.has("kept-told"):
            told += [Change(task, text, STARTED) for text in kept]
        if not (self._conduct.has("came-not-told") and (left or kept)):
            told += [Change(task, text, STARTED) for text in came.values()]
        return told

    # What ends.

    async def _stop(self, request: Request) -> list[Change]:
        task = self._find(request)
        if task is None:
            return self._stop_unknown(request)
        if self._conduct.has("stop-refused"):
            raise Refused("task_not_found", request.name)
        if request.room not in (task.room, None) and not self._conduct.has("stop-in-any-room"):
            raise Refused("room_mismatch", str(request.room))
        if request.addresses is not None and not self._conduct.has("partial-stop-ends-all"):
            return self._stop_some(task, request.addresses)
        fake = self._conduct.has("stop-does-nothing", f"stop-does-nothing-for-{task.kind}")
        if fake:
            return []
        if self._conduct.has("stop-done-late"):
            self._delayed.append((1.0, partial(self._end, task)))
            return []
        ended = self._end(task)
        if self._conduct.has("stop-ends-room"):
            others = [each for each in self._running if _share_room(each, task)]
            ended += [change for each in others for change in self._end(each)]
        return ended

    def _stop_unknown(self, request: Request) -> list[Change]:
        if self._conduct.has("unknown-stop-frees-quota"):
            self._phantoms[request.appid] -= 1
        ended_before = _identify(request) in self._ended
        if self._conduct.has("unknown-stop-accepted") or (
            ended_before and self._conduct.has("second-stop-accepted")
        ):
            return []
        raise Refused("task_not_found", request.name)

    def _stop_some(self, task: Task, addresses: tuple[Address, ...]) -> list[Change]:
        if self._conduct.has("partial-stop-ignored"):
            return []
        for address in addresses:
            foreign = not _holds(task, address)
            if foreign and not self._conduct.has("stop-of-foreign-address-accepted"):
                raise Refused("address_not_in_task", address.text)
        keys = {address.key for address in addresses}
        rest = {key: text for key, text in task.addresses.items() if key not in keys}
        if rest or self._conduct.has("partial-stop-keeps-empty-task"):
            return self._exchange(task, rest)
        return self._end(task)

    def _end(self, task: Task) -> list[Change]:
        if task not in self._running:
            return []
        if not self._conduct.has("stopped-task-runs-on"):
            self._running.remove(task)
        self._ended[_identify(task)] = task
        self._phantoms[task.appid] += self._conduct.has("stop-keeps-quota")
        self._release(task)
        texts = list(task.addresses.values())
        texts = texts[:1] if self._conduct.has("only-first-stop-told") else texts
        return [Change(task, text, STOPPED) for text in texts]

    def _release(self, task: Task) -> None:
        now, keys = time.monotonic(), list(task.addresses)
        for fault, seconds in (("released-after-3-s", 3.0), ("released-after-2-s", 2.0)):
            if self._conduct.has(fault):
                self._kept |= dict.fromkeys(keys, (now + seconds, task))
        if self._conduct.has("released-at-next-stop"):
            self._kept = {key: (float("inf"), task) for key in keys}
        kept = keys if self._conduct.has("never-released") else []
        kept = keys[1:] if self._conduct.has("only-first-address-released") else kept
        kept = keys[:-1] if self._conduct.has("only-last-address-released") else kept
        self._kept |= {key: (float("inf"), task) for key in kept}

    def _find(self, request: Request) -> Task | None:
        own = _identify(request)
        if not request.is_start and self._conduct.has("stop-kind-ignored"):
            same = [t for t in self._running if (t.appid, t.name) == (request.appid, request.name)]
            return next(iter(same), None)
        if self._conduct.has("rooms-part-names"):
            same = [task for task in self._running if _identify(task) == own]
            return next((task for task in same if task.room == request.room), None)
        return next((task for task in self._running if _identify(task) == own), None)


def _identify(what: Request | Task) -> tuple[int, str, str]:
    return what.appid, what.kind, what.name


def _share_room(one: Task, other: Task) -> bool:
    return (one.appid, one.room) == (other.appid, other.room)


def _holds(task: Task | None, address: Address) -> bool:
    return task is not None and address.key in task.addresses
