"""Worlds for the core's tests: commands from plain words, decided one after the other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fakerelay.core.addresses import read_address
from fakerelay.core.commands import Command, SetPushStatus, StartPush, StopPush
from fakerelay.core.model import MIXED, SOURCE, PushAddress
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision, Refused, decide
from fakerelay.core.world import World
from fakerelay.profiles import open_profile

DEFAULT = open_profile()
APPID = 7
OTHER = APPID + 1
IN_USE = ("address_in_use", "address-unique")
MIX: Mapping[str, Any] = {"templateid": 1, "output": {}}


def profile(**changes: Any) -> Profile:
    return replace(DEFAULT, **changes)


def address(text: str) -> PushAddress:
    read = read_address(text)
    assert isinstance(read, PushAddress), read
    return read


def addresses(*texts: str) -> tuple[PushAddress, ...]:
    return tuple(address(f"rtmp://{text}") for text in texts)


def start(uid: str, *urls: str, room: str = "r", appid: int = APPID, trace: str = "t") -> StartPush:
    """A source task's start; `urls` come without their `rtmp://`."""
    return StartPush((appid, SOURCE, uid), room, addresses(*urls), None, trace)


def start_mixed(
    taskid: str,
    *urls: str,
    room: str = "r",
    appid: int = APPID,
    mixconfig: Mapping[str, Any] = MIX,
) -> StartPush:
    return StartPush((appid, MIXED, taskid), room, addresses(*urls), mixconfig, "t")


def stop(
    name: str,
    *urls: str,
    room: str = "r",
    appid: int = APPID,
    kind: int = SOURCE,
    trace: str = "t",
) -> StopPush:
    """A stop; without `urls` that of the whole task."""
    return StopPush((appid, kind, name), room, addresses(*urls) or None, trace)


def set_status(name: str, url: str, status: int) -> SetPushStatus:
    return SetPushStatus((APPID, SOURCE, name), address(f"rtmp://{url}").key, status)


def perform(
    world: World, command: Command, now: float = 0.0, profile: Profile = DEFAULT
) -> Decision:
    """Decide, and write what was accepted, as a store does."""
    decision = decide(world, command, now, profile)
    if isinstance(decision, Accepted):
        for change in decision.changes:
            change.apply(world)
    return decision


def world_after(*commands: Command, now: float = 0.0, profile: Profile = DEFAULT) -> World:
    """A world in which all this has been accepted."""
    world = World()
    for command in commands:
        decision = perform(world, command, now, profile)
        assert isinstance(decision, Accepted), decision
    return world


def outcome(decision: Decision) -> tuple[str, str] | None:
    """Name and rule of the refusal; None where there is none."""
    if isinstance(decision, Refused):
        return decision.problem.name, decision.problem.rule
    return None


def told(decision: Decision) -> list[tuple[str, int]]:
    """What those outside hear: each address as it is spelled to them, and its status."""
    assert isinstance(decision, Accepted), decision
    return [
        (event.address.spelled.removeprefix("rtmp://"), event.status) for event in decision.events
    ]


def held(world: World, name: str, appid: int = APPID, kind: int = SOURCE) -> list[str] | None:
    """The addresses of a task in its own order; None where it does not run."""
    task = world.task((appid, kind, name))
    if task is None:
        return None
    return [push.address.spelled.removeprefix("rtmp://") for push in task.pushes]


def dump(world: World) -> dict[str, Any]:
    """All a world holds, as plain values that compare; new fields of it come in by themselves."""
    return {name: _plain(value) for name, value in vars(world).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if hasattr(value, "__slots__"):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value
