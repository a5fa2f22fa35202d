"""The receiver over real sockets: whose callbacks are whose, how they are answered, how it ends."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from fakerelay.errors import FakerelayError
from fakerelay.inboxes import Inbox, Receiver
from fakerelay.inboxes.listeners import Listener
from fakerelay.ports import Sent
from fakerelay.sender import HttpSender
from tests.conftest import no_complaints
from tests.inboxes.hosts import body

WORLDS, EACH = 20, 8


class App:
    """The app under test: answers what it is told to, and keeps what it was posted."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.posted: list[tuple[bytes, str]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.posted.append((await request.read(), request.headers["Content-Type"]))
        await self.goes_on.wait()
        return web.Response(status=self.status, text="from the app")


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    listener = Listener(app.handle)
    app.url = await listener.start("127.0.0.1", 0)
    yield app
    await listener.close()


async def post(sender: HttpSender, inbox: Inbox, raw: bytes | None = None) -> Sent:
    return await sender.send(inbox.url, body() if raw is None else raw, 5)


async def until(inbox: Inbox, count: int) -> None:
    assert await inbox.wait(lambda: len(inbox.received) >= count, 5)


ENCODED = {
    "gzip": ("gzip", gzip.compress(body()), body()),
    "deflate": ("Deflate", zlib.compress(body()), body()),
    "bare deflate": ("deflate", zlib.compress(body(), wbits=-zlib.MAX_WBITS), body()),
    "not compressed": ("gzip", body(), body()),
    "cut off": ("gzip", gzip.compress(body())[:-9], gzip.compress(body())[:-9]),
    "unknown": ("zstd", b"(/", b"(/"),
}


@pytest.mark.parametrize(("encoding", "sent", "kept"), ENCODED.values(), ids=ENCODED.keys())
async def test_body_is_read_as_it_was_encoded_or_kept_as_it_came(
    receiver: Receiver, encoding: str, sent: bytes, kept: bytes
) -> None:
    inbox = receiver.open_inbox("world")
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Encoding": encoding}
        async with session.post(inbox.url, data=sent, headers=headers) as response:
            assert response.status == 200
    assert [each.raw for each in inbox.received] == [kept]


