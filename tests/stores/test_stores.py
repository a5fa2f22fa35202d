"""What every store does, whatever it keeps worlds in."""

import asyncio

import pytest

from fakerelay.core.commands import Command
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Decision, Refused, decide
from fakerelay.core.world import World
from fakerelay.errors import ConfigError
from fakerelay.ports import Store
from fakerelay.stores import open_store
from tests.core.worlds import DEFAULT, dump, held, set_status, start, stop

URLS = ["memory:"]


@pytest.fixture(params=URLS)
def store(request: pytest.FixtureRequest) -> Store:
    return open_store(request.param)


async def test_store_begins_empty(store: Store) -> None:
    assert list(store.view.tasks()) == []
    assert store.view.revision == 0


async def test_store_writes_what_was_accepted(store: Store) -> None:
    decision = await store.transact(start("u", "h/a"), 0.0, DEFAULT, decide)
    assert isinstance(decision, Accepted)
    assert held(store.view, "u") == ["h/a"]


async def test_store_writes_nothing_of_what_was_refused(store: Store) -> None:
    await store.transact(start("u", "h/a"), 0.0, DEFAULT, decide)
    before = dump(store.view)
    decision = await store.transact(start("v", "h/b", "h/a"), 0.0, DEFAULT, decide)
    assert isinstance(decision, Refused)
    assert dump(store.view) == before


async def test_revision_moves_with_each_change_and_with_nothing_else(store: Store) -> None:
    moved = []
    for command in (
        start("u", "h/a"),
        start("v", "h/a"),
        start("u", "h/a", "h/b"),
        set_status("u", "h/a", 0),
        set_status("u", "h/a", 1),
        stop("u"),
        stop("u"),
    ):
        before = store.view.revision
        await store.transact(command, 0.0, DEFAULT, decide)
        moved.append(store.view.revision - before)
    assert moved == [1, 0, 1, 0, 1, 1, 0]


async def test_of_many_who_want_one_address_one_gets_it(store: Store) -> None:
    decisions = await asyncio.gather(
        *(store.transact(start(f"u{number}", "h/a"), 0.0, DEFAULT, decide) for number in range(100))
    )
    assert sum(isinstance(decision, Accepted) for decision in decisions) == 1


async def test_what_decide_raises_reaches_the_caller_and_changes_nothing(store: Store) -> None:
    def fail(view: World, command: Command, now: float, profile: Profile) -> Decision:
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(start("u", "h/a"), 0.0, DEFAULT, fail)
    assert list(store.view.tasks()) == []


@pytest.mark.parametrize("url", URLS)
async def test_two_stores_are_two_worlds(url: str) -> None:
    one, other = open_store(url), open_store(url)
    await one.transact(start("u", "h/a"), 0.0, DEFAULT, decide)
    assert isinstance(await other.transact(start("u", "h/a"), 0.0, DEFAULT, decide), Accepted)


@pytest.mark.parametrize("url", ["", "memory", "redis://localhost", "file.db"])
def test_unknown_state_url_says_what_there_is(url: str) -> None:
    with pytest.raises(ConfigError, match=rf"Unknown state URL '{url}': .* 'memory:'"):
        open_store(url)
