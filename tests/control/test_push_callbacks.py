"""What a receiver hears of pushes over a real socket: magic addresses and plans, as users do it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from fakerelay.client import RelayClient
from fakerelay.magic import names
from tests.control.conftest import APPID, Control


class Receiver(NamedTuple):
    """Somebody's server; `heard` is what it was told, body by body."""

    url: str
    heard: list[dict[str, Any]]


@pytest.fixture
async def receiver(control: Control) -> AsyncIterator[Receiver]:
    """The app's, in a world whose clock stands still."""
    heard: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response()

    application = web.Application()
    application.router.add_post("/status", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/status"
    await control.call("put_clock", mode="frozen")
    await control.call("put_app", appid=APPID, callback_url=url)
    yield Receiver(url, heard)
    await runner.cleanup()


async def live(control: Control, receiver: Receiver, seconds: float) -> list[tuple[float, int]]:
    """Statuses in the order in which they are heard, each with how long after the start it is."""
    begin = (await control.call("clock"))["now"]
    await control.call("advance_clock", seconds=seconds)
    heard = receiver.heard
    return [(round(each["notifytime"] / 1000 - begin), _status(each)) for each in heard]


def _status(message: Mapping[str, Any]) -> int:
    status: int = message["context"]["status"]
    return status


HEARD: Mapping[str, Sequence[tuple[float, int]]] = {
    "refused": [(0, 1)],
    "refused-20": [(0, 0), (20, 1)],
    "internal": [(0, 2)],
    "internal-20": [(0, 0), (20, 2)],
    "recovers": [(0, 1), (10, 0)],
    "recovers-25": [(0, 1), (25, 0)],
    "flapping": [(0, 0), (10, 1), (20, 0), (30, 1)],
    "flapping-15": [(0, 0), (15, 1), (30, 0)],
    "slow": [(10, 0)],
    "slow-31": [(31, 0)],
    "stopped": [(0, 0), (10, 3)],
    "stopped-34": [(0, 0), (34, 3)],
    "taken": [],
}


@pytest.mark.parametrize(("name", "heard"), HEARD.items(), ids=HEARD.keys())
async def test_receiver_hears_what_a_magic_address_promises(
    control: Control,
    relay: RelayClient,
    receiver: Receiver,
    name: str,
    heard: Sequence[tuple[float, int]],
) -> None:
    reply = await relay.start_source("r", "u", f"rtmp://{name}.fakerelay.test/live/key")
    assert reply.is_accepted is (name != "taken")
    assert await live(control, receiver, 35) == heard


def test_every_magic_address_is_tried() -> None:
    assert {name.partition("-")[0] for name in HEARD} == names().keys()


async def test_failure_at_once_bears_the_calls_trace_id_and_a_later_one_none(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await relay.start_source("r", "u", "rtmp://recovers.fakerelay.test/live", trace_id="mine")
    await live(control, receiver, 10)
    refused, recovered = [message["context"] for message in receiver.heard]
    assert (refused["status"], refused["traceId"]) == (1, "mine")
    assert recovered["status"] == 0
    assert "traceId" not in recovered


async def test_one_address_of_three_is_dropped_and_stopped_by_the_service(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await control.call("put_profile", push={"retry_seconds": 10, "stop_after_failures": 3})
    steps = [{"fault": "fail", "after_seconds": 60}, {"fault": "fail", "count": "always"}]
    match = {"rtmpurl": "rtmp://b.example/*"}
    await control.call("create_fault", on="push", match=match, steps=steps)
    urls = [f"rtmp://{name}.example/live" for name in "abc"]
    await relay.start_source("r", "u", urls)
    await live(control, receiver, 1000)
    told: dict[str, list[int]] = {}
    for message in receiver.heard:
        told.setdefault(message["context"]["rtmpurl"], []).append(_status(message))
    assert told == {urls[0]: [0], urls[1]: [0, 1, 3], urls[2]: [0]}
    (task,) = (await control.call("tasks"))["items"]
    assert [push["rtmpurl"] for push in task["pushes"]] == [urls[0], urls[2]]


async def test_nothing_is_heard_of_an_address_after_its_end(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await relay.start_source("r", "u", "rtmp://flapping-7.fakerelay.test/live")
    await live(control, receiver, 15)
    await relay.stop_source("r", "u")
    await live(control, receiver, 100)
    assert [_status(message) for message in receiver.heard] == [0, 1, 0, 3]
