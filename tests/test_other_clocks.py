"""Nothing in fakerelay has a clock of its own: what happens in a world happens in its time."""

import ast
from collections.abc import Iterator

import pytest

from tests.test_layers import MODULES

# What tells the time or waits for it, by its full name.
CLOCKS = {
    *(f"time.{name}" for name in (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "sleep", "process_time", "localtime", "ctime",
    )),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
    "asyncio.sleep", "asyncio.wait_for", "asyncio.timeout", "asyncio.timeout_at",
    "threading.Timer", "uuid.uuid1",
}  # fmt: skip
# Methods of an event loop, on whatever it is called on but the world's clock.
LOOP = {"call_later", "call_at", "time"}

SOCKETS = "a socket's patience, or a person's, is real time"
PROCESS = "the life of the process, not of a world"
ALLOWED = {
    ("clock", "time.time"): "this is the world's clock",
    ("cli.verify", "time.monotonic"): "how long a run took is real time",
    (
        "cli.verify",
        "datetime.datetime.now",
    ): "a report has the day in it, a divergence its last one",
    ("cli.progress", "time.monotonic"): "a person's eyes are real time",
    ("contract.runs", "time.monotonic"): "a server that is judged lives in real time",
    ("contract.clients", "time.monotonic"): SOCKETS,
    ("contract.patience", "time.monotonic"): "what a server frees late is free in real time",
    ("contract.clients", "threading.Timer"): SOCKETS,
    ("contract.clients", "time.sleep"): "how many calls a second a server takes is real time",
    ("contract.persistence", "time.monotonic"): "a server that is judged lives in real time",
    ("contract.persistence", "time.sleep"): "what a server frees late is waited for in real time",
    (
        "contract.callbacks.receivers",
        "time.monotonic",
    ): "a server that is judged lives in real time",
    ("contract.callbacks.routes", "time.monotonic"): "a server that is judged lives in real time",
    ("contract.callbacks.routes", "time.time"): "its notifications tell the time of day",
    (
        "contract.callbacks.witnesses",
        "time.monotonic",
    ): "a server that is judged lives in real time",
    ("clock", "time.monotonic"): "the cap on a step of time is real time",
    ("steps", "time.monotonic"): "the cap on a step of time is real time",
    ("clock", ".call_later"): "this is the world's clock",
    ("timekeeping", "time.monotonic"): "the cap on a step of time is real time",
    ("watch", "asyncio.wait_for"): SOCKETS,
    ("control.listing", "time.monotonic"): SOCKETS,
    ("control.listing", "asyncio.sleep"): SOCKETS,
    ("control.events", "time.monotonic"): SOCKETS,
    ("control.plane", "time.monotonic"): PROCESS,
    ("control.documents", "time.monotonic"): PROCESS,
    ("delivery", "time.monotonic"): PROCESS,
    ("delivery.gates", "time.monotonic"): "how long a reply waits for a callback is real time",
    ("snapshots.restored", "asyncio.sleep"): "gives others their turn",
    ("server", "time.monotonic"): PROCESS,
    ("listening", "asyncio.sleep"): "gives others their turn",
    ("server", ".call_later"): "certificates are renewed in real time: clients look at theirs",
    ("sender", "asyncio.sleep"): "gives others their turn",
    ("sender", "time.perf_counter"): "how long a post took is real time",
    ("web.app", "time.perf_counter"): "how long a call took is real time",
    ("sender", "asyncio.timeout"): SOCKETS,
    ("cli.broadcast", "asyncio.timeout"): "a demo waits for what comes over sockets",
    ("client", "time.time"): "a client is no part of a world",
    ("cli.receiver", "time.time"): "a receiver is no part of a world",
    ("inboxes.receivers", "time.time"): "a receiver is no part of a world",
    ("inboxes.receivers", "time.monotonic"): SOCKETS,
    ("inboxes.receivers", "asyncio.sleep"): SOCKETS,
}


def clocks(tree: ast.Module) -> Iterator[str]:
    """Every use of a clock: its full name, or of a loop's method that with a dot before it."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origins |= {(one.asname or one.name): one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            origins |= {(one.asname or one.name): f"{node.module}.{one.name}" for one in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            head, dot, tail = name.partition(".")
            full = origins.get(head, head) + dot + tail
            if full in CLOCKS:
                yield full
            elif isinstance(node, ast.Attribute) and node.attr in LOOP and not is_ours(node):
                yield f".{node.attr}"


def is_ours(method: ast.Attribute) -> bool:
    return ast.unparse(method.value).endswith("clock")


def found() -> set[tuple[str, str]]:
    return {(name, clock) for name, tree in MODULES.items() for clock in clocks(tree)}


def test_nothing_has_a_clock_of_its_own() -> None:
    others = sorted(found() - ALLOWED.keys())
    assert others == [], "use the world's clock: tenant.clock.now and call_at"


def test_every_exception_is_still_one() -> None:
    assert sorted(ALLOWED.keys() - found()) == []


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("import time\ntime.time()", {"time.time"}),
        ("import time as t\nnow = t.monotonic", {"time.monotonic"}),
        ("from time import sleep\nsleep(1)", {"time.sleep"}),
        ("from time import time as now\nnow()", {"time.time"}),
        # Text that is only parsed: nothing sleeps here.
        ("import asyncio\nasync def f():\n  await asyncio.sleep(1)", {"asyncio.sleep"}),
        ("from asyncio import timeout\ntimeout(1)", {"asyncio.timeout"}),
        ("import asyncio\nasyncio.get_running_loop().call_later(1, f)", {".call_later"}),
        ("loop.call_at(1, f)", {".call_at"}),
        ("now = loop.time()", {".time"}),
        ("from datetime import datetime, UTC\ndatetime.now(UTC)", {"datetime.datetime.now"}),
        ("import datetime\ndatetime.datetime.now()", {"datetime.datetime.now"}),
        ("tenant.clock.call_at(1, f)\nself._clock.now()", set()),
        ("import time\ntime.strftime('%Y', time.gmtime(0))", set()),
    ],
)
def test_a_clock_is_found_by_whatever_name(code: str, used: set[str]) -> None:
    assert set(clocks(ast.parse(code))) == used
