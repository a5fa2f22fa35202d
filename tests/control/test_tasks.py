"""The running tasks: what is told of them, filtered, paged and waited for; pushes that fail."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control
from tests.control.refusals import refuse

LAYOUT = {"templateid": 2, "input": [{"uid": "a"}, {"uid": "b"}], "output": {"width": 1280}}


async def test_tasks_show_tiles_output_and_pushes(control: Control, relay: RelayClient) -> None:
    await relay.start_mixed("r", "t", ["rtmp://h/a", "rtmp://h/b?key=1"], LAYOUT)
    (task,) = (await control.call("tasks"))["items"]
    assert task["taskid"] == "t"
    assert "uid" not in task
    assert (task["world"], task["appid"], task["kind"]) == ("default", APPID, "mixed")
    assert task["revision"] == 1
    assert task["output"] == {
        "width": 1280, "height": 360, "bitrate": 500, "fps": 15, "gop": 2,
        "audiobitrate": 128, "samplerate": 44100, "channels": 2,
    }  # fmt: skip
    assert [(tile["uid"], tile["width"]) for tile in task["tiles"]] == [("a", 960), ("b", 320)]
    assert [push["rtmpurl"] for push in task["pushes"]] == ["rtmp://h/a", "rtmp://h/b?key=1"]
    assert {push["status_name"] for push in task["pushes"]} == {"pushing"}


async def test_template_places_the_live_users_of_the_room(
    control: Control, relay: RelayClient
) -> None:
    await control.call("put_app", appid=APPID, live_rooms={"r": ["x", "y", "z"]})
    await relay.start_mixed("r", "t", "rtmp://h/a", {"templateid": 3, "output": {}})
    (task,) = (await control.call("tasks"))["items"]
    assert [tile["uid"] for tile in task["tiles"]] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["u1", "u2", "t1"]),
        ({"appid": APPID}, ["u1", "u2", "t1"]),
        ({"appid": OTHER_APPID}, []),
        ({"uid": "u2"}, ["u2"]),
        ({"taskid": "t1"}, ["t1"]),
        ({"taskid": "u1"}, []),
        ({"roomid": "r2"}, ["u2", "t1"]),
        ({"roomid": "r2", "uid": "u2"}, ["u2"]),
        ({"rtmpurl": "RTMP://H:1935/1"}, ["u1"]),
        ({"rtmpurl": "rtmp://h/none"}, []),
        ({"limit": 1}, ["u1"]),
        ({"limit": 1, "offset": 1}, ["u2"]),
        ({"order": "newest", "limit": 2}, ["t1", "u2"]),
        ({"world": "default"}, ["u1", "u2", "t1"]),
    ],
)
async def test_tasks_are_filtered_and_paged(
    control: Control, relay: RelayClient, filters: Mapping[str, Any], names: list[str]
) -> None:
    await relay.start_source("r1", "u1", "rtmp://h/1")
    await relay.start_source("r2", "u2", "rtmp://h/2")
    await relay.start_mixed("r2", "t1", ["rtmp://h/3", "rtmp://h/4"], LAYOUT)
    listed = await control.call("tasks", **filters)
    assert [task.get("uid") or task["taskid"] for task in listed["items"]] == names
    is_paged = "limit" in filters
    assert listed["total"] == (3 if is_paged else len(names))
    assert listed["evicted"] == 0


async def test_list_waits_until_enough_matches(control: Control, relay: RelayClient) -> None:
    waiting = asyncio.ensure_future(control.call("requests", uid="v", wait_seconds=30, count=2))
    for uid in ("v", "u", "v"):
        await relay.stop_source("r", uid)
    listed = await asyncio.wait_for(waiting, 10)
    assert [request["body"]["uid"] for request in listed["items"]] == ["v", "v"]


async def test_tasks_wait_for_a_start(control: Control, relay: RelayClient) -> None:
    waiting = asyncio.ensure_future(control.call("tasks", taskid="t", wait_seconds=30))
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.start_mixed("r", "t", "rtmp://h/b", LAYOUT)
    listed = await asyncio.wait_for(waiting, 10)
    assert listed["total"] == 1


async def test_wait_ends_with_its_time(control: Control) -> None:
    listed = await control.call("requests", wait_seconds=0.01, count=3)
    assert listed["items"] == []


async def test_wait_sees_a_world_that_is_made_meanwhile(control: Control, server: Server) -> None:
    waiting = asyncio.ensure_future(control.call("requests", traceid="x", wait_seconds=30))
    await control.call("health")
    world = await control.call("create_world")
    async with RelayClient(
        server.url, world["appid"], world["certificate_id"], world["certificate_key"]
    ) as relay:
        await relay.stop_source("r", "u", trace_id="x")
    listed = await asyncio.wait_for(waiting, 10)
    assert [request["world"] for request in listed["items"]] == [world["id"]]


async def test_push_that_fails_is_shown_and_recovers(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b"])
    task = await control.call(
        "set_push_status", appid=APPID, uid="u", rtmpurl="RTMP://h/b", status="cdn_failed"
    )
    assert [push["status"] for push in task["pushes"]] == [0, 1]
    assert task["revision"] == 2
    task = await control.call("set_push_status", appid=APPID, uid="u", status=2)
    assert [push["status_name"] for push in task["pushes"]] == ["internal_failed"] * 2
    task = await control.call("set_push_status", appid=APPID, uid="u", status=0)
    assert [push["status"] for push in task["pushes"]] == [0, 0]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"taskid": "u"}, "unknown_task", "/taskid"),
        ({"uid": "v"}, "unknown_task", "/uid"),
        ({"uid": "u", "rtmpurl": "rtmp://h/b"}, "unknown_address", "/rtmpurl"),
        ({"uid": "u", "status": 4}, "invalid_body", "/status"),
        ({"uid": "u", "status": "cdn_faild"}, "invalid_body", "/status"),
        ({"uid": "u", "taskid": "u"}, "invalid_body", ""),
        ({}, "invalid_body", ""),
        ({"uid": "u", "appid": 99}, "unknown_app", ""),
        ({"uid": "u", "room": "r"}, "invalid_body", "/room"),
    ],
)
async def test_push_status_of_what_does_not_run_is_refused(
    control: Control, relay: RelayClient, body: Mapping[str, Any], code: str, pointer: str
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    error = await refuse(control, "set_push_status", **{"appid": APPID, "status": 1, **body})
    assert (error.code, error.pointer) == (code, pointer)
