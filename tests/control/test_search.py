"""What a list finds, without looking at anything twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.client import RelayClient
from fakerelay.control.requests import REQUESTS
from fakerelay.control.search import Search
from fakerelay.errors import ControlError
from fakerelay.journal import Exchange, Journal
from fakerelay.server import Server
from tests.control.conftest import Control

SIZE = 5
STEPS = st.lists(st.sampled_from(["a", "b", "look", "clear", "clear a"]), max_size=40)


class World:
    """As much of one as a search of its journal asks for."""

    def __init__(self, size: int = SIZE) -> None:
        self.journal = Journal(size)

    def add(self, uid: str) -> None:
        exchange = Exchange("POST", "/", 0.0)
        exchange.trace_id = uid
        exchange.keep_body(f'{{"uid": "{uid}"}}'.encode())
        self.journal.add(exchange)


def search(world: Any, after: int | None = None, **changes: Any) -> Search[Exchange]:
    listing = REQUESTS._replace(**changes)
    values = dict.fromkeys(listing.facts)
    return Search(world, listing, {**values, "uid": "a", "after": after})


def look(search: Search[Exchange]) -> list[int]:
    while search.look():
        pass
    return [exchange.number for exchange in search.found]


@given(STEPS, st.none() | st.integers(0, 8))
def test_search_that_goes_on_finds_what_a_new_one_does(
    steps: Sequence[str], after: int | None
) -> None:
    world = World()
    going_on = search(world, after)
    for step in steps:
        if step == "look":
            assert look(going_on) == look(search(world, after, log=None))
        elif step == "clear":
            world.journal.clear()
        elif step == "clear a":
            world.journal.clear(lambda exchange: exchange.trace_id == "a")
        else:
            world.add(step)
    assert look(going_on) == look(search(world, after, log=None))


def test_search_looks_at_no_exchange_twice() -> None:
    looked: Counter[int] = Counter()

    def read_uid(exchange: Exchange) -> str:
        looked[exchange.number] += 1
        return exchange.trace_id

    world = World(1000)
    going_on = search(world, facts={"uid": read_uid})
    for count in range(250):
        world.add("ab"[count % 2])
        if count % 50 == 0:
            look(going_on)
    assert look(going_on) == list(range(1, 251, 2))
    assert looked == dict.fromkeys(range(1, 251), 1)


def test_search_lets_others_have_their_turn() -> None:
    world = World(1000)
    for _ in range(1000):
        world.add("b")
    going_on = search(world)
    assert going_on.look()
    assert look(going_on) == []


async def test_list_without_a_wait_is_there_at_once(server: Server) -> None:
    for _ in range(1000):
        server.tenants.default.journal.add(Exchange("POST", "/", 0.0))
    listing = server.control.call("requests")
    with pytest.raises(StopIteration) as caught:
        listing.send(None)
    assert caught.value.value["total"] == 1000


async def test_list_that_need_not_wait_is_there_at_once(server: Server) -> None:
    for _ in range(1000):
        server.tenants.default.journal.add(Exchange("POST", "/", 0.0))
    assert server.control.call_at_once("requests", wait_seconds=1)["total"] == 1000


async def test_body_is_read_once_for_all_lists(
    control: Control, relay: RelayClient, server: Server
) -> None:
    await relay.stop_source("r", "u")
    (exchange,) = server.tenants.default.journal
    listed = await control.call("requests", uid="u", roomid="r")
    assert listed["total"] == 1
    names = exchange.names
    assert names == {"uid": "u", "roomid": "r"}
    await control.call("requests", uid="u", roomid="r")
    assert exchange.names is names


@pytest.mark.parametrize("verb", ["requests", "callbacks"])
async def test_after_wants_to_be_told_the_world_where_there_are_several(
    control: Control, relay: RelayClient, verb: str
) -> None:
    await relay.stop_source("r", "u")
    assert (await control.call(verb, after=1))["items"] == []
    await control.call("create_world", id="mine")
    with pytest.raises(ControlError) as caught:
        await control.call(verb, after=1)
    error = caught.value
    assert (error.code, error.status, error.pointer) == ("ambiguous_world", 409, "/query/after")
    assert "'world'" in error.detail
    assert (await control.call(verb, after=1, world="default"))["items"] == []


async def test_wait_with_after_stays_with_its_world(server: Server, relay: RelayClient) -> None:
    control = server.control
    waiting = asyncio.ensure_future(control.call("requests", after=0, wait_seconds=30))
    await asyncio.sleep(0)  # it looks, and waits
    await control.call("create_world", id="mine")
    await relay.stop_source("r", "u")
    listed = await asyncio.wait_for(waiting, 10)
    assert [request["world"] for request in listed["items"]] == ["default"]
