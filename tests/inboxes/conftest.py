from collections.abc import AsyncIterator, Iterator

import pytest

from fakerelay.inboxes import Receiver
from fakerelay.sender import HttpSender
from tests.inboxes.hosts import Host, open_host


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """In the test's own loop."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.close()


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    """What a relay posts callbacks with."""
    sender = HttpSender()
    yield sender
    await sender.close()


@pytest.fixture
def host() -> Iterator[Host]:
    """A receiver in a thread of its own."""
    with open_host() as host:
        yield host
