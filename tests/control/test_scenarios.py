"""Each scenario does what it says: what a service sees of it, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from fakerelay.client import RelayClient, RelayUnreachable
from fakerelay.control.scenarios import OVERLAP_SECONDS, read_scenarios
from fakerelay.errors import ControlError
from fakerelay.server import Server
from tests.control.conftest import APPID, OTHER_APPID, Control

Told = list[dict[str, Any]]


@pytest.fixture
async def told(control: Control) -> AsyncIterator[Told]:
    """What a receiver of the app has been told; the world's clock stands still."""
    bodies: Told = []

    async def keep(request: web.BaseRequest) -> web.StreamResponse:
        bodies.append(await request.json())
        return web.Response()

    runner = web.ServerRunner(web.Server(keep))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await control.call("put_clock", mode="frozen")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/cb"
    await control.call("put_app", appid=APPID, callback_url=url)
    yield bodies
    await runner.cleanup()


async def settle(control: Control, seconds: float = 0) -> None:
    """All that is due by then has been done, deliveries included."""
    await control.call("advance_clock", seconds=seconds)


def statuses(told: Told) -> list[tuple[str, int]]:
    return [(each["context"]["rtmpurl"], each["context"]["status"]) for each in told]


async def test_lost_reply_is_done_all_the_same(control: Control, relay: RelayClient) -> None:
    await control.call("scenario", scenario="lost-reply")
    with pytest.raises(RelayUnreachable):
        await relay.start_source("r", "u", "rtmp://h/a")
    (task,) = (await control.call("tasks"))["items"]
    assert task["revision"] == 1
    assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 0


async def test_502_storm_blows_over_after_five_calls(control: Control, relay: RelayClient) -> None:
    await control.call("scenario", scenario="502-storm")
    for _ in range(5):
        with pytest.raises(RelayUnreachable, match=r"HTTP 502.*Bad Gateway"):
            await relay.start_source("r", "u", "rtmp://h/a")
    assert (await control.call("tasks"))["items"] == []
    assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 0


