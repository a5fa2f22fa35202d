"""What runs: tasks, and what starts, updates and ends them (contract, sections 4 and 5).

What one fault makes of a call is said where the rule is that it breaks.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial

from tests.mutants.addresses import Address
from tests.mutants.conduct import Conduct, Refused
from tests.mutants.fields import Request
from tests.mutants.holdings import Holdings
from tests.mutants.pushes import STARTED, STOPPED, Change, Task, identify
from tests.mutants.quotas import Quotas

Check = Callable[[Request, Task | None], None]
Delayed = tuple[float, Callable[[], list[Change]]]


class Tasks:
    """All tasks of the service. Refusals are raised as Refused."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._running: list[Task] = []
        self._holdings = Holdings(conduct, self._running)
        self._quotas = Quotas(conduct, self._running)
        self._names: set[tuple[int, str, str]] = set()
        self._ended: dict[tuple[int, str, str], Task] = {}
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
                if self._holdings.find(request, address.key) is None:
                    self._holdings.keep([address.key], None)
        if self._conduct.has("rejected-start-claims-id"):
            self._names.add(identify(request))
        if self._conduct.has("refusals-told"):
            texts = [address.text for address in request.addresses or ()]
            task = self._make(request)
            self._delayed.append((0.0, lambda: [Change(task, text, STARTED) for text in texts]))
        running = self._find(request)
        is_flawed = refused.problem == "invalid_parameter"
        if running and is_flawed and self._conduct.has("flawed-update-loses-addresses"):
            running.addresses = {}
        if self._conduct.has("rejected-start-counts"):
            self._quotas.phantoms[request.appid] += 1

    def pop_delayed(self) -> list[Delayed]:
        """What a faulty server does only so many seconds after its reply."""
        delayed, self._delayed = self._delayed, []
        return delayed

    # What starts.

    async def _start(self, request: Request) -> list[Change]:
        checks: list[Check] = [self._check_name, self._check_room]
        checks += [self._check_addresses, self._quotas.check_quota, self._quotas.check_room_quota]
        if self._conduct.has("address-before-room"):
            checks[1], checks[2] = checks[2], checks[1]
        if self._conduct.has("quota-before-address"):
            checks[2], checks[3] = checks[3], checks[2]
        if self._conduct.has("room-quota-before-quota"):
            checks[3], checks[4] = checks[4], checks[3]
        self._check_all(checks, request)
        races = {"address-race": self._check_addresses, "quota-race": self._quotas.check_quota}
        for fault, raced in races.items():
            if self._conduct.has(fault):
                # The seeded fault: the check is over, and others come in before the claim.
                await asyncio.sleep(0.05)
                self._check_all([check for check in checks if check != raced], request)
        if self._conduct.has("start-done-late"):
            self._delayed.append((1.0, partial(self._claim, request)))
            return []
        return self._claim(request)

    def _check_all(self, checks: Iterable[Check], request: Request) -> None:
        task = self._find(request)
        if task is not None:
            self._check_update(request, task)
        for check in checks:
            check(request, task)

    def _check_update(self, request: Request, task: Task) -> None:
        if (
            self._conduct.has("update-refused")
            or (self._conduct.has("second-update-refused") and task.is_updated)
            or (self._conduct.has("template-fixed") and task.is_custom != request.is_custom)
        ):
            raise Refused("address_in_use", next(iter(task.addresses.values()), ""))

    def _check_name(self, request: Request, task: Task | None) -> None:
        if task is not None:
            return
        twin = any(
            other.id == request.id
            and (other.kind == request.kind or self._conduct.has("kinds-share-names"))
            and (other.appid == request.appid or self._conduct.has("apps-share-names"))
            for other in self._running
        )
        ended = self._ended.get(identify(request))
        if (
            twin
            or identify(request) in self._names
            or (ended is not None and self._conduct.has("restart-refused"))
        ):
            raise Refused("room_mismatch", request.name)

    def _check_room(self, request: Request, task: Task | None) -> None:
        if self._conduct.has("restart-remembers-room"):
            task = task or self._ended.get(identify(request))
        if task and task.room != request.room and not self._conduct.has("room-may-change"):
            raise Refused("room_mismatch", str(request.room))

    def _check_addresses(self, request: Request, task: Task | None) -> None:
        if task is not None and self._conduct.has("update-address-unchecked"):
            return
        if request.is_custom and self._conduct.has("custom-address-unchecked"):
            return
        addresses = list(request.addresses or ())
        for address in self._choose(addresses):
            if self._conduct.has("update-holds-itself-up") and _holds(task, address):
                raise self._name_holder(address, task)
            holder = self._holdings.find(request, address.key)
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

    def _lose_some(self, request: Request, task: Task | None, taken: Address) -> None:
        """What a faulty server has already done of an update when it meets an address taken."""
        if task is None:
            return
        wanted = request.addresses or ()
        if self._conduct.has("update-not-atomic"):
            for address in wanted:
                if self._holdings.find(request, address.key) is None:
                    task.addresses.setdefault(address.key, address.text)
        if self._conduct.has("rejected-update-loses-addresses"):
            keys = {address.key for address in wanted}
            task.addresses = {k: text for k, text in task.addresses.items() if k in keys}

    def _name_holder(self, address: Address, task: Task | None) -> Refused:
        about = address.text
        if self._conduct.has("holder-told") and task is not None:
            about += f" by {task.name}"
        return Refused("address_in_use", "" if self._conduct.has("address-not-told") else about)

    def _claim(self, request: Request) -> list[Change]:
        wanted = {address.key: address.text for address in request.addresses or ()}
        task = self._find(request)
        if task is None:
            task = self._make(request)
            task.is_custom = request.is_custom
            self._running.append(task)
            self._ended.pop(identify(request), None)
        else:
            task.is_updated = True
            self._quotas.phantoms[request.appid] += self._conduct.has("update-counts")
            task.room = request.room or task.room
            wanted = self._meddle(task, wanted)
        return self._exchange(task, wanted)

    def _make(self, request: Request) -> Task:
        now = int(time.time() * 1000)
        room = request.room or ""
        return Task(request.appid, request.kind, request.name, request.id, room, {}, now)

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
            self._holdings.keep(left, task)
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
            self._quotas.phantoms[request.appid] -= 1
        ended_before = identify(request) in self._ended
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
        self._ended[identify(task)] = task
        self._quotas.phantoms[task.appid] += self._conduct.has("stop-keeps-quota")
        if self._conduct.has("place-free-after-2-s"):
            self._quotas.phantoms[task.appid] += 1
            self._delayed.append((2.0, partial(self._give_place_back, task.appid)))
        if task.kind == "mixed" and self._conduct.has("room-quota-not-freed"):
            self._quotas.ended_in_rooms[task.appid, task.room] += 1
        self._holdings.release(task)
        texts = list(task.addresses.values())
        texts = texts[:1] if self._conduct.has("only-first-stop-told") else texts
        return [Change(task, text, STOPPED) for text in texts]

    def _give_place_back(self, appid: int) -> list[Change]:
        self._quotas.phantoms[appid] -= 1
        return []

    def _find(self, request: Request) -> Task | None:
        own = identify(request)
        if not request.is_start and self._conduct.has("stop-kind-ignored"):
            same = [t for t in self._running if (t.appid, t.id) == (request.appid, request.id)]
            return next(iter(same), None)
        if self._conduct.has("rooms-part-names"):
            same = [task for task in self._running if identify(task) == own]
            return next((task for task in same if task.room == request.room), None)
        return next((task for task in self._running if identify(task) == own), None)


def _share_room(one: Task, other: Task) -> bool:
    return (one.appid, one.room) == (other.appid, other.room)


def _holds(task: Task | None, address: Address) -> bool:
    return task is not None and address.key in task.addresses
