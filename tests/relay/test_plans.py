"""Relays that begin with plans of faults."""

import socket
from typing import Any

import pytest

from fakerelay.errors import ConfigError
from fakerelay.relay import FakeRelay

PLANS = (
    {"steps": [{"fault": "problem", "name": "internal_error"}]},
    {"id": "tls", "on": "tls", "steps": [{"fault": "untrusted"}]},
)


async def test_relay_begins_with_its_plans_and_a_reset_brings_them_back() -> None:
    async with FakeRelay(faults=PLANS) as relay, relay.client as client:
        before = relay.control("faults")["items"]
        assert [plan["id"] for plan in before] == ["fault-1", "tls"]
        for _ in range(2):
            started = [await client.start_source("r", "u", "rtmp://h/a") for _ in range(2)]
            assert [reply.is_accepted for reply in started] == [False, True]
            relay.control("create_fault", steps=[{"fault": "hang"}])
            relay.control("delete_fault", fault_id="tls")
            assert relay.control("reset", all=True)["faults"] == 2
        again = relay.control("faults")["items"]
        assert [plan["id"] for plan in again] == ["fault-1", "tls"]
        assert (again[0]["unmet"], again[1]["url"] is None) == ([0], False)


async def test_plan_said_by_the_relay_keeps_its_port_over_a_reset() -> None:
    async with FakeRelay(faults=PLANS) as relay:
        before = relay.control("faults")["items"]
        relay.control("reset", all=True)
        assert relay.control("faults")["items"][1]["url"] == before[1]["url"]


async def test_reset_of_an_app_brings_back_its_plans_only() -> None:
    steps = [{"fault": "pass"}]
    plans: list[dict[str, Any]] = [
        {"id": "all", "steps": steps},
        {"id": "its", "appid": 7, "steps": steps},
    ]
    async with FakeRelay(appid=7, faults=plans) as relay:
        relay.control("clear_faults", all=True)
        relay.control("reset", appid=7)
        assert [plan["id"] for plan in relay.control("faults")["items"]] == ["its"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"steps": [{"fault": "hnag"}]}, "did you mean 'hang'.*/fault/0/steps/0/fault"),
        ({"appid": 123456788, "steps": [{"fault": "hang"}]}, "'fault-1'.*did you mean '123456789'"),
        ("hang", "/fault/0"),
    ],
    ids=["unknown fault", "unknown app", "no plan"],
)
async def test_relay_with_a_plan_of_no_use_does_not_start(plan: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await FakeRelay(faults=[plan]).__aenter__()


async def test_relay_whose_plan_wants_a_taken_port_does_not_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plan = {"on": "tls", "steps": [{"fault": "untrusted", "port": port}]}
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*choose another 'port'"):
            await FakeRelay(faults=[plan]).__aenter__()
