"""Two hundred worlds called, reset and spoiled at once, each as its own small model says."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakerelay.config import Config
from fakerelay.control.client import ControlClient
from fakerelay.server import Server
from tests.web.wires import SOURCE, START, STOP, Wire, build, path_of

pytestmark = pytest.mark.slow

WORLDS = 200
PARTS = 8
CREDENTIALS = {"certificate_id": "cert", "certificate_key": "key"}

Step = tuple[str, Any]
CALLS = st.one_of(
    st.tuples(st.just(START), st.tuples(st.sampled_from("uv"), st.sampled_from("ab"))),
    st.tuples(st.just(STOP), st.tuples(st.sampled_from("uv"), st.none())),
)
FAULTS = st.sampled_from(("problem", "http_status", "drop_after_commit"))
STEPS = st.one_of(
    CALLS,
    CALLS,
    st.tuples(st.just("fault"), st.tuples(FAULTS, st.integers(1, 2))),
    st.tuples(st.sampled_from(("reset", "clear")), st.none()),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "problem": {"name": "internal_error"},
    "http_status": {"status": 503, "body": "busy"},
    "drop_after_commit": {},
}
LOST = "lost"


class Expected:
    """What one world holds, and which faults wait in it."""

    def __init__(self) -> None:
        self.tasks: dict[str, str] = {}
        self.faults: list[str] = []

    def call(self, operation: str, uid: str, address: str | None) -> int | str:
        """The code, the body or the loss that the caller sees."""
        fault = self.faults.pop(0) if self.faults else None
        if fault == "problem":
            return 50001
        if fault == "http_status":
            return "busy"
        code = self._start(uid, address) if address is not None else self._stop(uid)
        return LOST if fault is not None else code

    def _start(self, uid: str, address: str) -> int:
        if any(held == address for other, held in self.tasks.items() if other != uid):
            return 40901
        self.tasks[uid] = address
        return 0

    def _stop(self, uid: str) -> int:
        return 0 if self.tasks.pop(uid, None) is not None else 40401


@given(st.lists(st.lists(STEPS, max_size=8), min_size=PARTS, max_size=PARTS))
@settings(max_examples=8)
def test_worlds_reset_and_spoiled_at_random_do_not_notice_one_another(
    parts: Sequence[Sequence[Step]],
) -> None:
    asyncio.run(play_all(parts))


async def play_all(parts: Sequence[Sequence[Step]]) -> None:
    server = Server(Config(port=0, control_port=0, no_tls=True, apps=()))
    await server.start()
    try:
        async with ControlClient(server.control_url or "") as control:
            worlds = [await control.call("create_world", **CREDENTIALS) for _ in range(WORLDS)]
            plays = (
                play(server.url, control, world, parts[number % PARTS])
                for number, world in enumerate(worlds)
            )
            await asyncio.gather(*plays)
    finally:
        await server.close(grace_seconds=0)


async def play(
    url: str, control: ControlClient, world: dict[str, Any], steps: Sequence[Step]
) -> None:
    expected, appid, where = Expected(), world["appid"], {"world": world["id"]}
    wire = await Wire.open(url)
    for name, detail in steps:
        if name == "fault":
            fault, count = detail
            step = {"fault": fault, "count": count, **SETTINGS[fault]}
            await control.call("create_fault", **where, steps=[step])
            expected.faults += [fault] * count
        elif name == "clear":
            await control.call("clear_faults", **where)
            expected.faults.clear()
        elif name == "reset":
            await control.call("reset", **where)
            expected = Expected()
        else:
            wanted = expected.call(name, *detail)
            seen = await call(wire, appid, name, *detail)
            assert seen == wanted
            if seen == LOST:
                await wire.close()
                wire = await Wire.open(url)
    await wire.close()
    tasks = (await control.call("tasks", **where))["items"]
    assert {task["uid"]: task["pushes"][0]["rtmpurl"][-1] for task in tasks} == expected.tasks
    journal = (await control.call("requests", **where))["items"]
    assert {entry["appid"] for entry in journal} <= {appid}


async def call(wire: Wire, appid: int, operation: str, uid: str, address: str | None) -> int | str:
    body: dict[str, Any] = {**SOURCE, "appid": appid, "uid": uid}
    if address is None:
        del body["rtmpurl"]
    else:
        body["rtmpurl"] = f"rtmp://h/{address}"
    await wire.send(build(body, path_of(operation, appid)))
    reply = await wire.read()
    if reply is None:
        return LOST
    return reply.code if reply.status == 200 else reply.body.decode()
