"""Relays that are worlds on the server of others: made whole or not at all, and gone afterwards."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from fakerelay import ConfigError, FakeRelay, Host
from fakerelay.hosts import open_shared

from .conftest import no_complaints


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = open_shared(tls=False)
    yield host
    host.close()


def worlds(host: Host) -> list[str]:
    return [tenant.id for tenant in host.server.tenants]


def test_world_may_end_right_after_a_call(host: Host) -> None:
    """Its callback is posted, or is about to be, or just has been."""
    with no_complaints():
        for number in range(200):
            with FakeRelay(server=host) as relay:
                relay.start("rtmp://h/a")
                for _ in range(number % 50 * 20):
                    pass
    assert worlds(host) == ["default"]


WRONG: dict[str, dict[str, Any]] = {
    "unknown fault": {"faults": [{"steps": [{"fault": "hnag"}]}]},
    "unknown profile": {"profile": "rset"},
    "unknown setting": {"settings": {"quota": 1}},
    "no URL": {"callback_url": "nonsense"},
    "no scheme": {"callback_url": "http://"},
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_world_that_can_not_be_leaves_nothing(host: Host, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        FakeRelay(server=host, appid=77, **options).__enter__()
    assert worlds(host) == ["default"]
    with FakeRelay(server=host, appid=77) as relay:
        assert relay.start("rtmp://h/a").is_accepted


def test_appid_of_another_world_is_refused(host: Host) -> None:
    with FakeRelay(server=host, appid=78) as first:
        with pytest.raises(ConfigError, match="78 belongs to another world"):
            FakeRelay(server=host, appid=78).__enter__()
        assert first.start("rtmp://h/a").is_accepted
    assert worlds(host) == ["default"]


def test_tls_needs_a_server_that_speaks_it(host: Host) -> None:
    with pytest.raises(ConfigError, match=r"tls=True.*speaks plain HTTP only"):
        FakeRelay(server=host, tls=True).__enter__()


@pytest.mark.parametrize("ends", ["opening", "open"])
async def test_world_whose_opening_is_cancelled_is_gone(host: Host, ends: str) -> None:
    relay = FakeRelay(server=host, appid=79)
    opening = asyncio.create_task(relay.__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    if ends == "open":
        async with FakeRelay(server=host, appid=79) as again:
            assert (await again.client.start_source("r", "u", "rtmp://h/a")).is_accepted
    assert worlds(host) == ["default"]
