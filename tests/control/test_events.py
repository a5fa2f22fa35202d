"""What is told of all that happens."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.control.components import compile_component
from fakerelay.control.verbs import PREFIX
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control

Told = dict[str, Any]


async def take(events: AsyncIterator[Told], amount: int) -> list[Told]:
    taken = [await anext(events) for _ in range(amount)]
    for event in taken:
        compile_component("event").validate(event)
    return taken


def outline(events: list[Told]) -> list[tuple[str, Any]]:
    return [
        (each["event"], each["data"].get("verb") or each["data"].get("status")) for each in events
    ]


async def test_calls_and_pushes_are_told_in_order(control: Control, relay: RelayClient) -> None:
    async with control.stream("events") as events:
        await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b"])
        await relay.start_source("r", "v", "rtmp://h/a")
        await relay.stop_source("r", "u")
        told = await take(events, 7)
    assert outline(told) == [
        ("push", 0), ("push", 0), ("call", 200), ("call", 200),
        ("push", 3), ("push", 3), ("call", 200),
    ]  # fmt: skip
    assert [each["id"] for each in told] == list(range(told[0]["id"], told[0]["id"] + 7))
    assert {(each["world"], each["appid"]) for each in told} == {("default", APPID)}


async def test_things_look_as_in_lists(control: Control, relay: RelayClient) -> None:
    async with control.stream("events", event="call") as events:
        await relay.start_source("r", "u", "rtmp://h/a")
        (call,) = await take(events, 1)
    (listed,) = (await control.call("requests"))["items"]
    assert call["data"] == listed
    assert call["at"] == listed["at"]


async def test_push_is_told_with_the_names_of_its_task(
    control: Control, relay: RelayClient
) -> None:
    async with control.stream("events", event="push") as events:
        await relay.start_source("r", "u", "rtmp://h/a?key=1", trace_id="t-1")
        (push,) = await take(events, 1)
    assert push["data"] == {
        "world": "default", "appid": APPID, "streamtype": 2, "kind": "source", "uid": "u",
        "roomid": "r", "rtmpurl": "rtmp://h/a?key=1", "status": 0, "status_name": "pushing",
        "traceid": "t-1",
    }  # fmt: skip


async def test_callback_is_told_by_its_attempt(control: Control, relay: RelayClient) -> None:
    nobody = "http://127.0.0.1:9/"
    await control.call("put_profile", callback={"retry_delays_seconds": [0.01]})
    await control.call("put_app", appid=APPID, callback_url=nobody)
    async with control.stream("events", event="callback") as events:
        await relay.start_source("r", "u", "rtmp://h/a")
        first, last = await take(events, 2)
    assert [len(each["data"]["attempts"]) for each in (first, last)] == [1, 2]
    assert [each["data"]["state"] for each in (first, last)] == ["pending", "failed"]
    assert (await control.call("callbacks"))["items"] == [last["data"]]


async def test_fault_that_acts_is_told_before_its_call(
    control: Control, relay: RelayClient
) -> None:
    steps = [{"fault": "pass"}, {"fault": "problem", "name": "rate_limited"}]
    plan = await control.call("create_fault", on="call", steps=steps)
    async with control.stream("events", event="fault,call") as events:
        await relay.start_source("r", "u", "rtmp://h/a")
        await relay.start_source("r", "u", "rtmp://h/a")
        await relay.start_source("r", "u", "rtmp://h/a")
        told = await take(events, 4)
    assert [each["event"] for each in told] == ["call", "fault", "call", "call"]
    assert told[1]["data"] == {
        "world": "default", "plan": plan["id"], "on": "call", "step": 1, "fault": "problem",
        "settings": {"name": "rate_limited"},
        "subject": {"appid": APPID, "operation": "startrtmp", "roomid": "r", "taskid": None,
                    "uid": "u", "status": None},
    }  # fmt: skip
    assert told[2]["data"]["fault"]["plan"] == plan["id"]


async def test_fault_of_a_connection_has_no_subject(control: Control) -> None:
    plan = await control.call("create_fault", on="tls", steps=[{"fault": "untrusted"}])
    # Made anew with the same step it keeps its port.
    await control.call("create_fault", id=plan["id"], on="tls", steps=[{"fault": "untrusted"}])
    async with control.stream("events", event="fault") as events:
        port = int(plan["url"].rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        (fault,) = await take(events, 1)
        writer.transport.abort()
    shown = {key: fault["data"][key] for key in ("plan", "on", "step", "fault", "subject")}
    assert shown == {
        "plan": plan["id"], "on": "tls", "step": 0, "fault": "untrusted", "subject": None,
    }  # fmt: skip


async def test_push_that_connects_is_told_though_no_customer_is(
    control: Control, relay: RelayClient
) -> None:
    steps = [{"fault": "slow", "seconds": 60}]
    await control.call("create_fault", on="push", steps=steps)
    async with control.stream("events", event="push") as events:
        await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b"])
        told = await take(events, 2)
    shown = [(each["data"]["rtmpurl"], each["data"]["status_name"]) for each in told]
    assert shown == [("rtmp://h/b", "pushing"), ("rtmp://h/a", "connecting")]
    assert told[1]["data"]["status"] is None


async def test_clock_is_told_after_what_it_let_happen(control: Control, relay: RelayClient) -> None:
    await control.call("put_profile", callback={"delay_seconds": 60, "retry_delays_seconds": []})
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:9/")
    async with control.stream("events", event="callback,clock") as events:
        await control.call("put_clock", mode="frozen")
        await relay.start_source("r", "u", "rtmp://h/a")
        await control.call("advance_clock", seconds=61)
        told = await take(events, 3)
    assert [each["event"] for each in told] == ["clock", "callback", "clock"]
    assert told[2]["at"] == told[0]["at"] + 61 > told[1]["at"]
    answer = told[2]["data"]["answer"]
    assert (answer["fired_count"], answer["reached"], "fired" in answer) == (1, True, False)


async def test_changes_are_told_without_secrets(control: Control) -> None:
    async with control.stream("events") as events:
        made = await control.call("create_world", id="w", appid=99)
        more = await control.call("create_certificate", appid=99)
        await control.call("put_app", appid=99, callback_url=None)
        await control.call("reset", world="w")
        with pytest.raises(ControlError):
            await control.call("delete_app", appid=98)
        await control.call("put_profile", world="w", concurrent_pushes=1)
        await control.call("delete_world", id="w")
        told = await take(events, 6)
    assert [each["data"]["verb"] for each in told] == [
        "create_world", "create_certificate", "put_app", "reset", "put_profile", "delete_world",
    ]  # fmt: skip
    assert {(each["event"], each["world"]) for each in told} == {("control", "w")}
    text = json.dumps(told)
    for answer in (made, more):
        assert answer["certificate_key"] not in text
        assert answer["token"] not in text


async def test_change_of_an_app_is_heard_by_who_asks_for_the_app(control: Control) -> None:
    async with control.stream("events", appid=99) as events:
        await control.call("create_world", id="w", appid=99)
        await control.call("put_profile", world="w", concurrent_pushes=1)
        await control.call("create_certificate", appid=99)
        await control.call("delete_app", appid=99)
        told = await take(events, 3)
    assert [each["data"]["verb"] for each in told] == [
        "create_world", "create_certificate", "delete_app",
    ]  # fmt: skip


async def test_world_that_is_restored_is_still_listened_to(
    control: Control, relay: RelayClient
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    saved = await control.call("snapshot", world="default", keys=True)
    async with control.stream("events", world="default") as events:
        await control.call("put_snapshot", world="default", body=saved)
        await relay.stop_source("r", "u")
        told = await take(events, 3)
    assert outline(told) == [("control", "put_snapshot"), ("push", 3), ("call", 200)]


async def test_stream_is_described_as_one(control: Control) -> None:
    document = await control.call("openapi")
    operation = document["paths"][f"{PREFIX}/events"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "event" in document["components"]["schemas"]
    assert {"event", "for_seconds", "most"} <= {each["name"] for each in operation["parameters"]}


async def test_change_of_all_worlds_is_told_of_each(control: Control) -> None:
    await control.call("create_world", id="w")
    async with control.stream("events") as events:
        await control.call("reset", all=True)
        told = await take(events, 2)
    assert [each["world"] for each in told] == ["default", "w"]


async def test_filters_pick_world_app_and_kind(
    server: Server, control: Control, relay: RelayClient
) -> None:
    await control.call("create_world", id="w", appid=99)
    async with (
        RelayClient(server.url, OTHER_APPID, "other-cert", "other-key") as other,
        control.stream("events", world="w") as of_world,
        control.stream("events", appid=OTHER_APPID, event="call") as of_app,
        control.stream("events", event="control,push") as of_kinds,
    ):
        await relay.start_source("r", "u", "rtmp://h/a")
        await other.stop_source("r", "u")
        await control.call("reset", world="w")
        assert outline(await take(of_world, 1)) == [("control", "reset")]
        (call,) = await take(of_app, 1)
        assert call["data"]["operation"] == "stoprtmp"
        assert outline(await take(of_kinds, 2)) == [("push", 0), ("control", "reset")]