async def test_callback_is_kept_and_answered(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    assert (await post(sender, inbox)).status == 200
    [received] = inbox.received
    assert (received.status, received.answered, received.note) == (0, 200, None)
    assert received.headers["content-type"] == "application/json"
    assert received.raw == body()
    assert received.at > 1_700_000_000


async def test_callbacks_are_kept_in_the_order_they_came(
    receiver: Receiver, sender: HttpSender
) -> None:
    inbox = receiver.open_inbox("world")
    for number in range(30):
        await post(sender, inbox, body(number))
    assert [each.msgid for each in inbox.received] == [f"m-{number}" for number in range(30)]


async def test_worlds_never_mix(receiver: Receiver, sender: HttpSender) -> None:
    inboxes = [receiver.open_inbox(f"world-{number}") for number in range(WORLDS)]
    sends = [
        post(sender, inbox, body(number, roomid=inbox.path))
        for number in range(EACH)
        for inbox in inboxes
    ]
    assert {sent.status for sent in await asyncio.gather(*sends)} == {200}
    for inbox in inboxes:
        assert [each.roomid for each in inbox.received] == [inbox.path] * EACH
        assert {each.msgid for each in inbox.received} == {f"m-{n}" for n in range(EACH)}


@pytest.mark.parametrize("name", ["a b/ü?#", "..", "1%2F2"], ids=str)
async def test_inbox_may_have_any_name(receiver: Receiver, sender: HttpSender, name: str) -> None:
    inbox = receiver.open_inbox(name)
    assert (await post(sender, inbox)).status == 200
    assert len(inbox.received) == 1


async def test_spoiled_callback_is_kept(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    with no_complaints():
        for raw in (b"", b"\xff", body()[:50]):
            assert (await post(sender, inbox, raw)).status == 200
    assert [each.raw for each in inbox.received] == [b"", b"\xff", body()[:50]]


async def test_name_is_taken_until_its_inbox_is_closed(receiver: Receiver) -> None:
    first = receiver.open_inbox("world")
    with pytest.raises(FakerelayError, match="There is an inbox 'world' already"):
        receiver.open_inbox("world")
    receiver.close_inbox(first)
    second = receiver.open_inbox("world")
    receiver.close_inbox(first)
    assert not second.is_closed


async def test_receiver_that_does_not_run_opens_nothing() -> None:
    with pytest.raises(FakerelayError, match=r"await its start\(\) first"):
        Receiver().open_inbox("world")


async def test_what_is_no_callback_is_not_kept(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    assert (await sender.send(f"{inbox.url}/more", body(), 5)).status == 404
    async with aiohttp.ClientSession() as session, session.get(inbox.url) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    receiver.close_inbox(inbox)
    assert (await post(sender, inbox)).status == 404
    assert inbox.received == []


async def test_failures_are_answered_as_often_as_told(
    receiver: Receiver, sender: HttpSender
) -> None:
    inbox = receiver.open_inbox("world")
    inbox.answers.fail(503, times=2)
    assert [(await post(sender, inbox)).status for _ in range(3)] == [503, 503, 200]
    assert [(each.answered, each.note) for each in inbox.received] == [
        (503, "fail"),
        (503, "fail"),
        (200, None),
    ]


async def test_delayed_answer_comes_late(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    inbox.answers.delay(0.05, times=1)
    sending = asyncio.ensure_future(post(sender, inbox))
    await until(inbox, 1)
    note = "delay of 0.05 s"
    assert inbox.received[0].describe().endswith(f"not answered ({note})")
    assert (await sending).duration_seconds >= 0.05
    assert inbox.received[0].describe().endswith(f", answered 200 ({note})")


async def test_hang_lasts_until_the_sender_gives_up(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    inbox.answers.hang(times=1)
    with no_complaints():
        assert (await sender.send(inbox.url, body(), 0.05)).error == "No answer within 0.05 s"
        assert await inbox.wait(lambda: inbox.received[0].note != "hang", 5)
    assert inbox.received[0].note == "hang: the sender gave up"
    assert (await post(sender, inbox)).status == 200


async def test_hang_ends_when_the_inbox_is_closed(receiver: Receiver, sender: HttpSender) -> None:
    inbox, other = receiver.open_inbox("world"), receiver.open_inbox("other")
    inbox.answers.hang()
    other.answers.hang()
    sending = [asyncio.ensure_future(post(sender, inbox)) for _ in range(16)]
    kept = asyncio.ensure_future(post(sender, other))
    await until(inbox, 16)
    await until(other, 1)
    receiver.close_inbox(inbox)
    assert {(await sent).status for sent in sending} == {503}
    assert {each.note for each in inbox.received} == {"hang: the inbox was closed"}
    assert not kept.done()
    await receiver.close()
    assert (await kept).status in (503, None)


async def test_only_an_inbox_that_is_empty_is_taken_back(
    receiver: Receiver, sender: HttpSender
) -> None:
    empty, full = receiver.open_inbox("empty"), receiver.open_inbox("full")
    await post(sender, full)
    assert receiver.close_untouched(empty)
    assert not receiver.close_untouched(full)
    full.answers.hang()
    assert [(await post(sender, each)).status for each in (empty, full)] == [404, 503]
    receiver.close_inbox(full)
    assert (await post(sender, full)).status == 404


async def test_nothing_is_left_of_a_receiver_that_is_closed_while_it_hangs(
    sender: HttpSender,
) -> None:
    before = asyncio.all_tasks()
    receiver = Receiver()
    await receiver.start()
    inbox = receiver.open_inbox("world")
    inbox.answers.hang()
    with no_complaints():
        sending = asyncio.ensure_future(post(sender, inbox))
        await until(inbox, 1)
        await receiver.close()
        await sending
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    port = int(inbox.url.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


async def test_forwarded_callback_is_answered_by_the_app(
    receiver: Receiver, sender: HttpSender, app: App
) -> None:
    inbox = receiver.open_inbox("world")
    inbox.answers.forward_to(f"{app.url}/cb")
    app.status = 418
    sent = await sender.send(inbox.url, body(), 5, "text/odd")
    assert (sent.status, sent.answer) == (418, "from the app")
    assert app.posted == [(body(), "text/odd")]
    [received] = inbox.received
    assert (received.answered, received.note) == (418, f"forwarded to {app.url}/cb")
    inbox.answers.forward_to(None)
    assert (await post(sender, inbox)).status == 200
    assert len(app.posted) == 1


async def begin_forwarding(
    receiver: Receiver, sender: HttpSender, app: App
) -> tuple[Inbox, asyncio.Future[Sent]]:
    """A callback that the app takes its time with."""
    inbox = receiver.open_inbox("world")
    inbox.answers.forward_to(app.url)
    app.goes_on.clear()
    sending = asyncio.ensure_future(post(sender, inbox))
    await until(inbox, 1)
    return inbox, sending


async def test_callback_is_being_forwarded_until_the_app_has_answered(
    receiver: Receiver, sender: HttpSender, app: App
) -> None:
    inbox, sending = await begin_forwarding(receiver, sender, app)
    assert inbox.received[0].is_forwarding
    app.goes_on.set()
    assert await inbox.wait(lambda: not inbox.received[0].is_forwarding, 5)
    assert (await sending).status == 200


async def test_forwarding_ends_when_the_inbox_is_closed(
    receiver: Receiver, sender: HttpSender, app: App
) -> None:
    inbox, sending = await begin_forwarding(receiver, sender, app)
    receiver.close_inbox(inbox)
    assert (await sending).status == 503
    assert not inbox.received[0].is_forwarding


async def test_app_that_can_not_be_reached_is_told(receiver: Receiver, sender: HttpSender) -> None:
    inbox = receiver.open_inbox("world")
    inbox.answers.forward_to("http://127.0.0.1:1/cb")
    assert (await post(sender, inbox)).status == 502
    note = inbox.received[0].note or ""
    assert note.startswith("forwarded to http://127.0.0.1:1/cb: No connection to 127.0.0.1:1: ")
    assert inbox.received[0].answered == 502


async def test_wait_ends_in_time_or_when_the_inbox_is_closed(receiver: Receiver) -> None:
    inbox = receiver.open_inbox("world")
    assert await inbox.wait(lambda: True, 0)
    assert not await inbox.wait(lambda: False, 0.01)
    waiting = asyncio.ensure_future(inbox.wait(lambda: False, 60))
    await asyncio.sleep(0)
    receiver.close_inbox(inbox)
    assert not await waiting


async def test_sender_that_breaks_off_in_the_middle_is_no_trouble(receiver: Receiver) -> None:
    inbox = receiver.open_inbox("world")
    port = int(inbox.url.split(":")[2].split("/")[0])
    with no_complaints():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {inbox.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9"
        writer.write(f"{head}\r\n\r\n1234".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await receiver.close()
    assert inbox.received == []
