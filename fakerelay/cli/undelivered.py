"""Callbacks that didn't arrive, or never can: what is told of them on the screen or in the log."""

import ipaddress
import json
from collections.abc import Iterable, Iterator
from typing import Any

from yarl import URL

from fakerelay.cli.request_log import format_time
from fakerelay.config import Config
from fakerelay.core.addresses import mask_address
from fakerelay.core.plain import printable
from fakerelay.delivery import CUT_OFF, Notification
from fakerelay.targets import find_refusal, normalize_host


def render_failed_text(notification: Notification) -> str:
    """For people, in one line: which status nobody was told, and why."""
    fields = _describe(notification)
    task = f"taskid={fields['taskid']}" if fields["taskid"] else f"uid={fields['uid']}"
    return printable(
        f"{fields['time']} app={fields['appid']} callback not delivered"
        f" status={fields['callback_status']} to={fields['url']}"
        f" roomid={fields['roomid']} {task} rtmpurl={fields['rtmpurl']}: {fields['reason']}"
    )


def render_failed_json(notification: Notification, event: str = "callback_failed") -> str:
    """For programs: the same as a JSON object."""
    return json.dumps({"event": event, **_describe(notification)})


def render_undelivered(notification: Notification, log_format: str) -> str:
    """One that the end of the server came before."""
    if log_format == "json":
        return render_failed_json(notification, "callback_undelivered")
    fields = _describe(notification)
    return printable(
        f"Not delivered to {fields['url']}: status {fields['callback_status']} of"
        f" {fields['rtmpurl']} (app {fields['appid']}, {fields['taskid'] or fields['uid']},"
        f" {_tell_attempts(notification)})"
    )


def find_hopeless(config: Config) -> Iterator[str]:
    """A warning for each callback URL that names an address where callbacks may never go.

    Names are left to the moment of connecting: what they stand for may change.
    """
    allowed = {normalize_host(host) for host in config.callback_allow}
    for url in dict.fromkeys(app.callback_url for app in config.apps if app.callback_url):
        host = normalize_host(URL(url).raw_host or "")
        refusal = find_refusal(host, is_allowed=host in allowed) if _is_address(host) else None
        if refusal:
            yield f"No callback will reach {mask_address(url)}: {refusal}"


def render_warnings(texts: Iterable[str], log_format: str) -> Iterator[str]:
    for text in texts:
        if log_format == "json":
            yield json.dumps({"event": "warning", "message": text})
        else:
            yield printable(f"Warning: {text}")


def _describe(notification: Notification) -> dict[str, Any]:
    """As of its last attempt, addresses masked."""
    attempts = notification.attempts
    last = attempts[-1] if attempts else None
    at = last.at + last.duration_seconds if last else notification.batch.at
    return {
        "time": format_time(at),
        "appid": notification.appid,
        "url": mask_address(notification.batch.url),
        "callback_status": notification.event.status,
        "roomid": notification.roomid,
        "taskid": notification.taskid,
        "uid": notification.uid,
        "rtmpurl": mask_address(notification.rtmpurl),
        "traceId": notification.traceid,
        "msgid": notification.msgid,
        "attempts": len(attempts),
        "reason": ": ".join(filter(None, (notification.reason, _tell_answer(notification)))),
    }


def _tell_answer(notification: Notification) -> str | None:
    last = notification.attempts[-1] if notification.attempts else None
    return last and (f"HTTP {last.status}" if last.status is not None else last.error)


def _tell_attempts(notification: Notification) -> str:
    """How many were answered, the last one how, and whether one more was under way."""
    count, answer = len(notification.attempts), _tell_answer(notification)
    told = f"{count} attempt{'' if count == 1 else 's'}"
    if notification.reason == CUT_OFF:
        told = f"{told} and one under way" if count else "the first attempt under way"
    return f"{told}: {answer}" if answer else told


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
