"""`relay.callbacks` in a test's hands: waited for, judged, answered, from threads and loops."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from fakerelay.errors import FakerelayError
from fakerelay.inboxes import Callbacks, Receiver
from fakerelay.sender import HttpSender
from tests.inboxes.hosts import Host, body


@pytest.fixture
def callbacks(host: Host) -> Callbacks:
    """As a sync test has them."""
    return host.open_callbacks()


async def alike(work: Any) -> Any:
    """`arun` for a receiver in the test's own loop."""
    return await work


def refuse(work: Any) -> Any:
    """`run` for such a one: nobody can wait for a loop inside of it."""
    work.close()
    raise FakerelayError("use await")


def post(callbacks: Callbacks, raw: bytes) -> int:
    return requests.post(callbacks.url, data=raw, timeout=10).status_code


def test_callbacks_are_a_sequence(callbacks: Callbacks) -> None:
    assert len(callbacks) == 0
    for number in range(3):
        assert post(callbacks, body(number)) == 200
    first, second, third = callbacks
    assert (callbacks[0], callbacks[-1], callbacks[1:]) == (first, third, [second, third])
    assert [each.msgid for each in list(callbacks)] == ["m-0", "m-1", "m-2"]
    assert first in callbacks
    assert callbacks
    assert repr(callbacks[:0]) == "[]"
    assert repr(callbacks).startswith("<Callbacks [<Received status=0 (pushing) rtmpurl=rtmp://")


def test_wait_answers_what_has_come(callbacks: Callbacks) -> None:
    post(callbacks, body(1, status=1))
    post(callbacks, body(2))
    assert callbacks.wait_for() == callbacks[:]
    assert callbacks.wait_for(status="pushing") == [callbacks[1]]
    assert callbacks.wait_for(2, timeout_seconds=0) == callbacks[:]


def test_wait_goes_on_until_enough_have_come(callbacks: Callbacks) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(callbacks.wait_for, 2, status=0, timeout_seconds=30)
        for number, status in enumerate((1, 0, 3, 0)):
            assert not waiting.done()
            post(callbacks, body(number, status=status))
        assert [each.msgid for each in waiting.result(30)] == ["m-1", "m-3"]


async def test_wait_from_another_loop(callbacks: Callbacks) -> None:
    waiting = asyncio.ensure_future(callbacks.await_for(status="stopped"))
    sender = HttpSender()
    await sender.send(callbacks.url, body(1), 5)
    await sender.send(callbacks.url, body(2, status=3), 5)
    assert [each.msgid for each in await waiting] == ["m-2"]
    await sender.close()


async def test_wait_in_the_receivers_own_loop(receiver: Receiver, sender: HttpSender) -> None:
    callbacks = Callbacks(receiver.open_inbox("world"), refuse, alike)
    waiting = asyncio.ensure_future(callbacks.await_for(2))
    await sender.send(callbacks.url, body(1), 5)
    await sender.send(callbacks.url, body(2), 5)
    assert await waiting == callbacks[:]
    with pytest.raises(FakerelayError, match="use await"):
        callbacks.wait_for()
    with pytest.raises(AssertionError, match=r"^Waited 0 s for a callback with status=2"):
        await callbacks.await_for(status=2, timeout_seconds=0)


def test_wait_in_vain_tells_what_came_and_why_not_more(host: Host) -> None:
    inbox = host.open_inbox()
    callbacks = Callbacks(inbox, host.run, host.arun, explain=lambda: ["The clock is frozen"])
    post(callbacks, body(1, status=1))
    with pytest.raises(AssertionError) as caught:
        callbacks.wait_for(status="pushing", timeout_seconds=0.01)
    first, *_, nearest, last = str(caught.value).splitlines()
    assert first == "Waited 0.01 s for a callback with status=0 (pushing): none came"
    assert nearest == "       ^ nearest: status=1 (cdn_failed), wanted 0 (pushing)"
    assert last == "The clock is frozen"


def test_wait_ends_when_the_inbox_is_closed(host: Host) -> None:
    inbox = host.open_inbox()
    callbacks = Callbacks(inbox, host.run, host.arun)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(callbacks.wait_for, timeout_seconds=60)
        while not inbox.watch.is_waited_for:
            assert not waiting.done()
        host.close_inbox(inbox)
        with pytest.raises(AssertionError, match="until the relay was closed: none came"):
            waiting.result(30)


def test_assertions_hold(callbacks: Callbacks) -> None:
    for number, status in enumerate((0, 1, 0, 3)):
        post(callbacks, body(number, status=status))
    zero, one, two, three = callbacks
    assert callbacks.assert_received() is zero
    assert callbacks.assert_received(status="stopped") is three
    assert callbacks.assert_received(2, status=0) == [zero, two]
    assert callbacks.assert_received(0, status=2) == []
    callbacks.assert_none(status=2)
    assert callbacks.assert_in_order() == []
    assert callbacks.assert_in_order({"status": 1}, {"status": 0}, {}) == [one, two, three]


FAILING: dict[str, tuple[Callable[[Callbacks], object], str]] = {
    "none": (
        lambda each: each.assert_received(uid="anna"),
        "Expected a callback with uid='anna': ",
    ),
    "too many": (lambda each: each.assert_received(1), "Expected exactly 1 callback: 2 came"),
    "too few": (lambda each: each.assert_received(3), "Expected exactly 3 callbacks: 2 came"),
    "unwanted": (lambda each: each.assert_none(status=1), "Expected no callback with status=1"),
    "order": (
        lambda each: each.assert_in_order({"status": 1}, {"status": 0}),
        "  2. status=0 (pushing): none came after number 2",
    ),
    "twice the same": (
        lambda each: each.assert_in_order({"status": 1}, {"status": 1}),
        "  2. status=1 (cdn_failed): none came after number 2",
    ),
}


