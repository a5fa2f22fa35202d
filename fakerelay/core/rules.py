"""`decide`: what becomes of a command that has been read (`contract.md` sections 4 and 5).

Pure and total: it reads the view, changes nothing, and answers every command with a decision.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fakerelay.core import problems, pushes
from fakerelay.core.changes import (
    AddressesReleased,
    AppPut,
    AppRemoved,
    AppReset,
    CallsCounted,
    CertificatePut,
    Change,
    TaskChanged,
    WorldRestored,
)
from fakerelay.core.commands import (
    Command,
    CountCall,
    PutApp,
    PutCertificate,
    RemoveApp,
    ResetApp,
    RestoreWorld,
    SetPushStatus,
    StartPush,
    StopPush,
)
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.fates import ANY_FATE, Fates
from fakerelay.core.model import KIND_NAMES, MIXED, Push, PushAddress, Task, TaskKey
from fakerelay.core.problems import Problem
from fakerelay.core.profile import Profile
from fakerelay.core.world import World


@dataclass(slots=True)
class Accepted:
    """One atomic change, and what it means for those outside; the order of `events` is theirs.

    `fates` are those of the pushes that began.
    """

    changes: tuple[Change, ...]
    events: tuple[PushStatusChanged, ...] = ()
    fates: Fates | None = None


@dataclass(slots=True)
class Refused:
    """Nothing changes; the problem says why."""

    problem: Problem


Decision = Accepted | Refused


def decide(view: World, command: Command, now: float, profile: Profile) -> Decision:
    """What the service does about `command` at `now` (seconds since 1970)."""
    return _DECIDERS[type(command)](view, command, now, profile)


def start_push(view: World, command: StartPush, now: float, profile: Profile) -> Decision:
    task = view.task(command.key)
    problem = _refuse_start(view, command, task, now, profile)
    if problem is not None:
        return Refused(problem)
    if task is None:
        return _begin_task(command, now)
    return _update_task(task, command, now, profile)


def _refuse_start(
    view: World, command: StartPush, task: Task | None, now: float, profile: Profile
) -> Problem | None:
    """The first rule broken, in the order of `contract.md` section 4 (`order-of-rules`)."""
    if profile.requires_live_room:
        app = view.app(command.key[0])
        if app is None or app.live_users(command.room_id) is None:
            return problems.room_not_live(command.room_id)
    if task is not None and task.room_id != command.room_id:
        return problems.room_mismatch("room-fixed", command.room_id, task.room_id)
    for address in command.addresses:
        holder = _find_holder(view, command, address, now, profile)
        if holder is not None:
            return problems.address_in_use(address, holder)
    return _refuse_quota(view, command, profile) if task is None else None


def _refuse_quota(view: World, command: StartPush, profile: Profile) -> Problem | None:
    appid, streamtype, _ = command.key
    running = view.running_count(appid)
    if 0 < profile.concurrent_pushes <= running:
        return problems.quota_exceeded(appid, profile.concurrent_pushes, running)
    limit = profile.mixed_tasks_per_room
    if streamtype == MIXED and 0 < limit <= view.mixed_count(appid, command.room_id):
        return problems.room_quota_exceeded(command.room_id, limit)
    return None


def _find_holder(
    view: World, command: StartPush, address: PushAddress, now: float, profile: Profile
) -> Mapping[str, Any] | None:
    """Who keeps `address` from the command's task, told as far as its caller may know it."""
    key = command.key
    holders = view.holders(address.key)
    if key in holders:
        return None
    if command.fates is not None and command.fates.get(address.key, ANY_FATE).is_taken:
        return {"task": "none: a magic address"}
    is_service_wide = profile.address_scope == "service"
    for holder in holders:
        if is_service_wide or holder[0] == key[0]:
            return _describe_holder(view, holder, key[0], address)
    for release in view.releases(address.key):
        other = release.task_key
        if release.until > now and other != key and (is_service_wide or other[0] == key[0]):
            return {"released": True, "free_at": release.until}
    return None


def _describe_holder(
    view: World, holder: TaskKey, appid: int, address: PushAddress
) -> Mapping[str, Any]:
    if holder[0] != appid:
        return {"task": "another app's"}
    task = view.task(holder)
    push = task.find_push(address.key) if task is not None else None
    return {
        "kind": KIND_NAMES[holder[1]],
        "name": holder[2],
        "since": push.since if push is not None else None,
    }


def _begin_task(command: StartPush, now: float) -> Accepted:
    gained = tuple([_begin_push(command, address, now) for address in command.addresses])
    task = Task(command.key, command.room_id, gained, command.mixconfig, now, now, 1)
    events = _tell(task, gained, command.trace_id)
    return Accepted((TaskChanged(None, task, gained, ()),), events, command.fates)


def _update_task(task: Task, command: StartPush, now: float, profile: Profile) -> Accepted:
    """The new list replaces the old: new starts, missing stops, the rest goes on unbroken."""
    kept = {push.address.key: push for push in task.pushes}
    current, gained = [], []
    for address in command.addresses:
        push = kept.pop(address.key, None)
        if push is None:
            push = _begin_push(command, address, now)
            gained.append(push)
        elif push.address.spelled != address.spelled:
            push = Push(address, push.status, push.since)
        current.append(push)
    lost = tuple(kept.values())
    after = Task(
        task.key,
        task.room_id,
        tuple(current),
        command.mixconfig,
        task.started_at,
        now,
        task.revision + 1,
    )
    trace_id = command.trace_id
    events = tuple([_changed(after, push, pushes.STOPPED, trace_id) for push in lost])
    events += _tell(after, gained, trace_id)
    changes = _changes(task, after, tuple(gained), lost, now, profile)
    return Accepted(changes, events, command.fates)


