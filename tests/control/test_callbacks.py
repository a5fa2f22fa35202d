"""Callbacks gone bad, over real sockets: faults, hold, release and replay."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fakerelay.client import RelayClient
from fakerelay.errors import ControlError
from tests.control.conftest import APPID, OTHER_APPID, Control

LAYOUT = {"output": {}, "templateid": 1}


class Receiver:
    """A customer's callback endpoint; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[bytes, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((await request.read(), request.headers["Content-Type"]))
        return web.Response(status=self.status, text="no room" if self.status >= 300 else "")

    def told(self) -> list[int]:
        return [json.loads(body)["context"]["status"] for body, _ in self.got]


@pytest.fixture
async def receiver(control: Control) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/cb", receiver.handle)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.01)
    receiver.url = str(server.make_url("/cb"))
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    yield receiver
    await server.close()


async def wait(control: Control, count: int, **filters: Any) -> list[dict[str, Any]]:
    listed = await control.call("callbacks", count=count, wait_seconds=10, **filters)
    items: list[dict[str, Any]] = listed["items"]
    assert len(items) == count
    return items


async def plan(control: Control, **step: Any) -> None:
    await control.call("create_fault", on="callback", id="bad", steps=[step])


async def play(relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.stop_source("r", "u")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"fault": "pass"}, [0, 3]),
        ({"fault": "drop"}, [3]),
        ({"fault": "delay", "seconds": 0.05}, [0, 3]),
        ({"fault": "duplicate", "times": 2}, [0, 0, 0, 3]),
        ({"fault": "reorder"}, [3, 0]),
        ({"fault": "content_type"}, [0, 3]),
        ({"fault": "storm", "copies": 5}, [0] * 5 + [3]),
        ({"fault": "stale_status", "seconds": 0}, [0, 3, 0]),
        ({"fault": "before_reply"}, [0, 3]),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else "",
)
async def test_receiver_gets_what_the_plan_makes_of_it(
    control: Control, relay: RelayClient, receiver: Receiver, step: dict[str, Any], told: list[int]
) -> None:
    await plan(control, **step)
    await play(relay)
    posted = 3 if step["fault"] == "stale_status" else len(set(told))
    await wait(control, posted, state="delivered")
    assert receiver.told() == told
    types = [content_type for _, content_type in receiver.got]
    assert ("text/plain" in types) is (step["fault"] == "content_type")


