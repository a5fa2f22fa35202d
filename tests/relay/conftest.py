"""No relay of these tests leaves a thread behind."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """None but that of the relays of the session, where other tests have asked for one."""
    before = _list_threads()
    yield
    assert _list_threads() == before


def _list_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fakerelay")]
