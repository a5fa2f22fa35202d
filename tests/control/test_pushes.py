"""How pushes fare, as the control plane is told and tells it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.control.local import LocalControl
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, Control

OpenServer = Callable[..., Awaitable[Server]]


async def set_status(control: Control, status: int | str, **parts: Any) -> Any:
    return await control.call("set_push_status", appid=APPID, uid="u", status=status, **parts)


async def show(control: Control) -> list[tuple[str, int | None, str]]:
    """Each push of the only task: address, status, and the status in words."""
    (task,) = (await control.call("tasks"))["items"]
    return [(p["rtmpurl"], p["status"], p["status_name"]) for p in task["pushes"]]


async def advance(control: Control, seconds: float) -> list[str]:
    """What it fired."""
    advanced = await control.call("advance_clock", seconds=seconds)
    return [fired["what"] for fired in advanced["fired"]]


@pytest.mark.parametrize(
    ("status", "number", "name"),
    [
        ("connecting", None, "connecting"),
        ("cdn_failed", 1, "cdn_failed"),
        (2, 2, "internal_failed"),
        ("stopped", 3, "stopped"),
        (3, 3, "stopped"),
    ],
)
async def test_status_is_set_at_once(
    control: Control, relay: RelayClient, status: int | str, number: int | None, name: str
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    (push,) = (await set_status(control, status))["pushes"]
    assert (push["status"], push["status_name"]) == (number, name)
    assert push["scheduled"] == []


async def test_recovered_is_pushing(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    await set_status(control, 1)
    (push,) = (await set_status(control, "recovered"))["pushes"]
    assert (push["status"], push["status_name"]) == (0, "pushing")


async def test_stopped_address_leaves_its_task(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b"])
    task = await set_status(control, "stopped", rtmpurl="rtmp://h/a")
    assert [push["rtmpurl"] for push in task["pushes"]] == ["rtmp://h/b"]
    assert (await relay.start_source("r", "v", "rtmp://h/a")).is_accepted


async def test_last_stopped_address_ends_its_task(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b"])
    task = await set_status(control, "stopped")
    assert (task["uid"], task["revision"]) == ("u", 3)
    assert [push["status"] for push in task["pushes"]] == [3, 3]
    assert (await control.call("tasks"))["items"] == []


async def test_status_is_set_later(control: Control, relay: RelayClient) -> None:
    await control.call("put_clock", mode="frozen")
    await relay.start_source("r", "u", ["rtmp://h/a?key=secret", "rtmp://h/b"])
    await set_status(control, "recovered", after_seconds=90, rtmpurl="rtmp://h/a?key=secret")
    task = await set_status(
        control, "cdn_failed", after_seconds=60, rtmpurl="rtmp://h/a?key=secret"
    )
    begin = (await control.call("clock"))["now"]
    assert [push["scheduled"] for push in task["pushes"]] == [
        [
            {"status": 1, "status_name": "cdn_failed", "due_at": begin + 60},
            {"status": 0, "status_name": "pushing", "due_at": begin + 90},
        ],
        [],
    ]
    assert await advance(control, 59) == []
    assert await advance(control, 1) == ["status of rtmp://h/a?key=***"]
    assert await show(control) == [
        ("rtmp://h/a?key=secret", 1, "cdn_failed"),
        ("rtmp://h/b", 0, "pushing"),
    ]
    await advance(control, 30)
    assert [status for _, status, _ in await show(control)] == [0, 0]


async def test_what_is_to_come_ends_with_a_reset(control: Control, relay: RelayClient) -> None:
    await control.call("put_clock", mode="frozen")
    await relay.start_source("r", "u", "rtmp://h/a")
    await set_status(control, 1, after_seconds=60)
    await control.call("reset", appid=APPID)
    await relay.start_source("r", "u", "rtmp://h/a")
    assert await advance(control, 100) == []
    assert [status for _, status, _ in await show(control)] == [0]


async def test_retry_of_the_service_is_listed_as_connecting(
    control: Control, relay: RelayClient
) -> None:
    await control.call("put_clock", mode="frozen")
    await control.call("put_profile", push={"retry_seconds": 5})
    await relay.start_source("r", "u", "rtmp://h/a")
    (push,) = (await set_status(control, 1))["pushes"]
    assert push["scheduled"] == [
        {"status": None, "status_name": "connecting", "due_at": push["since"] + 5}
    ]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"status": "recoverd"}, "/status"),
        ({"status": -1}, "/status"),
        ({"after_seconds": -1}, "/after_seconds"),
        ({"after_seconds": 1e9}, "/after_seconds"),
        ({"after_seconds": "1"}, "/after_seconds"),
        ({"after_second": 1}, "/after_second"),
    ],
    ids=str,
)
async def test_status_that_makes_no_sense_is_refused(
    control: Control, relay: RelayClient, parts: Mapping[str, Any], pointer: str
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    with pytest.raises(ControlError) as caught:
        await control.call("set_push_status", **{"appid": APPID, "uid": "u", "status": 1, **parts})
    assert (caught.value.code, caught.value.pointer) == ("invalid_body", pointer)
    assert [status for _, status, _ in await show(control)] == [0]


async def plan(control: Control, *steps: Mapping[str, Any], **parts: Any) -> Any:
    return await control.call("create_fault", on="push", steps=list(steps), **parts)


async def test_plan_makes_pushes_fail_by_their_address(
    control: Control, relay: RelayClient
) -> None:
    step = {"fault": "fail", "count": "always"}
    await plan(control, step, match={"rtmpurl": "rtmp://b.example/*"})
    reply = await relay.start_source("r", "u", ["rtmp://a.example/x", "rtmp://B.example/x"])
    assert reply.is_accepted
    assert [status for _, status, _ in await show(control)] == [0, 1]
    (fault,) = (await control.call("faults"))["items"]
    assert fault["steps"][0]["met"] == 1


@pytest.mark.parametrize(
    ("step", "parts", "pointer", "detail"),
    [
        ({"fault": "fial"}, {}, "/steps/0/fault", "did you mean 'fail'?"),
        ({"fault": "drip"}, {}, "/steps/0/fault", "it is one of a call"),
        ({"fault": "fail", "after_second": 1}, {}, "/steps/0/after_second", "'after_seconds'?"),
        ({"fault": "fail", "status": 1}, {}, "/steps/0/status", "`cdn_failed` by default"),
        ({"fault": "fail", "recover_seconds": 0}, {}, "/steps/0/recover_seconds", "recovers"),
        ({"fault": "flap"}, {}, "/steps/0/seconds", "needs 'seconds'"),
        ({"fault": "flap", "seconds": 0}, {}, "/steps/0/seconds", "How long it works"),
        ({"fault": "flap", "seconds": 1, "times": 0}, {}, "/steps/0/times", "How often"),
        ({"fault": "slow", "seconds": "1"}, {}, "/steps/0/seconds", "How long it connects"),
        ({"fault": "user_left"}, {}, "/match/uid", "needs a match by 'uid'"),
        ({"fault": "fail"}, {"match": {"status": 1}}, "/match/status", "A push has no 'status'"),
        (
            {"fault": "fail"},
            {"match": {"operation": "startrtmp"}},
            "/match/operation",
            "'operation'",
        ),
        ({"fault": "user_left"}, {"match": {"taskid": "t"}}, "/match/uid", "by 'uid'"),
    ],
    ids=str,
)
async def test_plan_for_pushes_that_makes_no_sense_is_refused(
    control: Control, step: Mapping[str, Any], parts: Mapping[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(ControlError) as caught:
        await plan(control, step, **parts)
    assert (caught.value.code, caught.value.pointer) == ("invalid_fault", pointer)
    assert detail in caught.value.detail
    assert (await control.call("faults"))["items"] == []


async def test_taken_magic_address_says_so_in_the_journal(
    control: Control, relay: RelayClient
) -> None:
    reply = await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://taken.fakerelay.test/live"])
    assert reply.code == 40901
    assert reply.message == "address in use: rtmp://taken.fakerelay.test/live"
    (request,) = (await control.call("requests"))["items"]
    assert request["problem"]["holder"] == {"task": "none: a magic address"}


async def test_magic_can_be_turned_off_for_a_server(open_server: OpenServer) -> None:
    server = await open_server(control_port=0, magic_addresses=False)
    async with RelayClient(server.url, APPID, "cert", "key") as relay:
        await relay.start_source("r", "u", "rtmp://refused.fakerelay.test/live")
    assert isinstance(server.control, LocalControl)
    assert [status for _, status, _ in await show(server.control)] == [0]


async def test_mistyped_magic_address_is_warned_of(control: Control, relay: RelayClient) -> None:
    urls = ("rtmp://refused.fakerelay.test/a", "rtmp://refuse.fakerelay.test/a", "rtmp://h/a")
    assert (await relay.start_source("r", "u", urls)).is_accepted
    (request,) = (await control.call("requests"))["items"]
    assert request["warnings"] == [
        {
            "rule": None,
            "detail": "an ordinary address: 'refuse' is no magic name (did you mean 'refused'?)",
            "field": "rtmpurl",
        }
    ]
