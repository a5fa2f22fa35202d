"""Apps and certificates: put, changed, rotated and revoked; where a key is shown."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.server import Server
from tests.control.conftest import APPID, Control
from tests.control.refusals import refuse


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
