"""Worlds saved and restored, in process and over HTTP alike."""

import io
import json
from typing import Any

import aiohttp
import pytest

from fakerelay.client import RelayClient
from fakerelay.control.components import compile_component
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control

LAYOUT = {"templateid": 2, "input": [{"uid": "a"}], "output": {"width": 1280}, "more": [1.5, None]}
FAULT = {"id": "f", "seed": 1, "steps": [{"fault": "reset", "probability": 0.5, "count": 3}]}
Json = dict[str, Any]


async def fill(control: Control, relay: RelayClient) -> None:
    await control.call("put_profile", release_seconds=3600, rate_limit_per_second=100)
    await control.call("put_app", appid=APPID, live_rooms={"r": ["a", "b"]})
    await relay.start_mixed("r", "t", ["rtmp://h/a", "rtmp://H:1935/b?key=1"], LAYOUT)
    await relay.start_source("r", "u", ["rtmp://h/c", "rtmp://h/d"])
    await relay.stop_source("r", "u", "rtmp://h/c")
    await control.call("set_push_status", appid=APPID, taskid="t", status="cdn_failed")
    await control.call("create_fault", **FAULT, match={"uid": "nobody"})
    await control.call("revoke_certificate", certificate_id="other-cert", after_seconds=3600)


async def save(control: Control, **parameters: Any) -> Json:
    snapshot: Json = await control.call("snapshot", **parameters)
    return snapshot


def timeless(snapshot: Json) -> Json:
    """All but what goes on by itself where a clock runs."""
    return {key: value for key, value in snapshot.items() if key not in ("clock", "calls")}


async def refuse(control: Control, snapshot: Json, **parameters: Any) -> ControlError:
    with pytest.raises(ControlError) as caught:
        await control.call("put_snapshot", body=snapshot, **parameters)
    return caught.value


async def test_snapshot_keeps_to_its_schema(control: Control, relay: RelayClient) -> None:
    await fill(control, relay)
    snapshot = await save(control, keys=True)
    assert compile_component("snapshot").is_valid(snapshot)
    assert [task.get("taskid") or task["uid"] for task in snapshot["tasks"]] == ["t", "u"]
    assert snapshot["calls"][0]["appid"] == APPID


async def test_world_goes_back_to_where_it_was(control: Control, relay: RelayClient) -> None:
    await fill(control, relay)
    before, tasks = await save(control), await control.call("tasks")
    await relay.stop_mixed("r", "t")
    await control.call("delete_app", appid=OTHER_APPID)
    await control.call("clear_faults", all=True)
    await control.call("put_profile", concurrent_pushes=1)
    shown = await control.call("put_snapshot", body=before)
    assert (shown["apps"], shown["tasks"]) == ([APPID, OTHER_APPID], 2)
    assert timeless(await save(control)) == timeless(before)
    assert await control.call("tasks") == tasks


async def test_restored_world_decides_as_before(control: Control, relay: RelayClient) -> None:
    await fill(control, relay)
    await control.call("put_snapshot", body=await save(control))
    holder = await relay.start_source("r", "v", "rtmp://h/b?key=1")
    released = await relay.start_source("r", "w", "rtmp://h/c")
    assert (holder.code, released.code) == (40901, 40901)
    assert (await relay.stop_mixed("r", "t")).code == 0


async def test_history_is_forgotten(control: Control, relay: RelayClient) -> None:
    await fill(control, relay)
    await control.call("put_snapshot", body=await save(control))
    assert (await control.call("requests"))["items"] == []
    assert (await control.call("callbacks"))["items"] == []


async def test_keys_are_saved_only_when_asked_for(control: Control) -> None:
    assert "key" not in json.dumps((await save(control))["certificates"])
    certificates = (await save(control, keys=True))["certificates"]
    assert [each["key"] for each in certificates] == ["key", "other-key"]


