"""Clients of a relay: whose they are, and when they end."""

import pytest

from fakerelay import FakeRelay, FakerelayError, Host
from fakerelay.hosts import open_shared
from tests.lodgings.threads import do_together, often_switching


async def test_client_ends_with_its_relay_on_a_server_that_goes_on(host: Host) -> None:
    async with FakeRelay(server=host) as relay:
        client = relay.client
        assert (await client.start_source("r", "u", "rtmp://h/a")).is_accepted
    with pytest.raises(FakerelayError, match="was closed"):
        await client.start_source("r", "u", "rtmp://h/a")
    assert client._session is None
    assert host.clients == set()


def test_threads_that_call_first_share_a_client(host: Host) -> None:
    with often_switching():
        for _ in range(100):
            with FakeRelay(server=host) as relay:
                first, second = do_together(*[lambda: relay.client] * 2)
                assert first.result() is second.result()


def test_clients_end_with_the_host() -> None:
    host = open_shared(tls=False)
    relay = FakeRelay(server=host).__enter__()
    relay.start("rtmp://h/a")
    client = relay.client
    host.close()
    assert client._session is None
    relay.close()
