"""A server that takes push-status callbacks, and how one of them is shown."""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web

from fakerelay.cli.request_log import format_time
from fakerelay.core.addresses import mask_address
from fakerelay.core.plain import printable
from fakerelay.core.pushes import STATUS_NAMES
from fakerelay.inboxes.listeners import Listener
from fakerelay.inboxes.received import context_of, read_json

_MOST_SHOWN = 500


class Callback(NamedTuple):
    """What was posted to us `at`; `message` is its JSON, addresses masked, None if it is none."""

    at: float
    method: str
    path: str
    raw: bytes
    message: Any

    @property
    def context(self) -> dict[str, Any]:
        """What a push status says; empty in what is none."""
        return context_of(self.message)


class Receiver:
    """Hands on what is posted to it, and answers with always the same status."""

    def __init__(self, on_callback: Callable[[Callback], None], *, status: int = 200) -> None:
        self._on_callback = on_callback
        self._status = status
        self._listener = Listener(self._handle)

    async def start(self, host: str, port: int) -> str:
        """The URL it listens on. Raises ConfigError."""
        return await self._listener.start(host, port)

    async def close(self) -> None:
        await self._listener.close()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        raw = await request.read()
        self._on_callback(read_callback(time.time(), request.method, request.path, raw))
        return web.Response(status=self._status)


def read_callback(at: float, method: str, path: str, raw: bytes) -> Callback:
    """A request as what it tells, as far as it can be read."""
    try:
        return Callback(at, method, path, raw, _mask(read_json(raw)))
    except RecursionError:
        return Callback(at, method, path, raw, None)


def render_text(callback: Callback) -> str:
    """For people, in one line: when, which push, what became of it."""
    head = f"{format_time(callback.at)} {callback.method} {callback.path}"
    status = render_status(callback)
    if status and "msgid" in callback.message:
        status += f" msgid={callback.message['msgid']}"
    return printable(f"{head} {status or _shorten(callback)}")


def render_status(callback: Callback) -> str:
    """What a push status says; empty for anything else."""
    context = callback.context
    if "status" not in context or "rtmpurl" not in context:
        return ""
    task = f"taskid={context['taskid']}" if "taskid" in context else f"uid={context.get('uid')}"
    cause = f" traceId={context['traceId']}" if "traceId" in context else ""
    status = context["status"]
    name = STATUS_NAMES.get(status, "unknown") if isinstance(status, int) else "unknown"
    return f"status={status} ({name}) {context['rtmpurl']} {task} app={context.get('appid')}{cause}"


def render_json(callback: Callback) -> str:
    """For programs: the whole message, in one line."""
    fields = {
        "event": "callback",
        "time": format_time(callback.at),
        "method": callback.method,
        "path": callback.path,
        "body": _shorten(callback) if callback.message is None else callback.message,
    }
    return json.dumps(fields)


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return mask_address(value) if value.lower().startswith("rtmp") else value
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    return value


def _shorten(callback: Callback) -> str:
    """Not known to be a status, so nothing is known of where an address may be in it."""
    text = mask_address(callback.raw.decode("utf-8", "replace"))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