def _begin_push(command: StartPush, address: PushAddress, now: float) -> Push:
    fates = command.fates
    begins = pushes.PUSHING if fates is None else fates.get(address.key, ANY_FATE).begins
    return Push(address, begins, now)


def _tell(
    task: Task, turned: Iterable[Push], trace_id: str | None
) -> tuple[PushStatusChanged, ...]:
    """What is told of pushes that have a new status: of those that still connect, nothing."""
    silent = pushes.CONNECTING
    key, room_id, started_at = task.key, task.room_id, task.started_at
    return tuple(
        [
            PushStatusChanged(key, room_id, push.address, push.status, started_at, trace_id)
            for push in turned
            if push.status != silent
        ]
    )


def stop_push(view: World, command: StopPush, now: float, profile: Profile) -> Decision:
    task = view.task(command.key)
    if task is None:
        return Refused(problems.task_not_found(command.key))
    if task.room_id != command.room_id:
        return Refused(problems.room_mismatch("stop-room", command.room_id, task.room_id))
    if command.addresses is None:
        return _stop(task, task.pushes, command.trace_id, now, profile)
    lost = []
    for address in command.addresses:
        push = task.find_push(address.key)
        if push is None:
            held = [push.address.spelled for push in task.pushes]
            return Refused(problems.address_not_in_task(address.spelled, held))
        lost.append(Push(address, push.status, push.since))
    return _stop(task, tuple(lost), command.trace_id, now, profile)


def _stop(
    task: Task, lost: tuple[Push, ...], trace_id: str | None, now: float, profile: Profile
) -> Accepted:
    """Stop some pushes of a task; it ends when none is left."""
    gone = {push.address.key for push in lost}
    left = tuple([push for push in task.pushes if push.address.key not in gone])
    after = _with_pushes(task, left, now) if left else None
    events = tuple([_changed(task, push, pushes.STOPPED, trace_id) for push in lost])
    return Accepted(_changes(task, after, (), lost, now, profile), events)


def set_push_status(view: World, command: SetPushStatus, now: float, profile: Profile) -> Decision:
    task = view.task(command.key)
    if task is None:
        return Refused(problems.task_not_found(command.key))
    push = task.find_push(command.address_key)
    if push is None:
        held = [push.address.spelled for push in task.pushes]
        return Refused(problems.address_not_in_task(command.address_key, held))
    if command.status == pushes.STOPPED:
        return _stop(task, (push,), None, now, profile)
    if not pushes.can_become(push.status, command.status):
        return Accepted(())
    turned = Push(push.address, command.status, now)
    after = _with_pushes(task, tuple([turned if p is push else p for p in task.pushes]), now)
    return Accepted((TaskChanged(task, after, (), ()),), _tell(after, (turned,), None))


def count_call(view: World, command: CountCall, now: float, profile: Profile) -> Decision:
    """At most so many calls in any one second; those refused for it don't count (`rate-limit`)."""
    limit = profile.rate_limit_per_second
    if limit == 0:
        return Accepted(())
    recent = tuple([at for at in view.recent_calls(command.appid) if at > now - 1.0])
    if len(recent) >= limit:
        return Refused(problems.rate_limited(command.appid, limit, recent[-limit] + 1.0))
    return Accepted((CallsCounted(command.appid, (*recent, now)),))


def _changes(
    before: Task,
    after: Task | None,
    gained: tuple[Push, ...],
    lost: tuple[Push, ...],
    now: float,
    profile: Profile,
) -> tuple[Change, ...]:
    changed = TaskChanged(before, after, gained, lost)
    if lost and profile.release_seconds:
        until = now + profile.release_seconds
        return (changed, AddressesReleased(before.key, lost, now, until))
    return (changed,)


def _with_pushes(task: Task, left: tuple[Push, ...], now: float) -> Task:
    return Task(
        task.key, task.room_id, left, task.mixconfig, task.started_at, now, task.revision + 1
    )


def _changed(task: Task, push: Push, status: int, trace_id: str | None) -> PushStatusChanged:
    return PushStatusChanged(
        task.key, task.room_id, push.address, status, task.started_at, trace_id
    )


_DECIDERS: Final[dict[type, Callable[[World, Any, float, Profile], Decision]]] = {
    StartPush: start_push,
    StopPush: stop_push,
    CountCall: count_call,
    SetPushStatus: set_push_status,
    PutApp: lambda view, command, now, profile: Accepted((AppPut(command.app),)),
    RemoveApp: lambda view, command, now, profile: Accepted((AppRemoved(command.appid),)),
    ResetApp: lambda view, command, now, profile: Accepted((AppReset(command.appid),)),
    PutCertificate: lambda view, command, now, profile: Accepted(
        (CertificatePut(command.certificate),)
    ),
    RestoreWorld: lambda view, command, now, profile: Accepted((WorldRestored(command.world),)),
}