async def test_corrupt_body_arrives_and_is_kept_with_the_answer(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await control.call("put_profile", callback={"retry_delays_seconds": []})
    receiver.status = 503
    await plan(control, fault="corrupt")
    await relay.start_source("r", "u", "rtmp://h/a")
    (callback,) = await wait(control, 1, state="failed", status=0)
    (attempt,) = callback["attempts"]
    assert attempt["body"].encode() == receiver.got[0][0]
    assert json.dumps(callback["body"], separators=(",", ":")).startswith(attempt["body"])
    assert (attempt["status"], attempt["answer"]) == (503, "no room")
    assert (attempt["cause"], attempt["plan"], attempt["url"]) == ("corrupt", "bad", receiver.url)


async def test_callback_before_the_reply_arrives_before_it(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await plan(control, fault="before_reply")
    await relay.start_source("r", "u", "rtmp://h/a")
    assert receiver.told() == [0]


async def test_held_ones_go_as_they_are_released(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    held = await control.call("hold_callbacks", appid=APPID)
    assert held == {"world": "default", "holds": [{"appid": APPID, "match": {}}], "held": 0}
    await play(relay)
    start, stop = await wait(control, 2, state="pending")
    assert (start["held"], stop["held"]) == (True, True)
    order = [stop["msgid"], start["msgid"]]
    released = await control.call("release_callbacks", msgids=order)
    assert (released["released"], released["held"]) == (order, 0)
    await wait(control, 2, state="delivered")
    assert receiver.told() == [3, 0]
    await play(relay)
    released = await control.call("release_callbacks", appid=APPID, next=1)
    assert (len(released["released"]), released["held"]) == (1, 1)
    await wait(control, 3, state="delivered")
    released = await control.call("release_callbacks")
    assert (len(released["released"]), released["holds"]) == (1, [])
    await wait(control, 4, state="delivered")
    assert receiver.told() == [3, 0, 0, 3]


async def list_holds(control: Control) -> list[Any]:
    (world,) = (await control.call("worlds"))["items"]
    holds: list[Any] = world["holds"]
    return holds


@pytest.mark.parametrize(
    ("verb", "target", "left"),
    [
        ("reset", {"all": True}, []),
        ("reset", {"world": "default"}, []),
        ("reset", {"appid": APPID}, [{"match": {"status": 0}}]),
        ("delete_app", {"appid": APPID}, [{"match": {"status": 0}}]),
    ],
)
async def test_holds_end_with_what_they_are_for(
    control: Control, verb: str, target: dict[str, Any], left: list[Any]
) -> None:
    of_app = {"appid": APPID, "match": {"uid": "u"}}
    await control.call("hold_callbacks", **of_app)
    await control.call("hold_callbacks", match={"status": 0})
    assert await list_holds(control) == [of_app, {"match": {"status": 0}}]
    await control.call(verb, **target)
    assert await list_holds(control) == left


async def test_failed_ones_are_replayed_to_a_receiver_that_came_late(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    await control.call("put_profile", callback={"retry_delays_seconds": []})
    await control.call("put_app", appid=APPID, callback_url="http://127.0.0.1:1/cb")
    await play(relay)
    failed = await wait(control, 2, state="failed")
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    replayed = await control.call("replay_callbacks", appid=APPID, to_present_url=True)
    assert replayed["replayed"] == [each["msgid"] for each in failed]
    delivered = await wait(control, 2, state="delivered")
    assert [json.loads(body) for body, _ in receiver.got] == [each["body"] for each in failed]
    assert [len(each["attempts"]) for each in delivered] == [2, 2]
    assert delivered[0]["attempts"][1]["cause"] == "replay"
    again = await control.call("replay_callbacks", msgids=[failed[1]["msgid"]])
    assert again["replayed"] == [failed[1]["msgid"]]
    await wait(control, 2, state="delivered")
    assert receiver.told() == [0, 3, 3]


@pytest.mark.parametrize(
    ("verb", "body", "code", "pointer"),
    [
        ("release_callbacks", {"msgids": ["{0}", "{0}x"]}, "unknown_notification", "/msgids/1"),
        ("release_callbacks", {"msgids": ["{0}"], "next": 1}, "invalid_body", "/next"),
        ("release_callbacks", {"msgids": ["{0}"], "appid": OTHER_APPID}, "not_held", "/msgids/0"),
        ("replay_callbacks", {"msgids": ["{0}"]}, "still_pending", "/msgids/0"),
        ("replay_callbacks", {"msgids": ["{0}x"]}, "unknown_notification", "/msgids/0"),
        ("replay_callbacks", {}, "invalid_body", ""),
        ("hold_callbacks", {"match": {"stauts": 1}}, "invalid_body", "/match/stauts"),
    ],
)
async def test_refused_release_or_replay_does_nothing(
    control: Control,
    relay: RelayClient,
    receiver: Receiver,
    verb: str,
    body: dict[str, Any],
    code: str,
    pointer: str,
) -> None:
    await control.call("hold_callbacks")
    await relay.start_source("r", "u", "rtmp://h/a")
    (callback,) = await wait(control, 1, state="pending")
    if "msgids" in body:
        body = {**body, "msgids": [each.format(callback["msgid"]) for each in body["msgids"]]}
    with pytest.raises(ControlError) as caught:
        await control.call(verb, **body)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    if code == "unknown_notification":
        assert f"did you mean '{callback['msgid']}'" in caught.value.detail
    assert receiver.got == []