async def test_snapshot_without_a_key_that_is_needed_is_refused(control: Control) -> None:
    snapshot = await save(control)
    snapshot["certificates"].append({"id": "new", "account": "cert", "revoked_at": None})
    error = await refuse(control, snapshot)
    assert (error.code, error.pointer) == ("invalid_snapshot", "/certificates/2/key")
    assert "keys=true" in error.detail
    snapshot["certificates"][2]["key"] = "k"
    await control.call("put_snapshot", body=snapshot)


async def test_app_of_another_world_is_refused(control: Control, server: Server) -> None:
    snapshot = await save(control, keys=True)
    await control.call("create_world", id="other")
    before = await save(control, world="other")
    error = await refuse(control, snapshot, world="other")
    assert (error.code, error.pointer, error.status) == ("appid_taken", "/apps/0/appid", 409)
    assert timeless(await save(control, world="other")) == timeless(before)


async def test_restore_while_frozen_time_is_restored_too(control: Control) -> None:
    await control.call("create_world", id="still", clock="frozen", now=1000.0)
    snapshot = await save(control, world="still")
    await control.call("advance_clock", world="still", seconds=50)
    shown = await control.call("put_snapshot", world="still", body=snapshot)
    assert (shown["clock"], shown["now"]) == ("frozen", 1000.0)
    assert await save(control, world="still") == snapshot


async def test_pending_callbacks_of_before_are_dropped(control: Control) -> None:
    await control.call("create_world", id="still", clock="frozen", appid=70)
    before = await save(control, world="still")
    await control.call("put_app", appid=70, callback_url="http://127.0.0.1:1/nobody")
    token = await control.call("create_certificate", appid=70)
    assert token["certificate_key"]
    await control.call("put_snapshot", world="still", body=before)
    assert (await control.call("clock", world="still"))["pending"] == 0
    assert (await control.call("app", appid=70))["callback_url"] is None


async def test_answer_over_http_is_fit_to_be_read(http: aiohttp.ClientSession) -> None:
    async with http.get("snapshot") as response:
        text = await response.text()
        assert response.content_type == "application/json"
    assert text.startswith('{\n"format": "fakerelay-snapshot",\n"version": 1,\n')
    assert json.loads(text)["apps"][0]["appid"] == APPID


HOSTILE = {
    "too large": (b" " * (16 * 2**20 + 1), 413, "body_too_large"),
    "ten megabytes of nothing": (b'{"tasks": [%s1]}' % (b"1," * 5_000_000), 400, "invalid_body"),
    "nested": (b'{"tasks": ' + b"[" * 10_000, 400, "malformed_json"),
    "huge number": (b'{"version": ' + b"9" * 10_000 + b"}", 400, "malformed_json"),
    "archive": (b"PK\x03\x04" + bytes(100), 400, "malformed_json"),
    "list": (b"[]", 400, "malformed_json"),
}


@pytest.mark.parametrize(("raw", "status", "code"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_body_is_refused(
    http: aiohttp.ClientSession, server: Server, raw: bytes, status: int, code: str
) -> None:
    before = timeless(await save(server.control, keys=True))
    headers = {"Content-Type": "application/json"}
    async with http.put("snapshot", data=io.BytesIO(raw), headers=headers) as response:
        assert response.status == status
        assert (await response.json())["errors"][0]["code"] == code
    assert timeless(await save(server.control, keys=True)) == before


async def test_more_than_other_bodies_may_have_is_taken(control: Control) -> None:
    snapshot = await save(control)
    now = snapshot["clock"]["now"]
    task = {"appid": APPID, "roomid": "r", "started_at": now, "updated_at": now, "revision": 1}
    snapshot["tasks"] = [
        {
            **task,
            "uid": f"u{n}",
            "pushes": [{"rtmpurl": f"rtmp://h/{n:0400}", "status": 0, "since": now}],
        }
        for n in range(3000)
    ]
    assert (await control.call("put_snapshot", body=snapshot))["tasks"] == 3000
