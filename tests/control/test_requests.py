"""The journal: what it says of each call, how it is searched, and how it is cleared."""

from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient, RelayUnreachable
from fakerelay.control.components import compile_component
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control


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
