"""One line a call on stdout: what was asked, what was answered, and by which rule.

Rendered late, and written once for all calls of a turn of the loop. Never a token or a key.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fakerelay.core.addresses import mask_address
from fakerelay.journal import Exchange

Render = Callable[[Exchange], str]
_NAMES = ("roomid", "taskid", "uid", "rtmpurl")
_MOST_SHOWN = 2600  # five addresses
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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
    """For people: time, app, call, code, rule, duration; then what the body names."""
    fields = describe(exchange)
    call = fields["call"] or f"{exchange.method} {fields['path']}"
    parts = [
        f"{fields['time']} app={_or_dash(fields['appid'])} {call}",
        f"code={fields['code']} rule={_or_dash(fields['rule'])} {fields['ms']:.2f} ms",
        *(f"{name}={fields[name]}" for name in _NAMES if name in fields),
    ]
    if fields["warnings"]:
        parts.append(f"warnings={','.join(fields['warnings'])}")
    return printable(" ".join(parts))


def render_json(exchange: Exchange) -> str:
    """For programs: the same as a JSON object."""
    return json.dumps({"event": "request", **describe(exchange)})


def describe(exchange: Exchange) -> dict[str, Any]:
    """The line's fields, with what the body names as far as it can be told."""
    return {
        "time": format_time(exchange.at),
        "appid": exchange.appid,
        "call": exchange.operation,
        "code": exchange.code,
        "rule": exchange.rule,
        "ms": round(exchange.duration_seconds * 1000, 3),
        "method": exchange.method,
        # Without its query, which may hold what callers didn't mean to show.
        "path": _shorten(exchange.target.partition("?")[0]),
        "status": exchange.status,
        "traceId": _shorten(exchange.trace_id),
        "warnings": sorted({warning.rule for warning in exchange.warnings}),
        **_read_names(exchange.body),
    }


def _read_names(raw: bytes) -> dict[str, str]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    texts = {name: body[name] for name in _NAMES if isinstance(body.get(name), str)}
    if "rtmpurl" in texts:
        texts["rtmpurl"] = mask_address(texts["rtmpurl"])
    return {name: _shorten(text) for name, text in texts.items()}


def format_time(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def printable(line: str) -> str:
    """Nothing that a caller sent may begin a line of its own, or move a terminal's cursor."""
    plain = line.encode("ascii", "backslashreplace").decode()
    return plain if plain.isprintable() else _CONTROL.sub(_escape, plain)


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _or_dash(value: object) -> object:
    return "-" if value is None else value
