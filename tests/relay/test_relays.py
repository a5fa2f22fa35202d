"""What a relay is told to be, says of itself, and does at once."""

import asyncio
from pathlib import Path

import pytest

from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.relay import FakeRelay


async def test_relay_in_the_callers_loop_does_verbs_at_once() -> None:
    async with FakeRelay() as relay, relay.client as client:
        await client.start_source("r", "u", "rtmp://h/a")
        assert len(relay.tasks()) == 1
        assert relay.control("reset", all=True)["tasks"] == 1
        assert relay.tasks() == []
        with pytest.raises(FakerelayError, match="acontrol"):
            relay.control("tasks", wait_seconds=1)


async def test_reset_in_the_callers_loop_is_whole_while_a_callback_is_in_flight() -> None:
    came, ends = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as receiver:
        url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/cb"
        async with FakeRelay(callback_url=url) as relay, relay.client as client:
            await client.start_source("r", "u", "rtmp://h/a")
            await came.wait()
            done = relay.control("reset", all=True)
            assert (done["tasks"], done["requests"], done["callbacks"]) == (1, 1, 1)
            assert (relay.tasks(), relay.requests(), relay.notifications()) == ([], [], [])
        ends.set()


def test_settings_may_have_dots_in_their_keys() -> None:
    settings = {"callback.timeout_seconds": 1, "callback": {"product": 4}}
    with FakeRelay(settings=settings) as relay:
        callback = relay.control("profile")["profile"]["callback"]
        assert (callback["timeout_seconds"], callback["product"]) == (1, 4)


def test_profile_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text('{"concurrent_pushes": 1}')
    with FakeRelay(profile=path) as relay:
        assert relay.control("profile")["profile"]["concurrent_pushes"] == 1


def test_callbacks_that_are_off_are_said_to_be() -> None:
    with (
        FakeRelay(callback_url=None) as relay,
        pytest.raises(FakerelayError, match="Callbacks are off"),
    ):
        len(relay.callbacks)


def test_client_without_an_asyncio_loop_does_nothing() -> None:
    with FakeRelay() as relay:
        call = relay.client.start_source("r", "u", "rtmp://h/a")
        with pytest.raises(FakerelayError, match="needs a running asyncio loop"):
            call.send(None)
        assert relay.requests() == []


def test_relay_tells_what_and_where_it_is() -> None:
    relay = FakeRelay(appid=77)
    assert repr(relay) == "<FakeRelay app 77, not running>"
    with relay:
        assert repr(relay) == f"<FakeRelay app 77 at {relay.url}, world default>"
        relay.start("rtmp://h/a", roomid="story")
        assert "room 'story'" in relay.report()


def test_addresses_may_be_asserted_as_a_list() -> None:
    with FakeRelay() as relay:
        relay.start(["rtmp://h/a", "rtmp://h/b"])
        relay.assert_pushing(["rtmp://h/a", "rtmp://h/b"])
        relay.stop()
        relay.assert_stopped(["rtmp://h/a", "rtmp://h/b"])


def test_server_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="Can't use server='x': expected a Host"):
        FakeRelay(server="x")  # type: ignore[arg-type]  # a mistake


def test_certificate_key_that_is_no_text_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="Can't use certificate_key: expected text"):
        FakeRelay(certificate_key=["s3cret"])  # type: ignore[arg-type]  # a mistake
