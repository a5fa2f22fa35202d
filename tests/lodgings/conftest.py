"""A server that relays of these tests share."""

import threading
from collections.abc import Iterator

import pytest

from fakerelay import Host
from fakerelay.hosts import open_shared


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = open_shared(tls=False)
    yield host
    host.close()


def worlds(host: Host) -> list[str]:
    return [tenant.id for tenant in host.server.tenants]


@pytest.fixture
def busy_host(host: Host) -> Iterator[tuple[Host, threading.Event]]:
    """A host whose loop does nothing until the event is set."""
    go_on = threading.Event()

    async def stand_still() -> None:
        go_on.wait()

    standing = host.begin(stand_still())
    try:
        yield host, go_on
    finally:
        go_on.set()
        standing.result()