@pytest.mark.parametrize(("act", "message"), FAILING.values(), ids=FAILING.keys())
def test_assertions_fail(
    callbacks: Callbacks, act: Callable[[Callbacks], object], message: str
) -> None:
    post(callbacks, body(1))
    post(callbacks, body(2, status=1))
    with pytest.raises(AssertionError) as caught:
        act(callbacks)
    assert message in str(caught.value)


REFUSED: dict[str, tuple[Callable[[Callbacks], object], str]] = {
    "field to wait for": (lambda each: each.wait_for(state="x"), "'state' (did you mean 'status'"),
    "field to assert": (lambda each: each.assert_received(task="x"), "(did you mean 'taskid'"),
    "field in an order": (lambda each: each.assert_in_order({"url": "x"}), "(did you mean 'rtmpur"),
    "wait for none": (lambda each: each.wait_for(0), "count is 0: give how many callbacks, from 1"),
    "fewer than none": (lambda each: each.assert_received(-1), "count is -1"),
    "no time": (lambda each: each.wait_for(timeout_seconds=-1), "timeout_seconds is -1"),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_asked_is_refused(
    callbacks: Callbacks, act: Callable[[Callbacks], object], message: str
) -> None:
    with pytest.raises(FakerelayError) as caught:
        act(callbacks)
    assert message in str(caught.value)


LOOKS: dict[str, tuple[Callable[[Callbacks], object], list[str]]] = {
    "not at all": (len, ["m-0", "m-1", "m-2"]),
    "for one that fits": (lambda each: each.wait_for(status=0), ["m-1"]),
    "with an assertion": (lambda each: each.assert_received(status=1), ["m-0", "m-2"]),
    "for the order": (lambda each: each.assert_in_order({"msgid": "m-1"}), ["m-0", "m-2"]),
    "for none": (lambda each: each.assert_none(status=3), ["m-0", "m-1", "m-2"]),
    "at one": (lambda each: each[1], ["m-0", "m-2"]),
    "at all": (list, []),
    "at none but shown": (repr, ["m-0", "m-1", "m-2"]),
}


@pytest.mark.parametrize(("look", "unexpected"), LOOKS.values(), ids=LOOKS.keys())
def test_what_nobody_looked_for_is_unexpected(
    callbacks: Callbacks, look: Callable[[Callbacks], object], unexpected: list[str]
) -> None:
    for number, status in enumerate((0, 1, 0)):
        post(callbacks, body(number, status=status))
    look(callbacks)
    assert [each.msgid for each in callbacks.unexpected()] == unexpected


def test_what_comes_after_its_like_was_waited_for_is_expected(callbacks: Callbacks) -> None:
    post(callbacks, body(1))
    callbacks.wait_for(status=0)
    post(callbacks, body(2))
    post(callbacks, body(3, status=1))
    assert [each.msgid for each in callbacks.unexpected()] == ["m-3"]


def test_answers_are_told_from_the_tests_thread(callbacks: Callbacks) -> None:
    callbacks.fail(times=1)
    assert [post(callbacks, body(number)) for number in range(2)] == [500, 200]
    callbacks.fail(429)
    assert post(callbacks, body()) == 429
    callbacks.accept()
    callbacks.delay(0.01)
    assert post(callbacks, body()) == 200
    callbacks.hang()
    with pytest.raises(requests.ReadTimeout):
        requests.post(callbacks.url, data=body(), timeout=0.05)
    callbacks.accept()
    callbacks.forward_to("http://127.0.0.1:1/?key=s3cret")
    answer = requests.post(callbacks.url, data=body(), timeout=5)
    assert answer.status_code == 502
    why = "fakerelay could not forward it to http://127.0.0.1:1/?key=***: "
    assert answer.text.startswith(why)
    callbacks.forward_to(None)
    assert [post(callbacks, body()), len(callbacks)] == [200, 7]


def test_forwarded_callback_counts_once_the_app_has_answered(host: Host) -> None:
    """The app is another inbox, which hangs."""
    inbox, callbacks = host.open_inbox("app"), host.open_callbacks()
    app = Callbacks(inbox, host.run, host.arun)
    app.hang()
    callbacks.forward_to(app.url)
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post, callbacks, body())
        app.wait_for()
        with pytest.raises(AssertionError, match="none came, 1 not answered yet by the app under"):
            callbacks.assert_received()
        with pytest.raises(AssertionError, match="none came, 1 not answered yet by the app under"):
            callbacks.wait_for(timeout_seconds=0)
        with pytest.raises(AssertionError, match="Expected no callback"):
            callbacks.assert_none()
        host.close_inbox(inbox)
        assert callbacks.wait_for()[0].answered == 503
        assert posting.result(30) == 503


def test_twenty_worlds_at_once_each_have_their_own(host: Host) -> None:
    worlds = [host.open_callbacks(f"world-{number}") for number in range(20)]

    def live(number: int) -> list[str | None]:
        callbacks = worlds[number]
        for step in range(5):
            post(callbacks, body(step, roomid=f"room-{number}"))
        return [each.roomid for each in callbacks.wait_for(5)]

    with ThreadPoolExecutor(20) as pool:
        rooms = list(pool.map(live, range(20)))
    assert rooms == [[f"room-{number}"] * 5 for number in range(20)]
