"""Fault plans: listed, refused whole, taken away."""

from typing import Any

import pytest

from fakerelay.client import RelayClient
from fakerelay.faults import read_plan
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control
from tests.control.refusals import refuse


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


STRANGE_PATTERNS = ["cdn-b.example.com/*", "http://cdn/*", "rtmp:/cdn/*"]


@pytest.mark.parametrize("pattern", STRANGE_PATTERNS)
async def test_pattern_that_matches_no_address_is_refused(control: Control, pattern: str) -> None:
    match = {"rtmpurl": pattern}
    for verb, body in (("create_fault", {"steps": [{"fault": "hang"}]}), ("hold_callbacks", {})):
        error = await refuse(control, verb, match=match, **body)
        assert error.pointer == "/match/rtmpurl"
        assert pattern in error.detail
    assert (await control.call("faults"))["items"] == []
