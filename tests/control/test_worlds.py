"""Worlds: made as they are wanted or not at all, dropped, set back; the profile of each."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control
from tests.control.refusals import refuse


async def test_world_has_an_app_and_credentials_of_its_own(
    control: Control, server: Server
) -> None:
    world = await control.call("create_world", profile="rest", settings={"concurrent_pushes": 1})
    assert world["appid"] < 2**53
    credentials = f"{world['certificate_id']}:{world['certificate_key']}".encode()
    assert world["token"] == "Basic " + b64encode(credentials).decode()
    assert world["url"] == server.url
    assert world["profile"]["name"] == "rest"
    async with RelayClient(
        world["url"], world["appid"], world["certificate_id"], world["certificate_key"]
    ) as relay:
        assert (await relay.start_source("r", "u", "rtmp://h/a")).is_accepted
        reply = await relay.start_source("r", "v", "rtmp://h/b")
        assert (reply.status, reply.code) == (429, 42901)
    assert (await control.call("tasks", world="default"))["total"] == 0
    assert (await control.call("tasks", world=world["id"]))["total"] == 1
    assert (await control.call("requests", world=world["id"]))["total"] == 2


async def test_same_address_in_two_worlds_never_clashes(
    control: Control, relay: RelayClient
) -> None:
    world = await control.call("create_world")
    async with RelayClient(
        world["url"], world["appid"], world["certificate_id"], world["certificate_key"]
    ) as other:
        assert (await other.start_source("r", "u", "rtmp://h/a")).is_accepted
    assert (await relay.start_source("r", "u", "rtmp://h/a")).is_accepted


async def test_world_takes_what_it_is_given(control: Control) -> None:
    wanted = {
        "id": "mine",
        "appid": 4711,
        "account": "acme",
        "certificate_id": "my-cert",
        "certificate_key": "my-key",
        "callback_url": "http://my_service:45678/cb",
        "live_rooms": {"r": ["a"]},
    }
    world = await control.call("create_world", **wanted)
    assert {key: world[key] for key in wanted} == wanted
    listed = await control.call("worlds")
    assert [(each["id"], each["apps"]) for each in listed["items"]] == [
        ("default", [APPID, OTHER_APPID]),
        ("mine", [4711]),
    ]


@pytest.mark.parametrize(
    ("body", "code", "status", "pointer"),
    [
        ({"appid": APPID}, "appid_taken", 409, "/appid"),
        ({"id": "default"}, "world_exists", 409, "/id"),
        ({"appid": -1}, "invalid_body", 400, "/appid"),
        ({"profile": "/etc/passwd"}, "invalid_body", 400, "/profile"),
        ({"profile": "rst"}, "invalid_body", 400, "/profile"),
        ({"settings": {"extends": "x.json"}}, "invalid_body", 400, "/settings/extends"),
        ({"settings": {"release": 1}}, "invalid_body", 400, "/settings/release"),
        ({"callback_url": "ftp://h/"}, "invalid_body", 400, "/callback_url"),
        ({"callback_url": "http://h:70000/"}, "invalid_body", 400, "/callback_url"),
        ({"live_rooms": {"7": ["a b"]}}, "invalid_body", 400, "/live_rooms/7/0"),
        ({"live_rooms": {"a b": []}}, "invalid_body", 400, "/live_rooms"),
    ],
)
async def test_world_of_no_use_is_refused_and_not_made(
    control: Control, body: Mapping[str, Any], code: str, status: int, pointer: str
) -> None:
    error = await refuse(control, "create_world", **body)
    assert (error.code, error.status, error.pointer) == (code, status, pointer)
    assert len((await control.call("worlds"))["items"]) == 1


async def test_dropped_world_is_gone_with_its_app(control: Control) -> None:
    world = await control.call("create_world", id="mine", appid=4711)
    assert (await control.call("delete_world", id=world["id"]))["apps"] == [4711]
    assert (await refuse(control, "app", appid=4711)).status == 404
    assert (await refuse(control, "delete_world", id="mine")).code == "unknown_world"
    await control.call("create_world", id="mine", appid=4711)


async def test_wait_in_a_world_ends_when_it_is_dropped(control: Control) -> None:
    await control.call("create_world", id="mine")
    waiting = asyncio.ensure_future(control.call("tasks", world="mine", wait_seconds=30))
    await control.call("health")
    await control.call("delete_world", id="mine")
    with pytest.raises(ControlError) as caught:
        await asyncio.wait_for(waiting, 10)
    assert caught.value.code == "unknown_world"


async def test_default_world_stays(control: Control) -> None:
    error = await refuse(control, "delete_world", id="default")
    assert (error.code, error.status) == ("default_world", 409)


async def test_profile_is_changed_in_part_for_one_world(
    control: Control, relay: RelayClient
) -> None:
    await control.call("create_world", id="mine")
    before = await control.call("profile")
    error = {"token_missing": {"http_status": 401}}
    after = await control.call("put_profile", concurrent_pushes=1, errors=error)
    assert after["hash"] != before["hash"]
    assert after["profile"]["errors"]["token_missing"]["http_status"] == 401
    assert after["profile"]["mixed_tasks_per_room"] == 5
    await relay.start_source("r", "u", "rtmp://h/a")
    assert (await relay.start_source("r", "v", "rtmp://h/b")).code == 42901
    assert (await control.call("profile", world="mine"))["hash"] == before["hash"]
    back = await control.call("put_profile", body=before["profile"])
    assert back == before


async def test_profile_extends_a_shipped_one(control: Control) -> None:
    await control.call("put_profile", concurrent_pushes=1)
    profile = await control.call("put_profile", extends="rest@1")
    assert (profile["name"], profile["profile"]["concurrent_pushes"]) == ("rest", 5)


@pytest.mark.parametrize(
    ("patch", "pointer", "hint"),
    [
        ({"concurent_pushes": 1}, "/concurent_pushes", "'concurrent_pushes'"),
        ({"concurrent_pushes": "1"}, "/concurrent_pushes", "integer"),
        ({"extends": "rst"}, "/extends", "'rest'"),
        ({"errors": {"token_mising": {}}}, "/errors/token_mising", "'token_missing'"),
        ({"errors": {"token_missing": {"code": 0}}}, "/errors/token_missing/code", "not 0"),
    ],
)
async def test_profile_that_can_not_be_used_changes_nothing(
    control: Control, patch: Mapping[str, Any], pointer: str, hint: str
) -> None:
    before = await control.call("profile")
    error = await refuse(control, "put_profile", **patch)
    assert (error.code, error.pointer) == ("invalid_body", pointer)
    assert hint in error.detail
    assert await control.call("profile") == before


async def test_reset_forgets_what_happened_and_keeps_what_was_set(
    control: Control, relay: RelayClient
) -> None:
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:1/cb")
    await control.call("put_profile", concurrent_pushes=1)
    await relay.start_source("r", "u", "rtmp://h/a")
    done = await control.call("reset", all=True)
    counts = {"tasks": 1, "requests": 1, "callbacks": 1, "faults": 0}
    assert done == {"apps": [APPID, OTHER_APPID], **counts}
    for verb in ("tasks", "requests", "callbacks"):
        assert (await control.call(verb))["total"] == 0
    assert (await control.call("app", appid=APPID))["callback_url"] == "http://127.0.0.1:1/cb"
    assert (await control.call("profile"))["profile"]["concurrent_pushes"] == 1
    assert (await relay.start_source("r", "v", "rtmp://h/a")).is_accepted


async def test_reset_of_an_app_leaves_the_others(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    assert (await control.call("reset", appid=OTHER_APPID))["tasks"] == 0
    assert (await control.call("tasks"))["total"] == 1
    error = await refuse(control, "reset", appid=APPID, world="elsewhere")
    assert error.code == "unknown_world"
