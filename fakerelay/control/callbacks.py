"""Notifications with every attempt to deliver them: listed, held, let go, posted again."""

import json
from collections.abc import Sequence
from typing import Final

from fakerelay.control.listing import show_list
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Listing
from fakerelay.core.callbacks import CONTENT_TYPE, DROPPED, FAILED, Attempt
from fakerelay.core.faults import Match
from fakerelay.delivery import Notification
from fakerelay.errors import ControlError, nearest
from fakerelay.faults import FaultError, read_match, show_match
from fakerelay.tenants import Tenant


async def list_callbacks(plane: Plane, values: Values, body: Json) -> Json:
    return await show_list(plane, CALLBACKS, values)


async def hold_callbacks(plane: Plane, values: Values, body: Json) -> Json:
    tenant = plane.world_for(values["world"], body.get("appid"))
    try:
        match = read_match("callback", body)
    except FaultError as error:
        raise ControlError("invalid_body", str(error), pointer=error.pointer, status=422) from error
    tenant.delivery.hold(match)
    return _show_held(tenant)


async def release_callbacks(plane: Plane, values: Values, body: Json) -> Json:
    """An order that is given wins over that of the lanes."""
    appid = body.get("appid")
    tenant = plane.world_for(values["world"], appid)
    delivery = tenant.delivery
    if "msgids" in body:
        if "next" in body:
            detail = "Give 'next' or 'msgids', not both"
            raise ControlError("invalid_body", detail, pointer="/next", status=422)
        released = _find_held(tenant, body["msgids"], appid)
        delivery.let_go_in_order(released)
    elif "next" in body:
        released = delivery.held(appid)[: body["next"]]
        delivery.let_go(released)
    else:
        released = delivery.release(appid)
    return {"released": [each.msgid for each in released], **_show_held(tenant)}


async def replay_callbacks(plane: Plane, values: Values, body: Json) -> Json:
    """All are found, and may be posted again, before any is."""
    appid = body.get("appid")
    tenant = plane.world_for(values["world"], appid)
    if appid is None:
        chosen = _find_finished(tenant, body["msgids"])
    else:
        everything = tenant.delivery.notifications()
        chosen = [e for e in everything if e.appid == appid and e.state in (FAILED, DROPPED)]
    if body.get("to_present_url"):
        urls = {each.appid: _present_url(tenant, each.appid) for each in chosen}
    else:
        urls = {}
    tenant.delivery.replay(chosen, urls)
    return {"world": tenant.id, "replayed": [each.msgid for each in chosen]}


def show_callback(tenant: Tenant, notification: Notification) -> Json:
    fault = notification.fate.fault if notification.fate is not None else None
    return {
        "number": notification.number,
        "world": tenant.id,
        "msgid": notification.msgid,
        "state": notification.state,
        "reason": notification.reason,
        "held": tenant.delivery.is_held(notification),
        "in_flight": tenant.delivery.is_in_flight(notification),
        "fault": fault.name if fault is not None else None,
        "plan": fault.plan if fault is not None else None,
        "url": notification.batch.url,
        "at": notification.batch.at,
        "next_attempt_at": notification.next_attempt_at,
        "attempts": [_show_attempt(attempt) for attempt in notification.attempts],
        "body": json.loads(notification.body()),
    }


def _show_attempt(attempt: Attempt) -> Json:
    return {**attempt._asdict(), "content_type": attempt.content_type or CONTENT_TYPE}


def _show_held(tenant: Tenant) -> Json:
    return {"world": tenant.id, "holds": show_holds(tenant), "held": len(tenant.delivery.held())}


def show_holds(tenant: Tenant) -> list[Json]:
    return [_show_hold(match) for match in tenant.delivery.holds]


def _show_hold(match: Match) -> Json:
    appid = {} if match.appid is None else {"appid": match.appid}
    return {**appid, "match": show_match(match)}


def _find(tenant: Tenant, msgids: Sequence[str]) -> list[Notification]:
    """Those of the ids, in their order."""
    known = {each.msgid: each for each in tenant.delivery.notifications()}
    for index, msgid in enumerate(msgids):
        if msgid not in known:
            detail = f"World {tenant.id!r} knows no notification {msgid!r}{nearest(msgid, known)}"
            raise _make_error("unknown_notification", detail, index, 404)
    return [known[msgid] for msgid in msgids]


def _find_held(tenant: Tenant, msgids: Sequence[str], appid: int | None) -> list[Notification]:
    found = _find(tenant, msgids)
    for index, each in enumerate(found):
        if appid not in (None, each.appid):
            detail = f"Notification {each.msgid!r} is app {each.appid}'s, not {appid}'s"
            raise _make_error("not_held", detail, index, 409)
        if not tenant.delivery.is_held(each):
            detail = f"Notification {each.msgid!r} is {each.state} and not held"
            raise _make_error("not_held", detail, index, 409)
    return found


def _find_finished(tenant: Tenant, msgids: Sequence[str]) -> list[Notification]:
    found = _find(tenant, msgids)
    for index, each in enumerate(found):
        if tenant.delivery.is_pending(each):
            detail = (
                f"Notification {each.msgid!r} is still being posted: wait until it is done,"
                " or release it if it is held"
            )
            raise _make_error("still_pending", detail, index, 409)
    return found


def _make_error(code: str, detail: str, index: int, status: int) -> ControlError:
    return ControlError(code, detail, pointer=f"/msgids/{index}", status=status)


def _present_url(tenant: Tenant, appid: int) -> str:
    app = tenant.service.view.app(appid)
    if app is None or app.callback_url is None:
        detail = f"App {appid} has no callback URL now: set one with put_app"
        raise ControlError("no_callback_url", detail, pointer="/to_present_url", status=409)
    return app.callback_url


CALLBACKS: Final = Listing[Notification](
    items=lambda tenant: tenant.delivery.notifications(),
    facts={
        "appid": lambda notification: notification.appid,
        "taskid": lambda notification: notification.taskid,
        "uid": lambda notification: notification.uid,
        "roomid": lambda notification: notification.roomid,
        "rtmpurl": lambda notification: notification.event.address.key,
        "traceid": lambda notification: notification.traceid,
        "msgid": lambda notification: notification.msgid,
        "state": lambda notification: notification.state,
        "status": lambda notification: notification.event.status,
    },
    at=lambda notification: notification.batch.at,
    render=show_callback,
    watch=lambda tenant: tenant.delivery.watch,
    evicted=lambda tenant: tenant.delivery.evicted,
    number=lambda notification: notification.number,
)
