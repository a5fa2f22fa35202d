"""One line a call on stdout: what was asked, what was answered, and by which rule.

Rendered late, and written once for all calls of a turn of the loop. Never a token or a key.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fakerelay.cli.printer import Printer
from fakerelay.core.addresses import mask_address
from fakerelay.core.plain import printable
from fakerelay.journal import Exchange

Render = Callable[[Exchange], str]
_NAMES = ("roomid", "taskid", "uid", "rtmpurl")
_MOST_SHOWN = 2600  # five addresses


class RequestLog:
    """Takes exchanges as the server closes them, and other lines; use it inside its event loop.

    Lines that nobody reads are left out in the end, and counted in the next one that is printed.
    """

    def __init__(self, log_format: str, printer: Printer) -> None:
        self._is_json = log_format == "json"
        self._render: Render = render_json if self._is_json else render_text
        self._printer = printer
        self._waiting: list[Exchange | str] = []
        self._left_out = 0

    def __call__(self, exchange: Exchange | str) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(exchange)

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        render = self._render
        lines = [each if isinstance(each, str) else render(each) for each in waiting]
        if self._left_out:
            lines.insert(0, self._tell_left_out())
        if self._printer.print("\n".join(lines)):
            self._left_out = 0
        else:
            self._left_out += len(waiting)

    def close(self) -> None:
        """Print what is still to be printed."""
        if self._waiting:
            self._write()
        self._printer.close()

    def _tell_left_out(self) -> str:
        if self._is_json:
            return json.dumps({"event": "left_out", "lines": self._left_out})
        return f"({self._left_out} lines left out: nobody read them)"


def print_line(text: str) -> None:
    """Print at once; when nobody reads any more, go on without."""
    try:
        print(text, flush=True)  # noqa: T201 - click.echo takes ten times as long
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def render_text(exchange: Exchange) -> str:
    """For people: time, app, call, code, rule, duration; then what the body names."""
    app = exchange.appid
    line = (
        f"{format_time(exchange.at)} app={'-' if app is None else app}"
        f" {exchange.operation or f'{exchange.method} {_path(exchange)}'}"
        f" code={'-' if exchange.code is None else exchange.code} rule={exchange.rule or '-'}"
        f" {exchange.duration_seconds * 1000:.2f} ms"
    )
    for name, text in _read_names(exchange.body).items():
        line += f" {name}={text}"
    if exchange.fault is not None:
        line += f" fault={exchange.fault} told={_read_told(exchange)}"
    if exchange.warnings:
        line += f" warnings={','.join(_list_warnings(exchange))}"
    return printable(line)


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
        "path": _path(exchange),
        "status": exchange.status,
        "traceId": _shorten(exchange.trace_id),
        "warnings": _list_warnings(exchange),
        **_read_fault(exchange),
        **_read_names(exchange.body),
    }


def _read_fault(exchange: Exchange) -> dict[str, Any]:
    if exchange.fault is None:
        return {}
    return {"fault": str(exchange.fault), "told": exchange.fault.told}


def _read_told(exchange: Exchange) -> str:
    """`nothing`, or the status, and whether there was only a part of its reply."""
    if exchange.status is None or exchange.fault is None:
        return "nothing"
    return f"{exchange.status}{'(part)' if exchange.fault.told == 'part' else ''}"


def _list_warnings(exchange: Exchange) -> list[str]:
    """Their rules, or the field of one that is fakerelay's own."""
    if not exchange.warnings:
        return []
    return sorted({warning.rule or warning.field or "-" for warning in exchange.warnings})


def _read_names(raw: bytes) -> dict[str, str]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    texts = {name: body[name] for name in _NAMES if isinstance(body.get(name), str)}
    rtmpurl = texts.get("rtmpurl", "")
    if "?" in rtmpurl or "@" in rtmpurl:  # where there is something to mask
        texts["rtmpurl"] = mask_address(rtmpurl)
    return {name: _shorten(text) for name, text in texts.items()}


def format_time(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    milliseconds = int(seconds * 1000)
    return f"{_format_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=8)
def _format_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _path(exchange: Exchange) -> str:
    """Without the query, which may hold what callers didn't mean to show."""
    return _shorten(exchange.target.partition("?")[0])


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
