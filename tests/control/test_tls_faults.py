"""Plans on `tls`, in process and over HTTP alike; what clients then see is in `tests/web`."""

from typing import Any

import pytest

from fakerelay.errors import ControlError
from tests.control.conftest import Control

UNTRUSTED = {"fault": "untrusted"}


@pytest.mark.parametrize(
    ("plan", "pointer", "words"),
    [
        ({"steps": [UNTRUSTED], "match": {"roomid": "r"}}, "/match", "handshake"),
        ({"steps": [UNTRUSTED, UNTRUSTED]}, "/steps/1", "make a plan for each"),
        ({"steps": [{**UNTRUSTED, "count": 2}]}, "/steps/0/count", "until it is taken away"),
        ({"steps": [{**UNTRUSTED, "for_seconds": 2}]}, "/steps/0/for_seconds", "taken away"),
        (
            {"steps": [{**UNTRUSTED, "probability": 0.5}], "seed": 1},
            "/steps/0/probability",
            "taken away",
        ),
        ({"steps": [{"fault": "expird"}]}, "/steps/0/fault", "did you mean 'expired'"),
        ({"steps": [{"fault": "hang"}]}, "/steps/0/fault", "'on': 'call'"),
        ({"steps": [{**UNTRUSTED, "prot": 1}]}, "/steps/0/prot", "did you mean 'port'"),
        ({"steps": [{**UNTRUSTED, "port": 65536}]}, "/steps/0/port", "65535"),
        ({"steps": [{"fault": "expired", "days": 0}]}, "/steps/0/days", "days"),
        ({"steps": [{"fault": "wrong_name", "name": "a b"}]}, "/steps/0/name", "other host"),
    ],
)
async def test_plan_of_no_use_is_refused_and_not_made(
    control: Control, plan: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(ControlError, match=words) as caught:
        await control.call("create_fault", on="tls", **plan)
    assert (caught.value.code, caught.value.pointer) == ("invalid_fault", pointer)
    assert (await control.call("faults"))["items"] == []


async def test_plan_lasts_and_shows_its_port(control: Control) -> None:
    plan = await control.call("create_fault", on="tls", steps=[{**UNTRUSTED, "count": "always"}])
    assert plan["url"].startswith("https://127.0.0.1:")
    assert plan["ca_file"] is None
    assert plan["steps"] == [{**UNTRUSTED, "count": "always", "met": 0}]
    assert (await control.call("faults"))["items"] == [plan]
    assert await control.call("delete_fault", fault_id=plan["id"]) == plan


async def test_reset_takes_the_plans_of_its_apps(control: Control) -> None:
    steps = [{"fault": "pass"}]
    await control.call("create_fault", id="all", steps=steps)
    await control.call("create_fault", id="seven", appid=7, steps=steps)
    assert (await control.call("reset", appid=7))["faults"] == 1
    assert [plan["id"] for plan in (await control.call("faults"))["items"]] == ["all"]
    assert (await control.call("reset", all=True))["faults"] == 1
    assert (await control.call("faults"))["items"] == []


async def test_plan_of_a_snapshot_has_a_port_again(control: Control) -> None:
    await control.call("create_fault", id="tls", on="tls", steps=[UNTRUSTED])
    snapshot = await control.call("snapshot")
    await control.call("clear_faults", all=True)
    await control.call("put_snapshot", body=snapshot)
    (plan,) = (await control.call("faults"))["items"]
    assert plan["url"].startswith("https://127.0.0.1:")
