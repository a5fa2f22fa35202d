"""Whatever is planned, whatever is called: no traceback, no leak, and no state but by right."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakerelay.config import Config
from fakerelay.core.problems import FACTS
from fakerelay.faults import vocabulary
from fakerelay.journal import Exchange
from fakerelay.server import Server
from tests.conftest import APPS, no_complaints
from tests.web.wires import MIXED, SOURCE, START, STOP, Wire, build, path_of

NAMES = sorted(FACTS)
SECONDS = st.floats(0, 0.004)
TEXTS = st.text(max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "content-type", "X-A"]), st.just("7")
)
DELAYS = st.fixed_dictionaries({"seconds": SECONDS}) | st.fixed_dictionaries(
    {
        "seconds": SECONDS,
        "distribution": st.sampled_from(["uniform", "normal"]),
        "spread_seconds": SECONDS,
    }
)
SETTINGS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "problem": st.fixed_dictionaries({"name": st.sampled_from(NAMES)}),
    "http_status": st.fixed_dictionaries(
        {"status": st.integers(200, 599).filter(lambda status: status not in (204, 205, 304))},
        optional={"headers": HEADERS, "body": TEXTS},
    ),
    "delay": DELAYS,
    "truncate": st.fixed_dictionaries({}, optional={"bytes": st.integers(0, 100)}),
    "malformed": st.fixed_dictionaries({}, optional={"body": TEXTS}),
    "drip": st.fixed_dictionaries({"seconds": SECONDS}),
    "error_after_commit": st.fixed_dictionaries({}, optional={"status": st.integers(500, 599)}),
}
FAULTS = sorted(vocabulary()["call"])
STEPS = st.sampled_from(FAULTS).flatmap(
    lambda fault: st.builds(
        lambda settings, often: {"fault": fault, **settings, **often},
        SETTINGS.get(fault, st.just({})),
        st.sampled_from([{}, {"count": 2}, {"count": "always"}, {"probability": 0.5}]),
    )
)
PLANS = st.fixed_dictionaries(
    {"seed": st.integers(0, 99), "steps": st.lists(STEPS, min_size=1, max_size=4)},
    optional={"match": st.sampled_from([{}, {"operation": START}, {"rtmpurl": "rtmp://h/*"}])},
)
STOP_SOURCE = {key: SOURCE[key] for key in SOURCE if key != "rtmpurl"}
CALLS = st.sampled_from(
    [
        build(),
        build(MIXED),
        build({**SOURCE, "uid": "v"}),
        build(STOP_SOURCE, path_of(STOP)),
        build(token=None),
        build(b"{"),
        build({**SOURCE, "rtmpurl": 5}),
        build(method="GET"),
        build(target="/app/7"),
        build(headers=[("Connection", "close")]),
        build().replace(b"HTTP/1.1", b"HTTP/1.0"),
    ]
)


class Watcher:
    """Holds each exchange against what it did to the state."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.revision = 0
        self.seen = asyncio.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.seen.set()
        assert self.server is not None
        revision = self.server.tenants.default.service.view.revision
        moved, self.revision = revision != self.revision, revision
        met = exchange.fault
        accepted = [exchange.is_accepted]
        if met is not None:
            accepted = [each.problem is None for each in met.decided]
            acts = vocabulary()["call"][met.fault]["acts"]
            assert bool(met.decided) == (acts != "instead")
        assert moved == any(accepted)


async def play(plan: Mapping[str, Any], calls: list[bytes]) -> None:
    """Each call on a connection of its own, dropped once the journal knows of the call."""
    before = asyncio.all_tasks()
    watcher = Watcher()
    config = Config(port=0, control_port=None, no_tls=True, apps=APPS)
    watcher.server = server = Server(config, on_exchange=watcher)
    await server.start()
    watcher.revision = server.tenants.default.service.view.revision
    await server.control.call("create_fault", body=dict(plan))
    async with asyncio.timeout(20):
        for number, raw in enumerate(calls):
            watcher.seen.clear()
            wire = await Wire.open(server.url)
            await wire.send(raw)
            await watcher.seen.wait()
            if number % 2:
                with suppress(ConnectionError):
                    await wire.some(patience_seconds=0.001)
            wire.abort()
        await server.close(grace_seconds=0)
        while asyncio.all_tasks() != before:  # noqa: ASYNC110 - what is left ends by itself
            await asyncio.sleep(0)


@given(PLANS, st.lists(CALLS, min_size=1, max_size=6))
def test_any_plan_on_any_calls(plan: Mapping[str, Any], calls: list[bytes]) -> None:
    with no_complaints():
        asyncio.run(play(plan, calls))