async def test_slow_replies_take_three_seconds_each(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("scenario", scenario="slow-replies")
    async with control.stream("events", event="fault") as events:
        call = asyncio.ensure_future(relay.start_source("r", "u", "rtmp://h/a"))
        await anext(events)
    await settle(control, 2.9)
    assert (await control.call("tasks"))["items"] == []
    await settle(control, 0.2)
    assert (await call).code == 0


async def test_vendor_down_resets_each_call_until_it_is_ended(
    control: Control, relay: RelayClient
) -> None:
    await control.call("scenario", scenario="vendor-down")
    for _ in range(3):
        with pytest.raises(RelayUnreachable):
            await relay.start_source("r", "u", "rtmp://h/a")
    ended = await control.call("end_scenario", scenario="vendor-down")
    assert ended["faults"][0]["steps"][0]["met"] >= 3
    assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 0


async def test_cdn_rejects_one_of_several(control: Control, relay: RelayClient, told: Told) -> None:
    await control.call("scenario", scenario="cdn-rejects-one")
    await relay.start_source("r", "u", ["rtmp://h/a", "rtmp://h/b", "rtmp://h/c"])
    await settle(control)
    (task,) = (await control.call("tasks"))["items"]
    shown = {push["rtmpurl"]: push["status"] for push in task["pushes"]}
    assert shown == {"rtmp://h/a": 1, "rtmp://h/b": 0, "rtmp://h/c": 0}
    assert [status for url, status in statuses(told) if url == "rtmp://h/a"] == [1]


async def test_flapping_cdn_breaks_and_recovers(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("scenario", scenario="flapping-cdn")
    await relay.start_source("r", "u", "rtmp://h/a")
    await settle(control, 35)
    assert statuses(told) == [("rtmp://h/a", status) for status in (0, 1, 0, 1)]


async def test_late_callbacks_come_thirty_seconds_late(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("scenario", scenario="late-callbacks")
    await relay.start_source("r", "u", "rtmp://h/a")
    await relay.stop_source("r", "u")
    await settle(control, 29)
    assert told == []
    await settle(control, 31)
    assert statuses(told) == [("rtmp://h/a", 0), ("rtmp://h/a", 3)]


async def test_duplicate_callbacks_come_twice_with_one_msgid(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("scenario", scenario="duplicate-callbacks")
    await relay.start_source("r", "u", "rtmp://h/a")
    await settle(control)
    first, second = told
    assert first == second


async def test_lost_callbacks_can_be_sent_later(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("scenario", scenario="lost-callbacks")
    await relay.start_source("r", "u", "rtmp://h/a")
    await settle(control)
    assert told == []
    await control.call("end_scenario", scenario="lost-callbacks")
    await control.call("replay_callbacks", appid=APPID)
    await settle(control)
    assert statuses(told) == [("rtmp://h/a", 0)]


async def test_quota_full_refuses_new_tasks_and_nothing_else(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await relay.start_source("r", "mine", "rtmp://h/a")
    begun = await control.call("scenario", scenario="quota-full", appid=APPID)
    assert (begun["running"], len(begun["started"])) == (5, 4)
    assert (await relay.start_source("r", "new", "rtmp://h/b")).code == 42901
    assert (await relay.start_source("r", "mine", "rtmp://h/b")).code == 0
    await control.call("end_scenario", scenario="quota-full")
    assert (await relay.start_source("r", "new", "rtmp://h/a")).code == 0
    await settle(control)
    assert {url for url, _ in statuses(told)} == {"rtmp://h/a", "rtmp://h/b"}


async def test_quota_full_uses_up_nobody_elses_plans(
    control: Control, relay: RelayClient, told: Told
) -> None:
    await control.call("create_fault", on="push", steps=[{"fault": "fail"}])
    await control.call("create_fault", on="callback", steps=[{"fault": "drop"}])
    await control.call("scenario", scenario="quota-full", appid=APPID)
    (on,) = (each for each in (await control.call("scenarios"))["items"] if each["is_on"])
    assert on["scenario"] == "quota-full"
    await control.call("end_scenario", scenario="quota-full")
    await settle(control)
    assert told == []
    assert [plan["unmet"] for plan in (await control.call("faults"))["items"]] == [[0], [0]]
    assert not any(each["is_on"] for each in (await control.call("scenarios"))["items"])


async def test_quota_full_needs_a_quota(control: Control) -> None:
    await control.call("put_profile", concurrent_pushes=0)
    with pytest.raises(ControlError, match=r"without a limit.*put-profile"):
        await control.call("scenario", scenario="quota-full", appid=APPID)
    assert (await control.call("faults"))["items"] == []


async def test_scenario_that_is_for_one_app_asks_which(control: Control) -> None:
    several = f"World 'default' has apps {APPID}, {OTHER_APPID}: say which by 'appid'"
    with pytest.raises(ControlError, match=f"^{several}$") as refused:
        await control.call("scenario", scenario="certificate-rotated")
    assert refused.value.pointer == "/appid"
    for appid in (APPID, OTHER_APPID):
        await control.call("delete_app", appid=appid)
    with pytest.raises(ControlError, match=r"^World 'default' has no app: make one first$"):
        await control.call("scenario", scenario="quota-full")


async def test_certificate_rotated_leaves_an_overlap(
    server: Server, control: Control, relay: RelayClient, told: Told
) -> None:
    begun = await control.call("scenario", scenario="certificate-rotated", appid=APPID)
    new = (begun["certificate_id"], begun["certificate_key"])
    assert begun["revoked"] == ["cert"]
    async with RelayClient(server.url, APPID, *new) as rotated:
        assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 0
        assert (await rotated.start_source("r", "u", "rtmp://h/a")).code == 0
        await settle(control, OVERLAP_SECONDS)
        assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 40103
        assert (await rotated.start_source("r", "u", "rtmp://h/a")).code == 0


async def test_certificate_rotated_again_delays_no_revocation(control: Control, told: Told) -> None:
    await control.call("scenario", scenario="certificate-rotated", appid=APPID)
    await settle(control, OVERLAP_SECONDS / 2)
    again = await control.call("scenario", scenario="certificate-rotated", appid=APPID)
    assert "cert" not in again["revoked"]
    await settle(control, OVERLAP_SECONDS / 2)
    listed = (await control.call("certificates", appid=APPID))["items"]
    assert {each["id"]: each["status"] for each in listed}["cert"] == "revoked"


async def test_scenario_that_is_over_is_not_on(control: Control, relay: RelayClient) -> None:
    await control.call("scenario", scenario="lost-reply")
    with pytest.raises(RelayUnreachable):
        await relay.start_source("r", "u", "rtmp://h/a")
    assert not any(each["is_on"] for each in (await control.call("scenarios"))["items"])


async def test_scenario_says_that_time_stands_still(control: Control) -> None:
    assert (await control.call("scenario", scenario="slow-replies"))["note"] is None
    await control.call("put_clock", mode="frozen")
    assert "advance-clock" in (await control.call("scenario", scenario="slow-replies"))["note"]


async def test_scenario_that_was_not_on_says_so(control: Control) -> None:
    await control.call("scenario", scenario="vendor-down")
    ends = [await control.call("end_scenario", scenario="vendor-down") for _ in range(2)]
    assert [end["was_on"] for end in ends] == [True, False]


async def test_scenario_of_one_app_leaves_the_others_alone(
    server: Server, control: Control, relay: RelayClient
) -> None:
    await control.call("scenario", scenario="vendor-down", appid=OTHER_APPID)
    assert (await relay.start_source("r", "u", "rtmp://h/a")).code == 0
    async with RelayClient(server.url, OTHER_APPID, "other-cert", "other-key") as other:
        with pytest.raises(RelayUnreachable):
            await other.start_source("r", "u", "rtmp://h/b")


async def test_scenario_ends_in_all_worlds_or_one(control: Control) -> None:
    await control.call("create_world", id="other")
    for world in ("default", "other", "other"):
        await control.call("scenario", scenario="vendor-down", world=world)
    await control.call("end_scenario", scenario="vendor-down", world="default")
    (left,) = (await control.call("faults"))["items"]
    assert left["world"] == "other"
    await control.call("end_scenario", scenario="vendor-down")
    assert (await control.call("faults"))["items"] == []


async def test_scenarios_are_listed_with_which_are_on(control: Control) -> None:
    await control.call("scenario", scenario="late-callbacks")
    await control.call("scenario", scenario="late-callbacks")
    listed = (await control.call("scenarios"))["items"]
    assert [each["scenario"] for each in listed] == list(read_scenarios())
    assert [each["scenario"] for each in listed if each["is_on"]] == ["late-callbacks"]
    assert len((await control.call("faults"))["items"]) == 1


async def test_unknown_scenario_names_the_nearest(control: Control) -> None:
    with pytest.raises(ControlError, match="did you mean 'lost-reply'"):
        await control.call("scenario", scenario="lost-replys")
