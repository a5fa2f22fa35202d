"""The far end of every push of one world: how it fares there by itself, and when.

Stands in for the CDNs, and for the vendor's own watch over its pushes. What is to come lies in
an `Outlook` for each push concerned, with one timer at the earliest of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from fakerelay.core.addresses import mask_address
from fakerelay.core.changes import AppRemoved, AppReset, Change, TaskChanged
from fakerelay.core.commands import SetPushStatus, StartPush
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.fates import ANY_FATE, TAKEN, Fate, Fates, Turn, read_fate
from fakerelay.core.faults import Plans, Subject
from fakerelay.core.model import MIXED, SOURCE, PushAddress, TaskKey
from fakerelay.core.problems import NO_RULE, RuleWarning
from fakerelay.core.profile import PushPolicy
from fakerelay.core.pushes import CONNECTING, FAILURES, PUSHING, STOPPED
from fakerelay.core.rules import Accepted
from fakerelay.core.world import World
from fakerelay.errors import FakerelayError
from fakerelay.magic import DOMAIN, explain_stray, find_magic
from fakerelay.outlooks import Due, Outlook, Place, read_outlook, read_place, save_outlook
from fakerelay.ports import Clock, Served


class Cdn:
    """Lets the pushes of one world fail and recover, as plans, magic addresses and hands say.

    A plan wins over a magic address. An outlook ends with its push: none is handed on to another
    task, or to the same one started again.
    """

    def __init__(
        self, service: Served, clock: Clock, plans: Plans, *, has_magic: bool = True
    ) -> None:
        self._service = service
        self._clock = clock
        self._plans = plans
        self._has_magic = has_magic
        self._outlooks: dict[Place, Outlook] = {}
        self._work: set[asyncio.Task[None]] = set()

    # What the service asks and tells.

    def has_say(self, command: StartPush) -> bool:
        """Whether anything could become of its pushes but what becomes of any."""
        if self._plans.has("push"):
            return True
        if self._has_magic:
            for address in command.addresses:
                if DOMAIN in address.key:
                    return True
        return False

    def find_warnings(self, command: StartPush) -> list[RuleWarning]:
        """Magic addresses that are mistyped, by all appearances; no rule stands behind those."""
        strays = map(explain_stray, command.addresses if self._has_magic else ())
        return [RuleWarning(NO_RULE, stray, "rtmpurl") for stray in strays if stray is not None]

    def foresee(self, view: World, command: StartPush, now: float) -> StartPush:
        """The command with the fates of the pushes it begins; it is known to be acceptable."""
        task = view.task(command.key)
        new = [a for a in command.addresses if task is None or task.find_push(a.key) is None]
        # Those that refuse the command come first: no plan counts a push that doesn't begin.
        new.sort(key=lambda address: self._find_magic(address) is not TAKEN)
        fates: dict[str, Fate] = {}
        for address in new:
            fate = self._ask(command.key, command.room_id, address, now)
            if fate is not None:
                fates[address.key] = fate
            if fate is TAKEN:
                break
        return replace(command, fates=fates or None)

    def hear(self, decision: Accepted, now: float) -> None:
        """Take note of what has just been written."""
        policy = self._service.profile.push
        is_watching = policy.retry_seconds or policy.stop_after_failures
        fates = decision.fates
        if not (self._outlooks or fates or is_watching):
            return
        for change in decision.changes:
            self._forget(change)
            if isinstance(change, TaskChanged) and fates is not None:
                for push in change.gained:
                    self._begin(change, push.address, fates, now)
        for event in decision.events:
            if event.status != STOPPED:
                self._judge(event, policy, now)

    # What the control plane asks, and snapshots.

    def schedule(self, place: Place, status: int, after_seconds: float) -> None:
        """Let a push that runs take a status later."""
        outlook = self._outlooks.setdefault(place, Outlook())
        outlook.add(Turn(after_seconds, status), self._clock.now())
        self._arm(place, outlook)

    def scheduled(self, place: Place) -> list[tuple[float, int]]:
        """When a push takes which status, as far as it is known; a retry counts as connecting."""
        outlook = self._outlooks.get(place, _NO_OUTLOOK)
        known = [(due.at, due.turn.status) for due in outlook.dues]
        if outlook.retry_at is not None:
            known.append((outlook.retry_at, CONNECTING))
        return sorted(known)

    def save(self) -> list[dict[str, Any]]:
        """All that is to come, as JSON, in the order in which it comes."""
        outlooks = sorted(self._outlooks.items(), key=_by_turn)
        return [save_outlook(place, outlook) for place, outlook in outlooks]

    def restore(self, saved: Sequence[Mapping[str, Any]]) -> None:
        """Expect what `save` answered, and nothing else; what was due meanwhile comes at once.

        Raises FakerelayError for a push that the world hasn't.
        """
        outlooks = {read_place(each): read_outlook(each) for each in saved}
        for key, address_key in outlooks:
            task = self._service.view.task(key)
            if task is None or task.find_push(address_key) is None:
                shown = mask_address(address_key)
                raise FakerelayError(
                    f"Can't expect anything of {shown!r}: no task {key} pushes to it"
                )
        self.close()
        self._outlooks = outlooks
        for place, outlook in list(outlooks.items()):
            self._arm(place, outlook)

    def close(self) -> None:
        """Expect nothing any more."""
        for outlook in self._outlooks.values():
            _cancel(outlook)
        self._outlooks = {}
        for work in self._work:
            work.cancel()

    # What becomes of pushes.

    def _find_magic(self, address: PushAddress) -> Fate | None:
        return find_magic(address) if self._has_magic else None

    def _ask(self, key: TaskKey, room_id: str, address: PushAddress, now: float) -> Fate | None:
        """What is to become of a push that begins; None is as ever."""
        if self._plans.has("push"):
            taken = self._plans.take("push", _describe(key, room_id, address), now)
            if taken is not None:
                return read_fate(taken[1])
        return self._find_magic(address)

    def _begin(self, change: TaskChanged, address: PushAddress, fates: Fates, now: float) -> None:
        fate = fates.get(address.key)
        if change.after is not None and fate is not None and fate.turn is not None:
            place = change.after.key, address.key
            outlook = self._outlooks[place] = Outlook()
            outlook.add(fate.turn, now)
            self._arm(place, outlook)

    def _forget(self, change: Change) -> None:
        if isinstance(change, TaskChanged) and change.before is not None:
            for push in change.lost:
                self._drop((change.before.key, push.address.key))
        elif isinstance(change, AppRemoved | AppReset):
            for place in [each for each in self._outlooks if each[0][0] == change.appid]:
                self._drop(place)

    def _drop(self, place: Place) -> None:
        outlook = self._outlooks.pop(place, None)
        if outlook is not None:
            _cancel(outlook)

    def _judge(self, event: PushStatusChanged, policy: PushPolicy, now: float) -> None:
        """What the service does by itself about a push that failed (`push-retries`)."""
        place = event.key, event.address.key
        if event.status in FAILURES:
            if policy.retry_seconds or policy.stop_after_failures:
                outlook = self._outlooks.setdefault(place, Outlook())
                self._count_failure(place, outlook, policy, now)
        elif (known := self._outlooks.get(place)) is not None:
            known.failures, known.retry_at = 0, None
            self._arm(place, known)

    def _count_failure(
        self, place: Place, outlook: Outlook, policy: PushPolicy, now: float
    ) -> None:
        outlook.failures += 1
        outlook.retry_at = now + policy.retry_seconds if policy.retry_seconds else None
        if 0 < policy.stop_after_failures <= outlook.failures:
            outlook.dues = [Due(now, Turn(0, STOPPED))]
        self._arm(place, outlook)

    def _arm(self, place: Place, outlook: Outlook) -> None:
        """Set the timer anew; what holds nothing any more is forgotten."""
        _cancel(outlook)
        due_at = outlook.next_at()
        if due_at is not None:
            what = f"status of {mask_address(place[1])}"
            outlook.timer = self._clock.call_at(due_at, partial(self._fire, place, outlook), what)
        elif outlook.failures == 0:
            self._outlooks.pop(place, None)

    def _fire(self, place: Place, outlook: Outlook) -> None:
        outlook.timer = None
        work = asyncio.get_running_loop().create_task(self._take_turns(place, outlook))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        self._clock.track(work)

    async def _take_turns(self, place: Place, outlook: Outlook) -> None:
        """Do all that is due, as long as it is still this push's outlook."""
        now = self._clock.now()
        while self._outlooks.get(place) is outlook:
            turn = outlook.pop_due(now)
            if turn is not None:
                await self._service.apply(SetPushStatus(*place, turn.status))
            elif outlook.retry_at is not None and outlook.retry_at <= now:
                await self._retry(place, outlook, now)
            else:
                self._arm(place, outlook)
                break

    async def _retry(self, place: Place, outlook: Outlook, now: float) -> None:
        """Try once more: what has a recovery ahead of it, or a plan against it, fails again."""
        outlook.retry_at = None
        policy = self._service.profile.push
        task = self._service.view.task(place[0])
        push = task.find_push(place[1]) if task is not None else None
        if task is None or push is None or push.status not in FAILURES or not policy.retry_seconds:
            return
        status = push.status
        if not any(due.turn.status == PUSHING for due in outlook.dues):
            fate = self._ask(task.key, task.room_id, push.address, now) or ANY_FATE
            outlook.add(fate.turn, now)
            status = fate.begins
        if status == push.status:
            self._count_failure(place, outlook, policy, now)
        else:
            await self._service.apply(SetPushStatus(*place, status))


_NO_OUTLOOK: Final = Outlook()


def _by_turn(item: tuple[Place, Outlook]) -> tuple[float, int]:
    timer = item[1].timer
    return item[1].next_at() or 0.0, timer.number if timer is not None else 0


def _cancel(outlook: Outlook) -> None:
    if outlook.timer is not None:
        outlook.timer.cancel()
        outlook.timer = None


def _describe(key: TaskKey, room_id: str, address: PushAddress) -> Subject:
    appid, streamtype, name = key
    return Subject(
        appid,
        room_id=room_id,
        task_id=name if streamtype == MIXED else None,
        uid=name if streamtype == SOURCE else None,
        addresses=(address.spelled, address.key),
    )
