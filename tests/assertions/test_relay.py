"""Assertions on a real relay: what holds passes, and what doesn't says so."""

from collections.abc import AsyncIterator

import pytest

from fakerelay import FakeRelay, FakerelayError, RelayClient

ADDRESS = "rtmp://cdn.example.com/live/anna"


@pytest.fixture
async def relay() -> AsyncIterator[FakeRelay]:
    relay = FakeRelay(callback_url=None, clock="frozen", now=1_700_000_000)
    async with relay:
        yield relay


@pytest.fixture
async def client(relay: FakeRelay) -> AsyncIterator[RelayClient]:
    async with relay.client as client:
        yield client


async def test_address_is_pushed_to_until_it_is_stopped(
    relay: FakeRelay, client: RelayClient
) -> None:
    await client.start_source("room1", "anna", ADDRESS)
    relay.assert_pushing("RTMP://cdn.example.com:1935/live/anna")
    with pytest.raises(AssertionError, match="is still pushed to: pushing"):
        relay.assert_stopped(ADDRESS)
    await client.stop_source("room1", "anna")
    relay.assert_stopped(ADDRESS)
    with pytest.raises(AssertionError, match="is not pushed to by any running task"):
        relay.assert_pushing(ADDRESS)


async def test_failing_push_is_no_push(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", ADDRESS)
    relay.control("set_push_status", appid=relay.appid, uid="anna", status="cdn_failed")
    await relay.clock.aadvance(5)
    with pytest.raises(AssertionError) as failure:
        relay.assert_pushing(ADDRESS)
    assert str(failure.value) == (
        f"{ADDRESS} is not pushing: cdn_failed\n"
        "  source task 'anna' of room 'room1' pushes there: cdn_failed since"
        " +0.000, for 5.000 s"
    )


async def test_calls_are_counted_by_their_fields(relay: FakeRelay, client: RelayClient) -> None:
    await client.start_source("room1", "anna", [ADDRESS, f"{ADDRESS}-2"], trace_id="t1")
    await client.start_source("room1", "bob", ADDRESS, trace_id="t2")
    (request,) = relay.assert_called("startrtmp", times=1, uid="anna", rtmpurl=ADDRESS)
    assert request["traceid"] == "t1"
    relay.assert_called("startrtmp", times=1, rule="address-unique", accepted=False, code=40901)
    relay.assert_called("startrtmp", times=2, appid=relay.appid, streamtype=2)
    relay.assert_called("stoprtmp", times=0)
    with pytest.raises(
        AssertionError, match=r"^stoprtmp was not called \(wanted: at least once; stoprtmps: 0 of 2"
    ):
        relay.assert_called("stoprtmp")
    with pytest.raises(FakerelayError, match="did you mean 'roomid'"):
        relay.assert_called("startrtmp", times=0, room_id="room1")


async def test_layout_of_a_running_task(relay: FakeRelay, client: RelayClient) -> None:
    inputs = [{"uid": "anna", "width": 320}, {"uid": "bob", "x": 320}]
    await client.start_mixed("room1", "mix", ADDRESS, {"input": inputs, "output": {}})
    relay.assert_layout("mix", {"anna": (0, 0, 320, 360), "bob": (320, 0, 320, 360)})
    with pytest.raises(
        AssertionError, match=r"^1 user of mixed task 'mix' not where wanted: 'bob'"
    ):
        relay.assert_layout("mix", {"anna": (0, 0, 320, 360), "bob": (320, 0, 320, 180)})


async def test_leftovers_are_what_runs(relay: FakeRelay, client: RelayClient) -> None:
    relay.assert_no_leftovers()
    await client.start_source("room1", "anna", ADDRESS)
    with pytest.raises(AssertionError, match=r"^Left over: 1 running task\n"):
        relay.assert_no_leftovers()
