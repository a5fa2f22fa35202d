"""What three real clients see of each fault on a call, on a connection that is kept alive."""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import requests

from fakerelay import FakeRelay
from fakerelay.faults import vocabulary
from tests.clients.sights import SIGHTS, TIMEOUT_SECONDS, Sight
from tests.conftest import no_complaints

PATIENCE_SECONDS = 10.0
TIMEOUTS = {"hang": TIMEOUT_SECONDS}
CASES = [(fault, TIMEOUTS.get(fault, PATIENCE_SECONDS)) for fault in SIGHTS]
Seen = dict[str, tuple[str, float]]


class World(NamedTuple):
    """Where a client calls, and what opens it."""

    url: str
    appid: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"token": self.token, "Content-Type": "application/json;charset=utf-8"}

    def target(self, uid: str) -> str:
        return f"{self.url}/app/{self.appid}/v2/rtmpforward/startrtmp?traceId={uid}"

    def body(self, uid: str) -> bytes:
        fields = {"roomid": "room", "streamtype": 2, "uid": uid}
        address = f"rtmp://cdn.example/{uid}"
        return json.dumps({"appid": self.appid, **fields, "rtmpurl": address}).encode()


def see_with_requests(world: World) -> Seen:
    with requests.Session() as session:
        session.headers.update(world.headers)

        def post(uid: str, seconds: float) -> requests.Response:
            return session.post(world.target(uid), data=world.body(uid), timeout=seconds)

        def see(uid: str, seconds: float) -> str:
            try:
                reply = post(uid, seconds)
                return f"code {reply.json()['code']}" if reply.ok else f"HTTP {reply.status_code}"
            except requests.RequestException as error:
                return type(error).__name__

        seen: Seen = {}
        for uid, seconds in CASES:
            post("warm", PATIENCE_SECONDS)
            began = time.perf_counter()
            seen[uid] = see(uid, seconds), time.perf_counter() - began
        return seen


def see_with_aiohttp(world: World) -> Seen:
    return asyncio.run(_see_with_aiohttp(world))


async def _see_with_aiohttp(world: World) -> Seen:
    async with aiohttp.ClientSession(headers=world.headers) as session:

        async def see(uid: str, seconds: float) -> str:
            timeout = aiohttp.ClientTimeout(seconds)
            target, body = world.target(uid), world.body(uid)
            try:
                async with session.post(target, data=body, timeout=timeout) as reply:
                    if not reply.ok:
                        return f"HTTP {reply.status}"
                    envelope = await reply.json()
                    return f"code {envelope['code']}" if envelope else f"no error: {envelope}"
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                return type(error).__name__

        seen: Seen = {}
        for uid, seconds in CASES:
            assert await see("warm", PATIENCE_SECONDS) == "code 0"
            began = time.perf_counter()
            seen[uid] = await see(uid, seconds), time.perf_counter() - began
        return seen


def see_with_fetch(world: World) -> Seen:
    environment = {
        "PATH": os.environ["PATH"],
        "RELAY_URL": world.url,
        "RELAY_APPID": str(world.appid),
        "RELAY_TOKEN": world.token,
        "RELAY_CASES": json.dumps(CASES),
    }
    program = Path(__file__).parent / "fetch_faults.mjs"
    ran = subprocess.run(
        ["node", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return {uid: (seen, seconds) for uid, seen, seconds in lines}


CLIENTS: Mapping[str, Callable[[World], Seen]] = {
    "aiohttp": see_with_aiohttp,
    "requests": see_with_requests,
    "fetch": see_with_fetch,
}


class Outcome(NamedTuple):
    """All that came of one client's calls, on both sides."""

    seen: Seen
    requests: Mapping[str, Mapping[str, Any]]
    sent: Counter[str]
    running: set[str]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Outcome]]:
    """Every client with a world of its own, all at the same time."""
    names = [name for name in CLIENTS if name != "fetch" or shutil.which("node")]
    with no_complaints(), FakeRelay() as relay, ThreadPoolExecutor(len(names)) as pool:
        worlds = {name: _make_world(relay, name) for name in names}
        seen = list(pool.map(lambda name: CLIENTS[name](worlds[name]), names))
        yield {name: _look(relay, name, each) for name, each in zip(names, seen, strict=True)}


def _make_world(relay: FakeRelay, name: str) -> World:
    made = relay.control("create_world", id=name, settings={"concurrent_pushes": 0})
    for fault, sight in SIGHTS.items():
        step = {"fault": fault, **sight.settings}
        relay.control("create_fault", world=name, id=fault, match={"uid": fault}, steps=[step])
    return World(relay.url, made["appid"], made["token"])


def _look(relay: FakeRelay, name: str, seen: Seen) -> Outcome:
    listed = relay.control("requests", world=name)["items"]
    return Outcome(
        seen,
        {request["traceid"]: request for request in listed},
        Counter(request["traceid"] for request in listed),
        {task["uid"] for task in relay.control("tasks", world=name)["items"]},
    )


def test_every_fault_is_seen() -> None:
    assert SIGHTS.keys() == vocabulary()["call"].keys()


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize(("fault", "sight"), SIGHTS.items(), ids=SIGHTS)
def test_client_sees(outcomes: dict[str, Outcome], fault: str, sight: Sight, name: str) -> None:
    outcome = _find(outcomes, name)
    seen, seconds = outcome.seen[fault]
    assert seen == getattr(sight, name)
    assert sight.seconds <= seconds < PATIENCE_SECONDS / 2


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize(("fault", "sight"), SIGHTS.items(), ids=SIGHTS)
def test_state_behind_it_is(
    outcomes: dict[str, Outcome], fault: str, sight: Sight, name: str
) -> None:
    outcome = _find(outcomes, name)
    assert (fault in outcome.running) == bool(sight.done)
    met = outcome.requests[fault]["fault"]
    if fault == "pass":
        assert met is None
        return
    assert (met["plan"], met["fault"], met["told"]) == (fault, fault, sight.told)
    assert [each["accepted"] for each in met["decided"]] == [True] * sight.done


@pytest.mark.parametrize("name", CLIENTS)
def test_post_is_sent_once(outcomes: dict[str, Outcome], name: str) -> None:
    sent = _find(outcomes, name).sent
    assert {fault: sent[fault] for fault in SIGHTS} == dict.fromkeys(SIGHTS, 1)


def _find(outcomes: dict[str, Outcome], name: str) -> Outcome:
    if name not in outcomes:
        if os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
            pytest.fail("'node' is not installed, and all clients are required")
        pytest.skip("'node' is not installed")
    return outcomes[name]
