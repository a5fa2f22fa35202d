"""`relay.clock`, from sync code and from coroutines, for relays of either kind."""

import asyncio

import pytest

from fakerelay.errors import ControlError, FakerelayError
from fakerelay.relay import FakeRelay

NOBODY = "http://127.0.0.1:1/cb"
RETRIES = {"callback": {"retry_delays_seconds": [10, 60]}}


def open_relay() -> FakeRelay:
    return FakeRelay(
        clock="frozen", now=1000, seed=1, callback_url=NOBODY, settings=RETRIES, certificate_id="c"
    )


async def start(relay: FakeRelay) -> None:
    async with relay.client as client:
        await client.start_source("r", "u", "rtmp://h/a")


def count_attempts(relay: FakeRelay) -> int:
    return len(relay.notifications()[0]["attempts"])


async def test_clock_of_a_relay_in_a_thread_is_moved_at_once() -> None:
    with open_relay() as relay:
        await start(relay)
        assert relay.clock.now() == 1000
        assert len(relay.clock.advance(10)["fired"]) == 1
        assert relay.clock.run_until("next")["now"] == 1070
        assert relay.clock.run_until({"callbacks": {"state": "failed"}})["reached"]


async def test_clock_of_a_relay_in_a_thread_is_awaited_too() -> None:
    with open_relay() as relay:
        await start(relay)
        assert len((await relay.clock.aadvance(100))["fired"]) == 2


async def test_clock_of_a_relay_in_the_callers_loop_is_awaited() -> None:
    async with open_relay() as relay:
        await start(relay)
        assert relay.clock.now() == 1000
        assert (await relay.clock.aadvance(10))["now"] == 1010
        assert (await relay.clock.arun_until("idle"))["now"] == 1070
        with pytest.raises(FakerelayError, match="begins with an 'a'"):
            relay.clock.advance(1)


async def test_a_relay_runs_until_what_a_test_wants_is_so() -> None:
    with open_relay() as relay:
        await start(relay)
        advance = relay.clock.run_until(lambda: count_attempts(relay) == 2)
        assert (advance["now"], advance["reached"], len(advance["fired"])) == (1010, True, 1)
        advance = relay.clock.run_until(lambda: count_attempts(relay) == 9, limit_seconds=600)
        assert (advance["now"], advance["reached"], len(advance["fired"])) == (1610, False, 1)
        assert advance["fired_count"] == 1


async def test_a_relay_runs_until_what_a_coroutine_says_is_so() -> None:
    async def has_failed() -> bool:
        listed = await relay.acontrol("callbacks", state="failed")
        return bool(listed["items"])

    async with open_relay() as relay:
        await start(relay)
        assert (await relay.clock.arun_until(has_failed))["now"] == 1070
        assert (await relay.clock.arun_until(lambda: False, limit_seconds=5))["now"] == 1075


def test_a_relay_is_frozen_and_let_run() -> None:
    with FakeRelay() as relay:
        with pytest.raises(ControlError, match="freeze it"):
            relay.clock.advance(1)
        relay.clock.freeze()
        now = relay.clock.now()
        relay.clock.freeze(now + 5)
        assert relay.clock.advance(60)["now"] == now + 65
        relay.clock.unfreeze()
        assert relay.clock.now() > now + 65


def test_a_relay_gives_up_after_the_cap_of_real_time() -> None:
    with open_relay() as relay:
        asked: list[None] = []
        advance = relay.clock.run_until(lambda: asked.append(None), cap_seconds=0)
    assert (advance["now"], advance["reached"], len(asked)) == (1000, False, 1)


async def test_clock_that_blocked_the_loop_of_the_app_says_so() -> None:
    came, ends = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await ends.wait()
        writer.close()

    app = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{app.sockets[0].getsockname()[1]}/cb"
    async with app:
        with FakeRelay(clock="frozen", callback_url=url) as relay:
            await start(relay)
            await came.wait()
            with pytest.warns(UserWarning, match="use 'await clock.aadvance"):
                assert relay.clock.advance(1, cap_seconds=0)["unfinished"]
            ends.set()


def test_clock_that_blocks_nobody_warns_of_nothing() -> None:
    with FakeRelay(clock="frozen") as relay:
        relay.callbacks.hang()
        relay.start("rtmp://h/a")
        relay.callbacks.wait_for()
        assert relay.clock.advance(1, cap_seconds=0)["unfinished"]
