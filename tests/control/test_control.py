"""What each verb does, in process and over HTTP alike, and what all have in common."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.control.components import compile_component
from fakerelay.control.verbs import VERBS
from tests.control.conftest import APPID, OTHER_APPID, Control
from tests.control.refusals import refuse
from tests.control.test_tasks import LAYOUT


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


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS.values() if verb.needs_target])
async def test_verb_that_destroys_wants_to_be_told_what(control: Control, verb: str) -> None:
    error = await refuse(control, verb)
    assert (error.code, error.status) == ("missing_target", 400)
    assert "all=true" in error.detail
    assert (await refuse(control, verb, all=False)).code == "invalid_parameter"
    assert (await refuse(control, verb, appid=12345)).status == 404
    assert (await refuse(control, verb, world="elsewhere")).status == 404


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


async def test_errors_hide_what_may_be_secret(control: Control, relay: RelayClient) -> None:
    await relay.start_source("r", "u", "rtmp://h/a?key=s3cr3t")
    error = await refuse(
        control, "set_push_status", appid=APPID, uid="u", rtmpurl="rtmp://h/b?k=s3cr3t", status=1
    )
    assert "rtmp://h/a?key=***" in error.detail
    assert "s3cr3t" not in error.detail
    error = await refuse(control, "put_app", appid=APPID, callback_url="http://a:s3cr3t@h:x/")
    assert "s3cr3t" not in error.detail


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
