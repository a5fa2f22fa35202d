"""Relays that begin with a snapshot."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakerelay.errors import ConfigError
from fakerelay.relay import FakeRelay


async def _play(relay: FakeRelay) -> None:
    async with relay.client as client:
        await client.start_source("r", "u", "rtmp://h/a")


@pytest.mark.parametrize("as_file", [False, True], ids=["value", "file"])
async def test_relay_begins_with_a_snapshot(tmp_path: Path, *, as_file: bool) -> None:
    async with FakeRelay(settings={"concurrent_pushes": 1}) as relay:
        await _play(relay)
        snapshot = relay.control("snapshot")
    path = tmp_path / "world.json"
    path.write_text(json.dumps(snapshot))
    async with FakeRelay(snapshot=str(path) if as_file else snapshot) as relay:
        assert [task["uid"] for task in relay.tasks()] == ["u"]
        assert relay.control("profile")["profile"]["concurrent_pushes"] == 1
        async with relay.client as client:
            assert (await client.start_source("r", "v", "rtmp://h/b")).code == 42901


async def test_snapshot_is_restored_at_once_inside_the_loop() -> None:
    async with FakeRelay() as relay:
        before = relay.control("snapshot")
        await _play(relay)
        relay.control("put_snapshot", body=before)
        assert relay.tasks() == []


def test_callback_url_that_is_given_wins_over_the_snapshots() -> None:
    with FakeRelay(callback_url="http://127.0.0.1:1/old") as relay:
        snapshot = relay.control("snapshot")
    with FakeRelay(snapshot=snapshot, callback_url="http://127.0.0.1:1/new") as relay:
        assert relay.control("apps")["items"][0]["callback_url"] == "http://127.0.0.1:1/new"
    with FakeRelay(snapshot=snapshot) as relay:
        assert relay.control("apps")["items"][0]["callback_url"] == "http://127.0.0.1:1/old"


@pytest.mark.parametrize(
    ("own", "complaint"),
    [({"appid": 5}, "app 5"), ({"certificate_key": "other"}, "does not open")],
    ids=["another app", "another key"],
)
def test_snapshot_that_does_not_know_the_relays_app_is_refused(
    own: dict[str, Any], complaint: str
) -> None:
    with FakeRelay() as relay:
        snapshot = relay.control("snapshot", keys=True)
    with pytest.raises(ConfigError, match=complaint):
        FakeRelay(snapshot=snapshot, **own).__enter__()


@pytest.mark.parametrize(
    "own",
    [{"clock": "frozen"}, {"now": 5.0}, {"settings": {"concurrent_pushes": 1}}, {"profile": "x"}],
    ids=["clock", "now", "settings", "profile"],
)
def test_what_a_snapshot_brings_is_not_given_beside_it(own: dict[str, Any]) -> None:
    (key,) = own
    with pytest.raises(ConfigError, match=f"Can't use {key} together with snapshot"):
        FakeRelay(snapshot={}, **own).__enter__()
