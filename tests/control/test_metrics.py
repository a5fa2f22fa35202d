"""Metrics: true numbers, in a form that every Prometheus reads."""

import os
import re
from collections.abc import Iterator
from importlib import import_module

import aiohttp
import pytest

from fakerelay.client import RelayClient
from fakerelay.control.verbs import VERBS
from fakerelay.metrics import BUCKETS
from fakerelay.server import Server
from tests.control.conftest import APPID, Control

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:{{({_LABEL}(?:,{_LABEL})*)}})? ([-+0-9.e]+)")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}

Samples = dict[str, float]


def read(text: str) -> Samples:
    """Read the text format strictly: HELP and TYPE first, all samples of a metric together."""
    assert text.endswith("\n")
    return dict(_read_lines(text.splitlines()))


def _read_lines(lines: list[str]) -> Iterator[tuple[str, float]]:
    seen: set[str] = set()
    name, kind = "", ""
    for line in lines:
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
        elif line.startswith("# TYPE "):
            _, _, typed, kind = line.split(" ")
            assert typed == name
            assert (kind == "counter") == name.endswith("_total")
        else:
            match = _SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match[1] in {name + suffix for suffix in _SUFFIXES[kind]}
            series = line.rpartition(" ")[0]
            assert series not in seen
            seen.add(series)
            yield series, float(match[3])


async def scrape(control: Control, **parameters: str) -> Samples:
    return read(await control.call("metrics", **parameters))


async def test_calls_tasks_and_durations_are_counted(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.start_source("r", "v", "rtmp://h/a")
    await relay.stop_source("r", "w")
    samples = await scrape(control)
    calls = {key: value for key, value in samples.items() if key.startswith("fakerelay_calls")}
    assert calls == {
        'fakerelay_calls_total{world="default",operation="startrtmp",code="0"}': 1,
        'fakerelay_calls_total{world="default",operation="startrtmp",code="40901"}': 1,
        'fakerelay_calls_total{world="default",operation="stoprtmp",code="40401"}': 1,
    }
    assert samples['fakerelay_tasks{world="default"}'] == 1
    assert samples['fakerelay_journal_entries{world="default"}'] == 3
    of_start = 'world="default",operation="startrtmp"'
    buckets = [
        samples[f'fakerelay_call_duration_seconds_bucket{{{of_start},le="{bound}"}}']
        for bound in [*map(repr, BUCKETS), "+Inf"]
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == samples[f"fakerelay_call_duration_seconds_count{{{of_start}}}"] == 2
    assert 0 < samples[f"fakerelay_call_duration_seconds_sum{{{of_start}}}"] < 60


async def test_counters_go_on_through_a_reset(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    await control.call("reset", all=True)
    samples = await scrape(control)
    assert samples['fakerelay_calls_total{world="default",operation="startrtmp",code="0"}'] == 1
    assert samples['fakerelay_tasks{world="default"}'] == 0


async def test_callbacks_are_counted_by_how_they_ended(
    server: Server, control: Control, relay: RelayClient
) -> None:
    await control.call("put_profile", callback={"retry_delays_seconds": []})
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:9/")
    await relay.start_source("r", "u", "rtmp://h/a")
    await control.call("callbacks", state="failed", wait_seconds=10)
    server.tenants.default.delivery.hold()
    await relay.stop_source("r", "u")
    samples = await scrape(control)
    assert samples['fakerelay_callbacks_total{world="default",state="failed"}'] == 1
    assert samples['fakerelay_callbacks_total{world="default",state="delivered"}'] == 0
    assert samples['fakerelay_callbacks_pending{world="default"}'] == 1


async def test_faults_that_acted_are_counted(control: Control, relay: RelayClient) -> None:
    steps = [{"fault": "pass"}, {"fault": "problem", "name": "rate_limited", "count": 2}]
    await control.call("create_fault", on="call", steps=steps)
    for _ in range(4):
        await relay.start_source("r", "u", "rtmp://h/a")
    faults = {key: n for key, n in (await scrape(control)).items() if "_faults_" in key}
    assert faults == {'fakerelay_faults_total{world="default",fault="problem"}': 2}


async def test_server_and_its_listeners_are_told(control: Control) -> None:
    async with control.stream("events"):
        samples = await scrape(control)
    assert samples["fakerelay_worlds"] == 1
    assert samples["fakerelay_event_listeners"] == 1
    (build,) = [key for key in samples if key.startswith("fakerelay_build_info")]
    assert re.fullmatch(r'fakerelay_build_info\{version="[^"]+",profile="default"\}', build)


async def test_world_picks_its_own(control: Control) -> None:
    await control.call("create_world", id="w")
    assert 'fakerelay_tasks{world="default"}' in await scrape(control)
    assert 'fakerelay_tasks{world="default"}' not in await scrape(control, world="w")


async def test_labels_stay_few_whatever_is_sent(
    control: Control, relay: RelayClient, http: aiohttp.ClientSession, server: Server
) -> None:
    for number in range(5):
        await relay.start_source(f"r{number}", f"u{number}", f"rtmp://h/{number}")
        async with http.get(f"{server.url}/nowhere/{number}"):
            pass
    samples = await scrape(control)
    calls = [key for key in samples if key.startswith("fakerelay_calls_total")]
    assert calls == [
        'fakerelay_calls_total{world="default",operation="startrtmp",code="0"}',
        'fakerelay_calls_total{world="default",operation="none",code="40403"}',
    ]
    assert not [key for key in samples if "u1" in key or "rtmp:" in key or "nowhere" in key]


async def test_content_type_is_that_of_the_text_format(http: aiohttp.ClientSession) -> None:
    async with http.get(VERBS["metrics"].path) as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_a_client_of_prometheus_reads_it(control: Control, relay: RelayClient) -> None:
    try:
        parser = import_module("prometheus_client.parser")
    except ImportError:
        if os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
            pytest.fail("prometheus-client is not installed, and all programs are required")
        pytest.skip("prometheus-client is not installed")
    await relay.start_source("r", "u", "rtmp://h/a")
    families = list(parser.text_string_to_metric_families(await control.call("metrics")))
    assert {family.type for family in families} == {"counter", "gauge", "histogram"}
