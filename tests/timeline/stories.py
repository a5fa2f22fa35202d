"""Ten wrong uses, made on purpose, on frozen clocks: what the report of a failed test says of each.

Where that changes on purpose: `python -m tests.timeline.stories` writes `tests/golden/timeline/`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from fakerelay import FakeRelay, RelayClient, RelayUnreachable
from fakerelay.timeline import collect, render_timeline

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "timeline"
NOW: Final = 1_700_000_000.0
CDN: Final = "rtmp://cdn.example.com/live"
MIX: Final[Mapping[str, Any]] = {"templateid": 3, "output": {}}

Story = Callable[[FakeRelay, RelayClient], Awaitable[object]]


async def wrong_address_freed(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_mixed("studio", "show", [f"{CDN}/main?key=s3cret", f"{CDN}/backup"], MIX)
    await relay.clock.aadvance(60)
    await client.stop_mixed("studio", "show", f"{CDN}/backup")
    await client.start_mixed("studio", "replay", f"{CDN}/main?key=s3cret", MIX)


async def missed_callback(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", f"{CDN}/anna")
    await relay.acontrol("set_push_status", appid=relay.appid, uid="anna", status="cdn_failed")
    await relay.clock.aadvance(2)


async def double_start(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", f"{CDN}/anna")
    await relay.clock.aadvance(0.5)
    await client.start_source("room1", "anna", f"{CDN}/anna-2")


async def retry_storm(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", f"{CDN}/anna")
    for _ in range(57):
        await client.start_source("room1", "bob", f"{CDN}/anna")
        await relay.clock.aadvance(0.01)


async def wrong_room_on_stop(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", f"{CDN}/anna")
    await relay.clock.aadvance(30)
    await client.stop_source("room-1", "anna")


async def wrong_token(relay: FakeRelay, client: RelayClient) -> None:
    async with RelayClient(relay.url, relay.appid, relay.certificate_id, "old-key") as other:
        await other.start_source("room1", "anna", f"{CDN}/anna")
        await other.start_source("room1", "bob", f"{CDN}/bob")


async def quota(relay: FakeRelay, client: RelayClient) -> None:
    for uid in ("anna", "bob", "carl"):
        await client.start_source("room1", uid, f"{CDN}/{uid}")
        await relay.clock.aadvance(1)


async def receiver_answers_500(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", f"{CDN}/anna")
    await relay.clock.aadvance(60)
    await client.stop_source("room1", "anna")
    await relay.clock.aadvance(0)


async def lost_reply_and_retry(relay: FakeRelay, client: RelayClient) -> None:
    await relay.acontrol("create_fault", steps=[{"fault": "drop_after_commit"}])
    for _ in range(2):
        try:
            await client.start_source("room1", "anna", f"{CDN}/anna", trace_id="trace-1")
        except RelayUnreachable:
            await relay.clock.aadvance(1)


async def stale_appid_and_path(relay: FakeRelay, client: RelayClient) -> None:
    old = RelayClient(relay.url, 42, relay.certificate_id, relay.certificate_key)
    async with old, aiohttp.ClientSession(headers=relay.headers) as session:
        await old.start_source("room1", "anna", f"{CDN}/anna")
        url = f"{relay.url}/app/{relay.appid}/v1/recordoss/startrtmp?traceId=t"
        await (await session.post(url, json={"appid": relay.appid, "roomid": "room1"})).read()


class Receiver:
    """Takes callbacks, or answers each with the same error; `None` is nobody there."""

    def __init__(self, status: int | None) -> None:
        self._status = status

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[str]:
        runner = web.ServerRunner(web.Server(self._answer))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        if self._status is None:
            await site.stop()
        yield f"http://127.0.0.1:{port}/callbacks"
        await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(
            status=self._status or 200, text="no such table" if self._status else ""
        )


TAKES: Final = 200
STORIES: Final[Mapping[Story, tuple[int | None, Mapping[str, Any]]]] = {
    wrong_address_freed: (TAKES, {}),
    missed_callback: (None, {}),
    double_start: (TAKES, {}),
    retry_storm: (TAKES, {}),
    wrong_room_on_stop: (TAKES, {}),
    wrong_token: (TAKES, {}),
    quota: (TAKES, {"settings": {"concurrent_pushes": 2}}),
    receiver_answers_500: (500, {}),
    lost_reply_and_retry: (TAKES, {}),
    stale_appid_and_path: (TAKES, {}),
}


async def tell(story: Story) -> str:
    """The text of a story, the receiver's port left out."""
    status, settings = STORIES[story]
    async with Receiver(status).listen() as url:
        relay = FakeRelay(callback_url=url, clock="frozen", now=NOW, seed=1, **settings)
        async with relay, relay.client as client:
            await story(relay, client)
            await relay.clock.aadvance(0)
            text = render_timeline(collect(relay.control))
    text = re.sub(r"127\.0\.0\.1:\d+|'127\.0\.0\.1', \d+", "127.0.0.1:PORT", text)
    return re.sub(r"\[Errno \d+\]", "[Errno N]", text) + "\n"


def golden_file(story: Story) -> Path:
    return GOLDEN / f"{story.__name__}.txt"


if __name__ == "__main__":
    for each in STORIES:
        golden_file(each).write_text(asyncio.run(tell(each)), encoding="utf-8")
