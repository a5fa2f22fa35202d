"""The stream of events: who hears what, for how long, and on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from fakerelay.client import RelayClient
from fakerelay.control.client import ControlClient
from fakerelay.control.verbs import PREFIX, make_call
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, Control
from tests.control.test_events import outline, take


async def test_two_listeners_hear_the_same(control: Control, relay: RelayClient) -> None:
    async with control.stream("events") as one, control.stream("events") as other:
        await relay.start_source("r", "u", "rtmp://h/a")
        assert await take(one, 2) == await take(other, 2)


async def test_listener_that_comes_back_goes_on_where_it_was(
    control: Control, relay: RelayClient
) -> None:
    async with control.stream("events", event="call") as events:
        await relay.stop_source("r", "1")
        (first,) = await take(events, 1)
    await relay.stop_source("r", "2")
    async with control.stream("events", event="call", after_event=first["id"]) as events:
        (second,) = await take(events, 1)
    assert second["data"]["body"]["uid"] == "2"


async def test_what_nobody_heard_is_said_to_be_missed(control: Control, relay: RelayClient) -> None:
    await relay.stop_source("r", "1")
    async with control.stream("events", after_event=0, most=2) as events:
        await relay.stop_source("r", "2")
        missed, call = [each async for each in events]
    assert (missed["event"], missed["data"], missed["id"]) == ("missed", {"missed": 1}, 1)
    assert (call["event"], call["id"]) == ("call", 2)


@pytest.mark.parametrize(
    ("parameters", "code", "detail"),
    [
        ({"event": "cal"}, "unknown_event", "did you mean 'call'"),
        ({"world": "defualt"}, "unknown_world", "did you mean 'default'"),
        ({"most": 0}, "invalid_parameter", "at least 1"),
        ({"evnt": "call"}, "unknown_parameter", "did you mean 'event'"),
    ],
    ids=["event", "world", "most", "parameter"],
)
async def test_wrong_filter_is_refused_before_anything_is_told(
    control: Control, parameters: dict[str, Any], code: str, detail: str
) -> None:
    with pytest.raises(ControlError, match=detail) as caught:
        async with control.stream("events", **parameters):
            pass
    assert caught.value.code == code


async def test_stream_is_no_call_nor_the_other_way_round(control: Control) -> None:
    with pytest.raises(ControlError, match="'stream'"):
        await control.call("events")
    with pytest.raises(ControlError, match="'call'"):
        async with control.stream("tasks"):
            pass


async def test_stream_ends_when_its_time_is_over(control: Control) -> None:
    async with control.stream("events", for_seconds=0) as events:
        assert [each async for each in events] == []


async def test_stream_ends_with_its_world(control: Control) -> None:
    await control.call("create_world", id="w", appid=99)
    async with control.stream("events", world="w") as events:
        await control.call("delete_app", appid=99)
        await control.call("delete_world", id="w")
        assert outline([each async for each in events]) == [("control", "delete_app")]


async def test_stream_ends_with_the_server(server: Server, control: Control) -> None:
    async with control.stream("events") as events:
        await server.close(grace_seconds=0)
        assert [each async for each in events] == []


async def test_who_has_gone_is_forgotten(server: Server, control: Control) -> None:
    feed = server.tenants.feed
    async with control.stream("events"):
        assert len(feed) == 1
    for _ in range(10_000):  # over HTTP the server hears of it a little later
        if not len(feed):
            return
        await asyncio.sleep(0)
    pytest.fail("it is still listened to")


async def test_slow_reader_misses_events_and_stalls_nobody(
    server: Server, relay: RelayClient
) -> None:
    """It reads nothing until far more has happened than its queue and the sockets hold."""
    async with (
        ControlClient(server.control_url or "") as client,
        client.stream("events", event="call") as events,
    ):
        feed, world = server.tenants.feed, server.tenants.default
        await relay.start_source("r", "u", "rtmp://h/a")
        first = await anext(events)
        exchange = next(iter(world.journal))
        exchange.keep_body(b"x" * 15_000)
        for number in range(3000):
            feed.tell("call", world, 0.0, APPID, exchange)
            if number % 100 == 0:
                await asyncio.sleep(0)
        heard = [first]
        while heard[-1]["event"] != "missed":
            heard.append(await anext(events))
    numbers = [each["id"] for each in heard[1:-1]]
    assert len(numbers) < 3000
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[-1] + heard[-1]["data"]["missed"] == heard[-1]["id"] == feed.number


async def test_stream_on_the_wire(http: aiohttp.ClientSession, relay: RelayClient) -> None:
    async with http.get("events", params={"event": "call", "most": "1"}) as response:
        await relay.stop_source("r", "u")
        text = await response.text()
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    retry, event, rest = text.split("\n\n")
    assert (retry, rest) == ("retry: 2000", "")
    number, kind, data = event.splitlines()
    assert (number, kind) == ("id: 1", "event: call")
    assert json.loads(data.removeprefix("data: "))["id"] == 1


async def test_head_of_a_stream_ends_at_once(http: aiohttp.ClientSession, server: Server) -> None:
    async with http.head("events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
    assert len(server.tenants.feed) == 0


async def test_last_event_id_says_where_to_go_on(
    http: aiohttp.ClientSession, relay: RelayClient
) -> None:
    async with http.get("events", params={"most": "2"}) as response:
        await relay.stop_source("r", "1")
        await relay.stop_source("r", "2")
        await response.text()
    headers = {"Last-Event-ID": "1"}
    async with http.get("events?after_event=0&most=1", headers=headers) as response:
        assert "\nid: 2\n" in await response.text()


async def test_client_that_breaks_off_leaves_nothing_behind(
    server: Server, relay: RelayClient
) -> None:
    before = asyncio.all_tasks()
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(f"GET {PREFIX}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b"retry: 2000")
    assert len(server.tenants.feed) == 1
    writer.transport.abort()
    for _ in range(10_000):
        if not len(server.tenants.feed):
            break
        await asyncio.sleep(0)
    await relay.start_source("r", "u", "rtmp://h/a")
    assert len(server.tenants.feed) == 0
    await server.close(grace_seconds=0)
    assert asyncio.all_tasks() <= before


def port_of(server: Server) -> int:
    return int((server.control_url or "").rpartition(":")[2])


async def test_token_is_asked_for(open_server: Callable[..., Awaitable[Server]]) -> None:
    server = await open_server(control_port=0, control_token="s3cr3t")
    async with ControlClient(server.control_url or "") as client:
        with pytest.raises(ControlError, match="Authorization"):
            async with client.stream("events"):
                pass
    assert len(server.tenants.feed) == 0


async def test_heartbeat_is_told_where_nothing_happens(server: Server) -> None:
    """In process, so that nobody waits for it: a listener that waits no time at all."""
    call = make_call("events", {"for_seconds": 0.01}, streams=True)
    stream = server.control.open_stream(call)
    assert [each async for each in stream] == [None]
    stream.close()


async def test_last_event_id_that_is_none_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.get("events", headers={"Last-Event-ID": "yesterday"}) as response:
        (error,) = (await response.json())["errors"]
    assert (response.status, error["code"]) == (400, "invalid_header")
    assert error["pointer"] == "/header/Last-Event-ID"
