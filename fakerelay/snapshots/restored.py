"""A snapshot made a world again: all of it read and checked before anything is touched."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fakerelay.core.faults import Plan
from fakerelay.core.model import App, Certificate, Release
from fakerelay.core.profile import Profile
from fakerelay.core.world import World
from fakerelay.errors import ConfigError, ControlError
from fakerelay.faults import FaultError, read_plan
from fakerelay.ports import MadeIds
from fakerelay.profiles import build_profile, hash_profile, merge_profile, read_shipped
from fakerelay.snapshots.notifications import read_callbacks
from fakerelay.snapshots.refusals import make_plain, read_past, refuse
from fakerelay.snapshots.tasks import Tasks, read_key, read_plain
from fakerelay.targets import check_callback_url
from fakerelay.tenants import Tenant, Tenants

_MOST_DRAWS: Final = 10_000_000
_MOST_AT_ONCE: Final = 100
_MOST_DRAWS_AT_ONCE: Final = 20_000
_MOST_RELEASE_SECONDS: Final = 2 * 31536000.0

Json = dict[str, Any]


async def restore_world(tenants: Tenants, tenant: Tenant, data: Json) -> None:
    """Make a world what a snapshot says, which `schemas/snapshot.json` has found valid.

    All or nothing, and in one step, once everything has been read. What the world did until then
    is forgotten: its journal and its callbacks. Raises ControlError.
    """
    now = float(data["clock"]["now"])
    profile = _read_profile(data)
    apps = _read_apps(data)
    appids = frozenset(app.appid for app in apps)
    tasks = await _read_tasks(data, appids, profile, now)
    releases = [_read_release(*each, appids, now) for each in _items(data, "releases")]
    calls = [_read_calls(*each, appids, now) for each in _items(data, "calls")]
    outlooks = _read_outlooks(data, tasks)
    callbacks = read_callbacks(data.get("callbacks"), appids, now)
    plans = await _read_plans(data, now)
    made = data.get("ids")
    # From here on others must not come in between.
    _check_place(tenants, tenant, apps)
    certificates = _read_certificates(data, tenant.service.view)
    world = World.of(apps, certificates, tasks, releases, calls, int(data.get("revision", 0)))
    tenant.clock.restore(data["clock"]["mode"], now)
    await tenants.restore(tenant, world, profile)
    tenant.cdn.restore(outlooks)
    tenant.faults.replace(plans, int(data.get("faults_made", 0)))
    if made is not None:
        tenant.ids.resume(MadeIds(int(made["messages"]), int(made["traces"])))
    tenant.delivery.restore(callbacks)


def _check_place(tenants: Tenants, tenant: Tenant, apps: Iterable[App]) -> None:
    """Whether the world may change now, and to this."""
    if tenants.get(tenant.id) is not tenant:
        detail = f"World {tenant.id!r} has been dropped: choose another one"
        raise ControlError("unknown_world", detail, status=404)
    if tenant.clock.is_moving:
        detail = "The world's clock is being advanced: wait until that is answered"
        raise ControlError("advance_under_way", detail, status=409)
    for number, app in enumerate(apps):
        owner = tenants.find(app.appid) or tenant
        if owner is not tenant:
            detail = f"App {app.appid} is in world {owner.id!r}: take it away there first"
            pointer = f"/apps/{number}/appid"
            raise ControlError("appid_taken", detail, pointer=pointer, status=409)


def _items(data: Json, key: str) -> Iterator[tuple[Json, str]]:
    """What is listed under a key, each with its pointer."""
    return ((each, f"/{key}/{number}") for number, each in enumerate(data.get(key, ())))


def _read_profile(data: Json) -> Profile:
    """What the profile leaves out, as one of an older version does, is that of the shipped one."""
    given = data["profile"]
    try:
        profile = build_profile(merge_profile(read_shipped("default"), given, "the snapshot"))
        found = hash_profile(merge_profile({}, given))
    except ConfigError as error:
        raise refuse("/profile", str(error)) from error
    wanted = data.get("profile_hash", found)
    if found != wanted:
        detail = f"The hash of 'profile' is {found!r}: if it was changed on purpose, leave this out"
        raise refuse("/profile_hash", detail)
    return profile


def _read_apps(data: Json) -> list[App]:
    apps: dict[int, App] = {}
    for each, pointer in _items(data, "apps"):
        rooms = each.get("live_rooms", {}).items()
        app = App(
            int(each["appid"]),
            each["account"],
            _read_url(each.get("callback_url"), f"{pointer}/callback_url"),
            tuple((room, tuple(users)) for room, users in rooms),
        )
        if apps.setdefault(app.appid, app) is not app:
            raise refuse(f"{pointer}/appid", f"App {app.appid} stands there twice")
    return list(apps.values())


def _read_url(url: str | None, pointer: str) -> str | None:
    try:
        return url if url is None else check_callback_url(url)
    except ConfigError as error:
        raise refuse(pointer, str(error)) from error


def _read_certificates(data: Json, view: World) -> list[Certificate]:
    certificates: dict[str, Certificate] = {}
    for each, pointer in _items(data, "certificates"):
        known = view.certificate(each["id"])
        key = each.get("key", known and known.key)
        if key is None:
            detail = (
                f"Certificate {each['id']!r} has no key here, and none of that id is in the world:"
                " save the snapshot with keys=true (--keys on the command line)"
            )
            raise refuse(f"{pointer}/key", detail)
        at = each["revoked_at"]
        revoked_at = None if at is None else float(at)
        certificate = Certificate(each["id"], key, each["account"], revoked_at)
        if certificates.setdefault(certificate.id, certificate) is not certificate:
            raise refuse(f"{pointer}/id", f"Certificate {certificate.id!r} stands there twice")
    return list(certificates.values())


async def _read_tasks(data: Json, appids: frozenset[int], profile: Profile, now: float) -> Tasks:
    """Gives others their turn now and then: there may be very many."""
    shared = frozenset(
        read_plain(each, f"/shared_addresses/{number}")
        for number, each in enumerate(data.get("shared_addresses", ()))
    )
    tasks = Tasks(appids, shared if profile.address_scope == "service" else None, now)
    for number, (each, pointer) in enumerate(_items(data, "tasks"), start=1):
        tasks.read(each, pointer)
        if number % _MOST_AT_ONCE == 0:
            await asyncio.sleep(0)
    return tasks


def _read_outlooks(data: Json, tasks: Tasks) -> list[Json]:
    outlooks: dict[Any, Json] = {}
    for each, pointer in _items(data, "outlooks"):
        outlook = tasks.read_outlook(each, pointer)
        place = tuple(outlook[part] for part in ("appid", "streamtype", "name", "address"))
        if outlooks.setdefault(place, outlook) is not outlook:
            raise refuse(pointer, "What is to come of this push stands there twice")
    return list(outlooks.values())


def _read_release(
    data: Json, pointer: str, appids: frozenset[int], now: float
) -> tuple[str, Release]:
    until = float(data["until"])
    if until > now + _MOST_RELEASE_SECONDS:
        raise refuse(f"{pointer}/until", f"No release lasts until {until!r}: it is {now!r} now")
    address_key = read_plain(data["rtmpurl"], f"{pointer}/rtmpurl")
    return address_key, Release(read_key(data, appids, pointer), until)


def _read_calls(
    data: Json, pointer: str, appids: frozenset[int], now: float
) -> tuple[int, tuple[float, ...]]:
    appid = int(data["appid"])
    if appid not in appids:
        raise refuse(f"{pointer}/appid", f"App {appid} is none of the snapshot's 'apps'")
    times = (read_past(at, now, f"{pointer}/at/{n}") for n, at in enumerate(data["at"]))
    return appid, tuple(sorted(times))


async def _read_plans(data: Json, now: float) -> list[Plan]:
    """Gives others their turn now and then: chance may have been asked very often."""
    plans: dict[str, Plan] = {}
    draws = 0
    for each, pointer in _items(data, "faults"):
        draws += int(each["draws"])
        if draws > _MOST_DRAWS:
            detail = f"Chance was asked more than {_MOST_DRAWS} times in all: too often to repeat"
            raise refuse(f"{pointer}/draws", detail)
        plan = _read_plan(each, pointer, now)
        if plans.setdefault(plan.id, plan) is not plan:
            raise refuse(f"{pointer}/plan/id", f"Plan {plan.id!r} stands there twice")
        while (left := int(each["draws"]) - plan.draws) > 0:
            plan.skip(min(left, _MOST_DRAWS_AT_ONCE))
            await asyncio.sleep(0)
    return list(plans.values())


def _read_plan(data: Mapping[str, Any], pointer: str, now: float) -> Plan:
    given = make_plain(data["plan"], f"{pointer}/plan")
    if "id" not in given:
        raise refuse(f"{pointer}/plan/id", "Missing key 'id': the plan's name")
    try:
        plan = read_plan(
            given, given["id"], read_past(data["created_at"], now, f"{pointer}/created_at")
        )
    except FaultError as error:
        raise refuse(f"{pointer}/plan{error.pointer}", str(error)) from error
    met, position = [int(count) for count in data["met"]], int(data["position"])
    if len(met) != len(plan.steps):
        detail = f"There are {len(plan.steps)} steps, but {len(met)} counts of how often one acted"
        raise refuse(f"{pointer}/met", detail)
    if position > len(plan.steps):
        raise refuse(f"{pointer}/position", f"There are only {len(plan.steps)} steps")
    if data["draws"] and plan.seed is None:
        raise refuse(f"{pointer}/draws", "Without a 'seed' chance is never asked")
    plan.resume(
        position=position,
        began_at=read_past(data["began_at"], now, f"{pointer}/began_at"),
        met=met,
    )
    return plan
