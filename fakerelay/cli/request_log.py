"""One line a call on stdout: what was asked, what was answered, and by which rule.

Rendered late, and written once for all calls of a turn of the loop. Never a token or a key.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fakerelay.core.addresses import mask_address
from fakerelay.core.model import KIND_NAMES, NAME_FIELDS
from fakerelay.journal import Exchange

Render = Callable[[Exchange], str]


class RequestLog:
    """Takes exchanges as the server closes them; use it inside its event loop."""

    def __init__(self, log_format: str) -> None:
        self._render: Render = render_json if log_format == "json" else render_text
        self._waiting: list[Exchange] = []

    def __call__(self, exchange: Exchange) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(exchange)

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        print_line("\n".join(map(self._render, waiting)))


def print_line(text: str) -> None:
    """Print at once; when nobody reads any more, go on without."""
    try:
        print(text, flush=True)  # noqa: T201 - click.echo takes ten times as long
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def render_text(exchange: Exchange) -> str:
    """For people: time, app, call, code, rule, duration; then the task and its addresses."""
    fields = describe(exchange)
    call = fields["call"] or f"{exchange.method} {_path(exchange)}"
    line = (
        f"{fields['time']} app={_or_dash(fields['appid'])} {call}"
        f" code={fields['code']} rule={_or_dash(fields['rule'])} {fields['ms']:.2f} ms"
    )
    if "task" in fields:
        line += f" {fields['kind']} {fields['task']} in {fields['roomid']} {fields['rtmpurl']}"
    if fields["warnings"]:
        line += f" warnings={','.join(fields['warnings'])}"
    return _printable(line)


def render_json(exchange: Exchange) -> str:
    """For programs: the same as a JSON object."""
    return json.dumps({"event": "request", **describe(exchange)})


def describe(exchange: Exchange) -> dict[str, Any]:
    """The line's fields; those of the task are there once it is known which one is meant."""
    fields: dict[str, Any] = {
        "time": _to_time(exchange.at),
        "appid": exchange.appid,
        "call": exchange.operation,
        "code": exchange.code,
        "rule": exchange.rule,
        "ms": round(exchange.duration_seconds * 1000, 3),
        "method": exchange.method,
        "path": _path(exchange),
        "status": exchange.status,
        "traceId": exchange.trace_id,
        "warnings": sorted({warning.rule for warning in exchange.warnings}),
    }
    if exchange.command is not None:
        fields |= _describe_task(exchange)
    return fields


def _describe_task(exchange: Exchange) -> dict[str, str]:
    command = exchange.command
    assert command is not None
    _, streamtype, name = command.key
    addresses = command.addresses or ()
    return {
        "kind": KIND_NAMES[streamtype],
        "task": f"{NAME_FIELDS[streamtype]}={name}",
        "roomid": command.room_id,
        "rtmpurl": ",".join(mask_address(address.spelled) for address in addresses),
    }


def _to_time(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _path(exchange: Exchange) -> str:
    """Without the query, which may hold what callers didn't mean to show."""
    return exchange.target.partition("?")[0]


def _or_dash(value: object) -> object:
    return "-" if value is None else value


def _printable(line: str) -> str:
    """Nothing that a caller sent may begin a line of its own, or move a terminal's cursor."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line.rstrip())
