"""What each verb does, in process and over HTTP alike."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient, RelayUnreachable
from fakerelay.control.components import compile_component
from fakerelay.control.verbs import VERBS
from fakerelay.errors import ControlError
from fakerelay.faults import read_plan
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control

LAYOUT = {"templateid": 2, "input": [{"uid": "a"}, {"uid": "b"}], "output": {"width": 1280}}


async def refuse(control: Control, verb: str, /, **parameters: Any) -> ControlError:
    with pytest.raises(ControlError) as caught:
        await control.call(verb, **parameters)
    return caught.value


async def test_health_says_what_is_served(control: Control) -> None:
    health = await control.call("health")
    assert health["status"] == "ok"
    assert health["profile"]["name"] == "default"
    assert re.fullmatch("[0-9a-f]{12}", health["profile"]["hash"])
    assert health["state"] == "memory:"
    assert health["worlds"] == 1
    assert health["uptime_seconds"] >= 0


async def test_ca_of_a_server_without_one_is_not_found(control: Control) -> None:
    error = await refuse(control, "ca")
    assert (error.code, error.status) == ("no_ca", 404)


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


async def test_requests_explain_a_refusal(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.start_source("r", "v", "rtmp://H:1935/a", trace_id="second")
    (request,) = (await control.call("requests", rule="address-unique"))["items"]
    assert (request["status"], request["code"], request["accepted"]) == (200, 40901, False)
    assert (request["traceid"], request["operation"]) == ("second", "startrtmp")
    assert request["duration_seconds"] > 0
    assert request["body"]["uid"] == "v"
    problem = request["problem"]
    assert problem["name"] == "address_in_use"
    assert problem["rule"]["level"] == "D"
    assert problem["rule"]["source"]
    assert "no other task may push to it" in problem["rule"]["text"]
    assert problem["value"] == "rtmp://H:1935/a"
    (task,) = (await control.call("tasks"))["items"]
    since = task["pushes"][0]["since"]
    assert problem["holder"] == {"kind": "source", "name": "u", "since": since}
    assert problem["expected"]


async def test_holder_of_another_app_is_not_told(
    control: Control, relay: RelayClient, server: Server
) -> None:
    async with RelayClient(server.url, OTHER_APPID, "other-cert", "other-key") as other:
        await other.start_source("secret-room", "secret-user", "rtmp://h/a")
    await relay.start_source("r", "v", "rtmp://h/a")
    (request,) = (await control.call("requests", appid=APPID))["items"]
    assert request["problem"]["holder"] == {"task": "another app's"}


async def test_requests_show_warnings_with_their_rules(
    control: Control, relay: RelayClient
) -> None:
    await relay.call("startrtmp", {
        "roomid": "r", "streamtype": 2, "uid": "u", "rtmpurl": "rtmp://h/a", "colour": 1,
    })  # fmt: skip
    (request,) = (await control.call("requests", rule="field-unknown"))["items"]
    (warning,) = request["warnings"]
    assert warning["field"] == "colour"
    assert warning["rule"]["id"] == "field-unknown"
    assert request["problem"] is None


@pytest.mark.parametrize(
    ("filters", "traces"),
    [
        ({"appid": APPID}, ["1", "2", "3"]),
        ({"appid": OTHER_APPID}, []),
        ({"traceid": "2"}, ["2"]),
        ({"code": 0}, ["1"]),
        ({"code": 40901}, ["2"]),
        ({"uid": "bad uid"}, ["3"]),
        ({"rtmpurl": "rtmp://h:1935/b"}, ["3"]),
        ({"rule": "uid-form"}, ["3"]),
        ({"after": 2}, ["3"]),
        ({"after": 1, "limit": 1}, ["2"]),
        ({"order": "newest"}, ["3", "2", "1"]),
    ],
)
async def test_requests_are_filtered(
    control: Control, relay: RelayClient, filters: Mapping[str, Any], traces: list[str]
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a", trace_id="1")
    await relay.start_source("r", "v", "rtmp://h/a", trace_id="2")
    await relay.start_source("r", "bad uid", "rtmp://h/a,rtmp://h/b", trace_id="3")
    listed = await control.call("requests", **filters)
    assert [request["traceid"] for request in listed["items"]] == traces


async def test_requests_say_how_many_were_evicted(open_server: Any) -> None:
    server = await open_server(journal_size=2)
    async with RelayClient(server.url, APPID, "cert", "key") as relay:
        for _ in range(5):
            await relay.stop_source("r", "u")
    listed = await server.control.call("requests")
    assert (listed["total"], listed["evicted"]) == (2, 3)
    assert [request["number"] for request in listed["items"]] == [4, 5]


async def test_clearing_requests_takes_those_of_the_app(
    control: Control, relay: RelayClient, server: Server
) -> None:
    await relay.stop_source("r", "u")
    async with RelayClient(server.url, OTHER_APPID, "other-cert", "other-key") as other:
        await other.stop_source("r", "u")
    assert await control.call("clear_requests", appid=OTHER_APPID) == {"requests": 1}
    listed = await control.call("requests")
    assert [request["appid"] for request in listed["items"]] == [APPID]
    assert await control.call("clear_requests", world="default") == {"requests": 1}


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS.values() if verb.needs_target])
async def test_verb_that_destroys_wants_to_be_told_what(control: Control, verb: str) -> None:
    error = await refuse(control, verb)
    assert (error.code, error.status) == ("missing_target", 400)
    assert "all=true" in error.detail
    assert (await refuse(control, verb, all=False)).code == "invalid_parameter"
    assert (await refuse(control, verb, appid=12345)).status == 404
    assert (await refuse(control, verb, world="elsewhere")).status == 404


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


async def test_callbacks_show_every_attempt(control: Control, relay: RelayClient) -> None:
    # Nobody listens there, so an attempt fails at once.
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:1/cb")
    await control.call("put_profile", callback={"retry_delays_seconds": []})
    await relay.start_source("r", "u", "rtmp://h/a", trace_id="x")
    listed = await control.call("callbacks", state="failed", wait_seconds=30)
    (callback,) = listed["items"]
    assert callback["body"]["context"]["rtmpurl"] == "rtmp://h/a"
    assert callback["body"]["msgid"] == callback["msgid"]
    assert callback["url"] == "http://127.0.0.1:1/cb"
    assert callback["reason"] == "given up after 1 attempt"
    (attempt,) = callback["attempts"]
    assert attempt["status"] is None
    assert attempt["error"]
    for filters in ({"traceid": "y"}, {"uid": "v"}, {"state": "pending"}, {"after": 1}):
        assert (await control.call("callbacks", **filters))["items"] == []


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


async def test_errors_hide_what_may_be_secret(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a?key=s3cr3t")
    error = await refuse(
        control, "set_push_status", appid=APPID, uid="u", rtmpurl="rtmp://h/b?k=s3cr3t", status=1
    )
    assert "rtmp://h/a?key=***" in error.detail
    assert "s3cr3t" not in error.detail
    error = await refuse(control, "put_app", appid=APPID, callback_url="http://a:s3cr3t@h:x/")
    assert "s3cr3t" not in error.detail


async def test_default_world_stays(control: Control) -> None:
    error = await refuse(control, "delete_world", id="default")
    assert (error.code, error.status) == ("default_world", 409)


async def test_app_is_put_changed_and_taken_away(control: Control) -> None:
    url = "http://127.0.0.1:9/cb"
    app = await control.call("put_app", appid=11, callback_url=url, account="acme")
    assert app == {
        "appid": 11,
        "world": "default",
        "account": "acme",
        "callback_url": url,
        "live_rooms": {},
    }
    app = await control.call("put_app", appid=11, live_rooms={"r": ["a"]})
    assert (app["callback_url"], app["live_rooms"]) == (url, {"r": ["a"]})
    app = await control.call("put_app", appid=11, body={"callback_url": None})
    assert app["callback_url"] is None
    assert await control.call("app", appid=11) == app
    assert app in (await control.call("apps"))["items"]
    await control.call("delete_app", appid=11)
    assert (await refuse(control, "app", appid=11)).code == "unknown_app"


async def test_app_of_another_world_is_not_put_into_this_one(control: Control) -> None:
    await control.call("create_world", id="mine")
    error = await refuse(control, "put_app", appid=APPID, world="mine")
    assert (error.code, error.status) == ("appid_taken", 409)


async def test_certificates_rotate_without_a_gap(control: Control, server: Server) -> None:
    made = await control.call("create_certificate", appid=APPID)
    assert made["status"] == "active"
    assert made["apps"] == [APPID]
    old = ("cert", "key")
    new = (made["id"], made["certificate_key"])
    assert [await is_let_in(server, *each) for each in (old, new)] == [True, True]
    assert (await control.call("revoke_certificate", certificate_id="cert"))["status"] == "revoked"
    assert [await is_let_in(server, *each) for each in (old, new)] == [False, True]
    listed = (await control.call("certificates", appid=APPID))["items"]
    assert [(each["id"], each["status"]) for each in listed] == [
        ("cert", "revoked"),
        (made["id"], "active"),
    ]


async def test_certificate_revoked_later_overlaps_with_the_new_one(
    control: Control, server: Server
) -> None:
    await control.call("put_clock", mode="frozen")
    now = (await control.call("clock"))["now"]
    await control.call("create_certificate", appid=APPID, certificate_id="new", certificate_key="k")
    planned = await control.call("revoke_certificate", certificate_id="cert", after_seconds=60)
    assert (planned["status"], planned["revoked_at"]) == ("active", now + 60)
    await control.call("advance_clock", seconds=59.5)
    assert await is_let_in(server, "cert", "key")
    await control.call("advance_clock", seconds=0.5)
    assert [await is_let_in(server, *pair) for pair in (("cert", "key"), ("new", "k"))] == [
        False,
        True,
    ]
    (refused,) = (await control.call("requests", code=40103))["items"]
    assert refused["problem"]["rule"]["id"] == "certificate-active"
    listed = (await control.call("certificates", appid=APPID))["items"]
    assert [(each["status"], each["revoked_at"]) for each in listed] == [
        ("revoked", now + 60),
        ("active", None),
    ]


async def test_plan_to_revoke_is_changed_until_it_has_been(control: Control) -> None:
    await control.call("put_clock", mode="frozen")
    now = (await control.call("clock"))["now"]
    for after_seconds in (60, 3600, 0, 3600):
        revoked = await control.call(
            "revoke_certificate", certificate_id="cert", after_seconds=after_seconds
        )
        due_at = now + (after_seconds if revoked["status"] == "active" else 0)
        assert revoked["revoked_at"] == due_at
    assert revoked["status"] == "revoked"


async def is_let_in(server: Server, certificate_id: str, key: str) -> bool:
    async with RelayClient(server.url, APPID, certificate_id, key) as relay:
        return (await relay.stop_source("r", "u")).code == 40401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"appid": 12345}, "unknown_app"),
        ({"appid": APPID, "certificate_id": "cert"}, "certificate_exists"),
        ({"appid": APPID, "account": "x"}, "invalid_body"),
        ({}, "invalid_body"),
        ({"appid": APPID, "certificate_id": "a:b"}, "invalid_body"),
        ({"appid": APPID, "world": "elsewhere"}, "unknown_world"),
    ],
)
async def test_certificate_of_no_use_is_refused(
    control: Control, body: Mapping[str, Any], code: str
) -> None:
    assert (await refuse(control, "create_certificate", **body)).code == code


async def test_unknown_certificate_is_not_revoked(control: Control) -> None:
    error = await refuse(control, "revoke_certificate", certificate_id="crt")
    assert error.status == 404
    assert "did you mean 'cert'?" in error.detail


async def test_certificate_of_several_worlds_is_revoked_in_the_one_that_is_named(
    control: Control,
) -> None:
    await control.call("create_world", id="mine", certificate_id="cert")
    error = await refuse(control, "revoke_certificate", certificate_id="cert")
    assert (error.code, error.status) == ("ambiguous_world", 409)
    assert "'default', 'mine'" in error.detail
    listed = (await control.call("certificates"))["items"]
    assert {each["status"] for each in listed} == {"active"}
    await control.call("revoke_certificate", certificate_id="cert", world="mine")
    listed = (await control.call("certificates"))["items"]
    assert [each["world"] for each in listed if each["status"] == "revoked"] == ["mine"]


async def test_keys_are_shown_where_they_are_made_and_nowhere_else(
    control: Control, server: Server
) -> None:
    world = await control.call("create_world", certificate_key="world-s3cr3t")
    made = await control.call("create_certificate", appid=APPID, certificate_key="made-s3cr3t")
    assert (world["certificate_key"], made["certificate_key"]) == ("world-s3cr3t", "made-s3cr3t")
    await is_let_in(server, made["id"], "made-s3cr3t")
    await is_let_in(server, made["id"], "wrong-s3cr3t")
    error = await refuse(control, "create_certificate", appid=APPID, certificate_key="ö-s3cr3t")
    lists = ("worlds", "apps", "certificates", "tasks", "requests", "callbacks", "profile")
    told = [json.dumps(await control.call(verb)) for verb in lists]
    for text in (*told, error.detail, str(error)):
        assert "s3cr3t" not in text
        assert "Basic " not in text or "<base64" in text


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


async def test_reset_takes_away_the_fault_plans_of_its_target(control: Control) -> None:
    for app in ({"appid": APPID}, {"appid": OTHER_APPID}, {}):
        await control.call("create_fault", **app, steps=[{"fault": "hang"}])
    assert (await control.call("reset", appid=APPID))["faults"] == 1
    left = (await control.call("faults"))["items"]
    assert [plan["appid"] for plan in left] == [OTHER_APPID, None]
    assert (await control.call("reset", world="default"))["faults"] == 2
    assert (await control.call("faults"))["items"] == []


async def test_plan_that_is_over_stays_listed(control: Control, relay: RelayClient) -> None:
    steps = [{"fault": "problem", "name": "internal_error"}]
    made = await control.call("create_fault", steps=steps)
    assert (made["current"], made["unmet"]) == (0, [0])
    assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 50001
    (plan,) = (await control.call("faults"))["items"]
    assert (plan["current"], plan["unmet"], plan["steps"][0]["met"]) == (None, [], 1)
    assert (await relay.start_source("r", "u", "rtmp://h/a")).is_accepted


async def test_world_has_room_for_so_many_plans(control: Control, server: Server) -> None:
    plan = {"steps": [{"fault": "hang"}]}
    for number in range(1000):
        server.tenants.default.faults.add(read_plan(plan, f"plan-{number}", 0.0))
    error = await refuse(control, "create_fault", **plan)
    assert (error.code, error.status) == ("too_many_faults", 409)
    assert (await control.call("create_fault", id="plan-7", **plan))["id"] == "plan-7"


async def test_journal_tells_of_faults_and_is_searched_by_either_code(
    control: Control, relay: RelayClient
) -> None:
    problem = {"fault": "problem", "name": "internal_error"}
    steps = [problem, {"fault": "duplicate_commit"}, {"fault": "error_after_commit"}]
    await control.call("create_fault", id="spoiled", steps=steps)
    for trace_id in ("refused", "twice"):
        await relay.start_source("r", "u", "rtmp://h/a", trace_id=trace_id)
    with pytest.raises(RelayUnreachable):
        await relay.start_source("r", "v", "rtmp://h/a", trace_id="lost")
    listed = await control.call("requests")
    compile_component("requests").validate(listed)
    refused, twice, lost = listed["items"]
    assert refused["fault"]["fault"] == "problem"
    assert refused["problem"] == {
        "name": "internal_error", "rule": None, "why": "fault plan spoiled asked for it",
    }  # fmt: skip
    assert [each["code"] for each in twice["fault"]["decided"]] == [0, 0]
    assert (lost["status"], lost["problem"]["rule"]["id"]) == (502, "address-unique")
    for code, number in ((50001, 0), (0, 1), (40901, 2)):
        (found,) = (await control.call("requests", code=code))["items"]
        assert found == listed["items"][number]
    assert (await control.call("requests", traceid="lost"))["items"] == [lost]


@pytest.mark.parametrize(
    ("step", "pointer", "words"),
    [
        (
            {"fault": "problem", "name": "quota_exceded"},
            "/steps/0/name",
            "did you mean 'quota_exceeded'?",
        ),
        (
            {"fault": "problem", "name": "address_in_use", "facts": {"adress": "x"}},
            "/steps/0/facts/adress",
            "did you mean 'address'?",
        ),
        (
            {"fault": "problem", "name": "internal_error", "facts": {"x": "y"}},
            "/steps/0/facts/x",
            "nothing to fill in",
        ),
        ({"fault": "http_status"}, "/steps/0/status", "needs 'status'"),
        ({"fault": "http_status", "status": 600}, "/steps/0/status", "599"),
        (
            {"fault": "http_status", "status": 502, "headers": {"Content-length": "3"}},
            "/steps/0/headers/Content-length",
            "'truncate'",
        ),
        ({"fault": "http_status", "status": 204, "body": "x"}, "/steps/0/body", "no body"),
        ({"fault": "http_status", "status": 205, "body": "x"}, "/steps/0/body", "no body"),
        (
            {"fault": "delay", "seconds": 1, "distribution": "exponential"},
            "/seed",
            "'seed'",
        ),
        ({"fault": "delay", "seconds": 1, "distribution": "norm"}, "/steps/0/distribution", "norm"),
        ({"fault": "delay", "seconds": 1, "spread_seconds": 1}, "/steps/0/spread_seconds", "fixed"),
        ({"fault": "hang", "seconds": 1}, "/steps/0/seconds", "Unknown key 'seconds'"),
        ({"fault": "rest"}, "/steps/0/fault", "did you mean 'reset'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_fault_that_can_not_be_is_refused_before_any_of_its_plan_acts(
    control: Control, relay: RelayClient, step: dict[str, Any], pointer: str, words: str
) -> None:
    good = {"fault": "problem", "name": "internal_error"}
    number = pointer.replace("/steps/0", "/steps/1")
    error = await refuse(control, "create_fault", steps=[good, step])
    assert (error.code, error.pointer) == ("invalid_fault", number)
    assert words in error.detail
    assert (await control.call("faults"))["items"] == []
    assert (await relay.start_source("r", "u", "rtmp://h/a")).is_accepted


async def test_reset_of_an_app_leaves_the_others(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    assert (await control.call("reset", appid=OTHER_APPID))["tasks"] == 0
    assert (await control.call("tasks"))["total"] == 1
    error = await refuse(control, "reset", appid=APPID, world="elsewhere")
    assert error.code == "unknown_world"


@pytest.mark.parametrize(
    ("verb", "parameters", "code", "words"),
    [
        ("task", {}, "unknown_verb", ("'task'", "did you mean 'tasks'?")),
        ("tasks", {"limt": 1}, "unknown_parameter", ("'limt'", "did you mean 'limit'?")),
        ("tasks", {"limit": 0}, "invalid_parameter", ("0", "'limit'", "at least 1")),
        ("tasks", {"appid": "x"}, "invalid_parameter", ("'x'", "'appid'", "integer")),
        ("tasks", {"rtmpurl": "http://h"}, "invalid_parameter", ("'http://h'", "'rtmpurl'")),
        ("tasks", {"world": "defult"}, "unknown_world", ("did you mean 'default'?",)),
        ("tasks", {"wait_seconds": 601}, "invalid_parameter", ("at most 600",)),
        (
            "requests",
            {"rule": "adress-unique"},
            "invalid_parameter",
            ("did you mean 'address-unique'?",),
        ),
        ("requests", {"order": "new"}, "invalid_parameter", ("one of oldest, newest",)),
        ("requests", {"order": "desc"}, "invalid_parameter", ("'desc'", "one of oldest, newest")),
        ("app", {"appid": 70}, "unknown_app", ("70", "did you mean '7'?")),
        ("app", {}, "missing_parameter", ("app", "'appid'")),
    ],
)
async def test_what_can_not_be_asked_is_told_with_the_way_out(
    control: Control,
    verb: str,
    parameters: Mapping[str, Any],
    code: str,
    words: tuple[str, ...],
) -> None:
    error = await refuse(control, verb, **parameters)
    assert error.code == code
    for word in words:
        assert word in error.detail


@pytest.mark.parametrize("order", ["new", "x"], ids=["near", "far"])
async def test_choices_that_are_told_are_not_listed_again(control: Control, order: str) -> None:
    error = await refuse(control, "requests", order=order)
    assert error.detail.count("newest") == 1


async def test_verb_is_known_as_the_command_line_spells_it(control: Control) -> None:
    made = await control.call("create-fault", steps=[{"fault": "hang"}])
    assert (await control.call("delete-fault", fault_id=made["id"]))["id"] == made["id"]


async def test_stream_that_is_called_tells_the_way_out(control: Control) -> None:
    error = await refuse(control, "events")
    assert error.code == "a_stream"
    assert 'ControlClient(relay.control_url).stream("events")' in error.detail


STRANGE_PATTERNS = ["cdn-b.example.com/*", "http://cdn/*", "rtmp:/cdn/*"]


@pytest.mark.parametrize("pattern", STRANGE_PATTERNS)
async def test_pattern_that_matches_no_address_is_refused(control: Control, pattern: str) -> None:
    match = {"rtmpurl": pattern}
    for verb, body in (("create_fault", {"steps": [{"fault": "hang"}]}), ("hold_callbacks", {})):
        error = await refuse(control, verb, match=match, **body)
        assert error.pointer == "/match/rtmpurl"
        assert pattern in error.detail
    assert (await control.call("faults"))["items"] == []


async def test_every_list_and_answer_keeps_to_its_schema(
    control: Control, relay: RelayClient
) -> None:
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:1/cb")
    await relay.start_mixed("r", "t", "rtmp://h/a", LAYOUT)
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.call("startrtmp", {"roomid": 5})
    first: dict[str, dict[str, Any]] = {
        "create_world": {"id": "mine"},
        "delete_world": {"id": "mine"},
        "put_app": {"appid": 21},
        "app": {"appid": 21},
        "delete_app": {"appid": 21},
        "create_certificate": {"appid": APPID},
        "revoke_certificate": {"certificate_id": "other-cert"},
        "set_push_status": {"appid": APPID, "taskid": "t", "status": 1},
        "create_fault": {"id": "spoiled", "steps": [{"fault": "hang"}]},
        "replay_callbacks": {"appid": APPID},
        "faults": {},
        "delete_fault": {"fault_id": "spoiled"},
        "scenario": {"scenario": "certificate-rotated", "appid": APPID},
        "end_scenario": {"scenario": "certificate-rotated"},
        "put_clock": {"mode": "frozen"},
        "advance_clock": {"seconds": 1},
    }
    last: dict[str, dict[str, Any]] = {
        "put_snapshot": {"body": await control.call("snapshot")},
        "clear_requests": {"appid": OTHER_APPID},
        "clear_faults": {"all": True},
        "reset": {"all": True},
    }
    rest: dict[str, dict[str, Any]] = {
        name: {}
        for name, verb in VERBS.items()
        if name not in {*first, *last} and verb.reply is not None
    }
    for name, parameters in (*first.items(), *rest.items(), *last.items()):
        answer = await control.call(name, **parameters)
        compile_component(VERBS[name].reply or "").validate(answer)
