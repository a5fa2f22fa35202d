"""Notifications with every attempt to deliver them."""

import json
from typing import Final

from fakerelay.control.listing import show_list
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Listing
from fakerelay.core.callbacks import Notification
from fakerelay.tenants import Tenant


async def list_callbacks(plane: Plane, values: Values, body: Json) -> Json:
    return await show_list(plane, CALLBACKS, values)


def show_callback(tenant: Tenant, notification: Notification) -> Json:
    return {
        "number": notification.number,
        "world": tenant.id,
        "msgid": notification.msgid,
        "state": notification.state,
        "reason": notification.reason,
        "url": notification.batch.url,
        "at": notification.batch.at,
        "next_attempt_at": notification.next_attempt_at,
        "attempts": [attempt._asdict() for attempt in notification.attempts],
        "body": json.loads(notification.body()),
    }


CALLBACKS: Final = Listing[Notification](
    items=lambda tenant: tenant.delivery.notifications(),
    facts={
        "appid": lambda notification: notification.appid,
        "taskid": lambda notification: notification.taskid,
        "uid": lambda notification: notification.uid,
        "roomid": lambda notification: notification.roomid,
        "rtmpurl": lambda notification: notification.event.address.key,
        "traceid": lambda notification: notification.traceid,
        "state": lambda notification: notification.state,
    },
    at=lambda notification: notification.batch.at,
    render=show_callback,
    watch=lambda tenant: tenant.delivery.watch,
    evicted=lambda tenant: tenant.delivery.evicted,
    number=lambda notification: notification.number,
)
