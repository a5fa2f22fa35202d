"""Which calls a plan is for."""

from typing import Any

import pytest

from tests.web.calls import OpenServer
from tests.web.spoiling import spoil, told
from tests.web.wires import (
    SOURCE,
    START,
    ask,
    build,
    path_of,
)


@pytest.mark.parametrize(
    "raw",
    [
        build(target="/app/7/v2/rtmpforward/other"),
        build(target="/app/7/v1/recordoss/startrtmp"),
        build(method="PUT"),
        build(b" " * (2**20 + 1)),
    ],
    ids=["unknown path", "legacy path", "method", "size"],
)
async def test_what_is_no_call_meets_no_fault(open_server: OpenServer, raw: bytes) -> None:
    server = await open_server()
    await spoil(server, "reset")
    assert "x-fakerelay-fault" not in (await ask(server, raw)).headers
    (plan,) = (await server.control.call("faults"))["items"]
    assert plan["unmet"] == [0]


MATCHES: dict[str, tuple[dict[str, Any], dict[str, Any] | bytes, bool]] = {
    "operation": ({"operation": "stoprtmp"}, {}, False),
    "room": ({"roomid": "r"}, {}, True),
    "other room": ({"roomid": "q"}, {}, False),
    "user": ({"uid": "u"}, {}, True),
    "task": ({"taskid": "u"}, {}, False),
    "pattern": ({"rtmpurl": "rtmp://h/*"}, {"rtmpurl": "rtmp://x/y,rtmp://h/a"}, True),
    "spelled": ({"rtmpurl": "rtmp://H:1935/*"}, {"rtmpurl": "rtmp://H:1935/a"}, True),
    "key": ({"rtmpurl": "rtmp://h/a"}, {"rtmpurl": "rtmp://H:1935/a"}, True),
    "no address": ({"rtmpurl": "*"}, {"rtmpurl": ["rtmp://h/a"]}, False),
    "no text": ({"uid": "5"}, {"uid": 5}, False),
    "no JSON": ({}, b"{", True),
    "no JSON that matches": ({"uid": "u"}, b"{", False),
}


@pytest.mark.parametrize(("match", "change", "is_met"), MATCHES.values(), ids=MATCHES)
async def test_calls_are_matched_by_what_can_be_read_of_them(
    open_server: OpenServer, match: dict[str, Any], change: dict[str, Any] | bytes, is_met: bool
) -> None:
    server = await open_server()
    step = {"fault": "http_status", "status": 418}
    await server.control.call("create_fault", match=match, steps=[step])
    body = change if isinstance(change, bytes) else {**SOURCE, **change}
    assert ((await ask(server, build(body))).status == 418) == is_met


async def test_plan_for_an_app_spares_the_others(open_server: OpenServer) -> None:
    server = await open_server()
    step = {"fault": "http_status", "status": 418}
    await server.control.call("create_fault", appid=8, steps=[step])
    assert (await ask(server, build())).status == 200
    other = path_of(START, 8)
    assert (await ask(server, build({**SOURCE, "appid": 8}, other))).status == 418


async def test_pass_leaves_a_call_untouched(open_server: OpenServer) -> None:
    server = await open_server()
    steps = [{"fault": "pass"}, {"fault": "http_status", "status": 418}]
    await server.control.call("create_fault", steps=steps)
    first = await ask(server, build())
    assert (first.code, "x-fakerelay-fault" in first.headers) == (0, False)
    assert (await ask(server, build())).status == 418
    assert [each["fault"] and each["fault"]["step"] for each in await told(server)] == [None, 1]
