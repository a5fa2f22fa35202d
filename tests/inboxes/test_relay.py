"""What a relay's own delivery makes of an inbox that fails, hangs or is told spoiled things."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakerelay import FakeRelay, RelayClient
from fakerelay.inboxes import Callbacks, Receiver
from tests.conftest import no_complaints

ADDRESS = "rtmp://cdn/live/anna"


class World:
    """A relay whose callbacks go to an inbox of the test's own receiver."""

    def __init__(self, relay: FakeRelay, client: RelayClient, callbacks: Callbacks) -> None:
        self.relay = relay
        self.client = client
        self.callbacks = callbacks

    async def start(self) -> None:
        await self.client.start_source("room", "anna", ADDRESS)


@asynccontextmanager
async def open_world(
    receiver: Receiver, *, name: str = "world", faults: Sequence[dict[str, Any]] = ()
) -> AsyncIterator[World]:
    inbox = receiver.open_inbox(name)
    relay = FakeRelay(callback_url=inbox.url, clock="frozen", now=1000, faults=faults)
    async with relay, relay.client as client:
        yield World(relay, client, Callbacks(inbox, _refuse, _arun))
        receiver.close_inbox(inbox)


async def _arun(work: Awaitable[Any]) -> Any:
    return await work


def _refuse(work: Any) -> Any:
    raise AssertionError("nothing here is sync")


async def test_what_fails_comes_again(receiver: Receiver) -> None:
    async with open_world(receiver) as world:
        world.callbacks.fail(503, times=2)
        await world.start()
        await world.callbacks.await_for()
        await world.relay.clock.aadvance(10)
        told = world.callbacks.assert_received(3, rtmpurl=ADDRESS, status="pushing", uid="anna")
        assert len({each.msgid for each in told}) == 1
        assert [each.answered for each in told] == [503, 503, 200]


async def test_spoiled_callback_arrives_as_it_is(receiver: Receiver) -> None:
    spoil = {"on": "callback", "steps": [{"fault": "corrupt", "how": "truncated"}]}
    async with open_world(receiver, faults=[spoil]) as world:
        await world.start()
        [told] = await world.callbacks.await_for(status=None)
        assert (told.message, told.rtmpurl, told.answered) == (None, None, 200)
        assert told.raw.startswith(b'{"msgid":')


async def test_world_can_go_while_its_inbox_hangs(receiver: Receiver) -> None:
    with no_complaints():
        async with open_world(receiver) as world:
            world.callbacks.hang()
            await world.start()
            [told] = await world.callbacks.await_for()
            assert told.note == "hang"
    assert told.note == "hang: the inbox was closed"


async def test_worlds_at_once_hear_of_their_own_calls_only(receiver: Receiver) -> None:
    async def live(number: int) -> None:
        async with open_world(receiver, name=f"world-{number}") as world:
            await world.client.start_source(f"room-{number}", "anna", ADDRESS)
            await world.client.stop_source(f"room-{number}", "anna")
            told = await world.callbacks.await_for(2, roomid=f"room-{number}")
            world.callbacks.assert_in_order({"status": "pushing"}, {"status": "stopped"})
            assert world.callbacks.assert_received(2) == told

    await asyncio.gather(*map(live, range(20)))


async def test_wait_in_vain_says_that_it_blocked_the_loop() -> None:
    with FakeRelay() as relay:
        with pytest.raises(AssertionError, match="this blocked the event loop"):
            relay.callbacks.wait_for(timeout_seconds=0)
        with pytest.raises(AssertionError) as failure:
            await relay.callbacks.await_for(timeout_seconds=0)
        assert "blocked" not in str(failure.value)


def test_wait_in_vain_without_a_loop_says_nothing_of_one() -> None:
    with FakeRelay() as relay, pytest.raises(AssertionError) as failure:
        relay.callbacks.wait_for(timeout_seconds=0)
    assert "blocked" not in str(failure.value)


def test_trace_ids_may_be_spelled_either_way() -> None:
    with FakeRelay() as relay:
        relay.start("rtmp://h/a", trace_id="one")
        relay.start("rtmp://h/b", uid="b", trace_id="two")
        assert relay.callbacks.wait_for(traceid="one")[0].trace_id == "one"
        assert len(relay.requests(trace_id="one")) == len(relay.notifications(trace_id="one")) == 1
        assert len(relay.assert_called("startrtmp", times=1, trace_id="one")) == 1
