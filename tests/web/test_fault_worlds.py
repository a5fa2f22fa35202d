"""Faults of one world never touch another, whatever goes on in fifty of them at a time."""

import asyncio
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakerelay.client import RelayClient, RelayUnreachable
from fakerelay.config import Config
from fakerelay.server import Server
from tests.conftest import APPS, no_complaints

WORLDS = 50
STEPS: list[dict[str, Any]] = [
    {"fault": "pass"},
    {"fault": "problem", "name": "internal_error"},
    {"fault": "http_status", "status": 503},
    {"fault": "reset"},
    {"fault": "close_before_reply", "count": 2},
    {"fault": "drop_after_commit"},
    {"fault": "error_after_commit", "count": "always"},
    {"fault": "duplicate_commit", "probability": 0.5, "count": 2},
]
Deed = tuple[str, Any]
# Of few names and addresses, so that they would collide if they could.
USERS = st.sampled_from(["u", "v"])
ADDRESSES = st.sampled_from(["rtmp://h/a", "rtmp://h/b"])
DEEDS: st.SearchStrategy[Deed] = st.one_of(
    st.tuples(st.just("plan"), st.lists(st.sampled_from(STEPS), min_size=1, max_size=3)),
    st.tuples(st.just("start"), st.tuples(USERS, ADDRESSES)),
    st.tuples(st.just("start"), st.tuples(USERS, ADDRESSES)),
    st.tuples(st.just("stop"), USERS),
    st.tuples(st.just("reset"), st.none()),
)
SCRIPTS = st.lists(DEEDS, min_size=1, max_size=6)


async def play(server: Server, world: str, script: list[Deed]) -> dict[str, Any]:
    """Do what a script says in a world of its own; what came of it, without names of its own."""
    made = await server.control.call("create_world", id=world)
    names = made["certificate_id"], made["certificate_key"]
    async with RelayClient(server.url, made["appid"], *names) as relay:
        for deed, what in script:
            with suppress(RelayUnreachable):
                if deed == "plan":
                    await server.control.call("create_fault", world=world, seed=1, steps=what)
                elif deed == "start":
                    await relay.start_source("r", *what)
                elif deed == "stop":
                    await relay.stop_source("r", what)
                else:
                    await server.control.call("reset", world=world)
    return await look(server, world)


async def look(server: Server, world: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for verb, fields in {
        "requests": ("operation", "status", "code", "accepted", "fault"),
        "tasks": ("uid", "roomid", "revision"),
        "faults": ("id", "current", "unmet", "steps"),
    }.items():
        items = (await server.control.call(verb, world=world))["items"]
        seen[verb] = [{field: item.get(field) for field in fields} for item in items]
    for request in seen["requests"]:
        for decided in (request["fault"] or {"decided": ()})["decided"]:
            del decided["problem"]  # with the time since which an address is held
    return seen


async def compare(scripts: list[list[Deed]]) -> None:
    """All scripts at the same time, again and again until there are enough; then each alone."""
    config = Config(port=0, control_port=None, no_tls=True, apps=APPS)
    many, alone = Server(config), Server(config)
    await many.start()
    await alone.start()
    try:
        playing = [
            play(many, f"world-{number}", scripts[number % len(scripts)])
            for number in range(WORLDS)
        ]
        seen = await asyncio.gather(*playing)
        expected = [
            await play(alone, f"alone-{number}", script) for number, script in enumerate(scripts)
        ]
        assert seen == [expected[number % len(scripts)] for number in range(WORLDS)]
        assert (await look(many, "default")) == {"requests": [], "tasks": [], "faults": []}
    finally:
        await many.close(grace_seconds=0)
        await alone.close(grace_seconds=0)


@settings(max_examples=5)
@given(st.lists(SCRIPTS, min_size=2, max_size=10))
def test_faults_stay_in_their_world(scripts: list[list[Deed]]) -> None:
    with no_complaints():
        asyncio.run(compare(scripts))
