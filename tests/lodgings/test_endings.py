"""How a world on a shared server ends, whoever is about to use it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from fakerelay import FakeRelay, FakerelayError, Host
from fakerelay.hosts import open_shared
from tests.conftest import no_complaints
from tests.lodgings.conftest import worlds
from tests.lodgings.threads import do_together, often_switching


def test_world_may_end_right_after_a_call(host: Host) -> None:
    """Its callback is posted, or is about to be, or just has been."""
    with no_complaints():
        for number in range(200):
            with FakeRelay(server=host) as relay:
                relay.start("rtmp://h/a")
                for _ in range(number % 50 * 20):
                    pass
    assert worlds(host) == ["default"]


def test_closing_what_was_only_asked_for_leaves_nothing(
    busy_host: tuple[Host, threading.Event],
) -> None:
    host, go_on = busy_host
    relay = FakeRelay(server=host).__enter__()
    go_on.set()
    relay.close()
    assert worlds(host) == ["default"]
    with pytest.raises(FakerelayError, match="was closed"):
        relay.tasks()


def test_world_that_nobody_looks_for_waits_for_nothing_when_it_ends(
    busy_host: tuple[Host, threading.Event],
) -> None:
    host, _ = busy_host
    relay = FakeRelay(server=host).__enter__()
    relay.close()
    assert not relay.is_open
    assert (worlds(host), host.receiver._inboxes, len(host._calls)) == (["default"], {}, 1)


def test_closing_while_a_thread_calls_first_leaves_nothing(host: Host) -> None:
    with often_switching():
        for act in (FakeRelay.tasks, lambda relay: relay.start("rtmp://h/a")) * 50:
            relay = FakeRelay(server=host).__enter__()
            _, called = do_together(relay.close, partial(act, relay))
            assert isinstance(called.exception(), FakerelayError | None)
            assert (worlds(host), host.receiver._inboxes, host.clients) == (["default"], {}, set())


def test_world_whose_host_was_closed_first_is_told_so() -> None:
    host, go_on = open_shared(tls=False), threading.Event()

    async def stand_still() -> None:
        go_on.wait()

    host.begin(stand_still())
    relay = FakeRelay(server=host).__enter__()
    closing = threading.Thread(target=host.close)
    closing.start()
    while host.is_running:
        pass
    go_on.set()
    closing.join()
    with pytest.raises(FakerelayError, match="was closed"):
        relay.env()
    relay.close()


def test_relay_entered_again_has_the_callbacks_of_its_new_world(host: Host) -> None:
    relay = FakeRelay(server=host)
    with relay:
        relay.start("rtmp://h/a")
        relay.callbacks.wait_for()
    assert len(relay.callbacks) == 1
    with relay:
        assert relay.callbacks.url == relay.callback_url
        assert len(relay.callbacks) == 0


def test_closing_while_the_host_closes_does_nothing() -> None:
    host, go_on = open_shared(tls=False), threading.Event()
    relay = FakeRelay(server=host).__enter__()
    relay.tasks()

    async def stand_still() -> None:
        go_on.wait()

    host.begin(stand_still())
    with ThreadPoolExecutor(2) as pool:
        closing = pool.submit(relay.close)
        while len(host._calls) < 2:
            pass
        ending = pool.submit(host.close)
        while host.is_running:
            pass
        go_on.set()
        assert (closing.result(), ending.result()) == (None, None)
    assert not relay.is_open


def test_relay_of_a_host_that_was_closed_is_not_open_when_that_opens_again() -> None:
    host = open_shared(tls=False)
    relay = FakeRelay(server=host).__enter__()
    host.close()
    host.open()
    try:
        assert not relay.is_open
        with pytest.raises(FakerelayError, match="was closed"):
            relay.tasks()
        with relay:
            assert relay.tasks() == []
    finally:
        host.close()
