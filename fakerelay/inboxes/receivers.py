"""One port for many inboxes, each with a URL, a way of answering, and a list of what came."""

import asyncio
import math
import time
import zlib
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from aiohttp import web

from fakerelay.errors import FakerelayError
from fakerelay.evidence.wording import hide_secrets
from fakerelay.inboxes.answers import Answers, Spell
from fakerelay.inboxes.listeners import Listener
from fakerelay.inboxes.received import Received, read_received
from fakerelay.sender import HttpSender
from fakerelay.watch import Watch

_HOST: Final = "127.0.0.1"
_OK: Final = 200
_UNREACHABLE: Final = 502
_CLOSED: Final = 503
# Whoever posted the callback gives up long before.
_FORWARD_SECONDS: Final = 3600.0
# Deflate comes with zlib's header, as it should, or without.
_WINDOW_BITS: Final = {
    "gzip": (16 + zlib.MAX_WBITS,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


class Inbox:
    """What came to one URL, in order of arrival; `received` only ever grows.

    `watch` tells of each that arrives, and of each that is answered later than that. From other
    threads only read `received` and set `answers`.
    """

    def __init__(self, path: str, url: str, sender: HttpSender) -> None:
        self.path = path
        self.url = url
        self.received: list[Received] = []
        self.answers = Answers()
        self.watch = Watch()
        self.is_closed = False
        self._sender = sender
        self._late: set[asyncio.Task[web.Response]] = set()

    def close(self) -> None:
        """Answer what waits for its answer, and wake whoever waits for more."""
        self.is_closed = True
        for task in self._late:
            task.cancel()
        self.watch.notify()

    async def wait(self, is_so: Callable[[], bool], timeout_seconds: float) -> bool:
        """Whether it came true within so many real seconds, before the inbox was closed."""
        give_up_at = time.monotonic() + timeout_seconds
        while not is_so():
            left = give_up_at - time.monotonic()
            if left <= 0 or self.is_closed:
                return False
            await self.watch.wait(left)
        return True

    async def take(self, received: Received) -> web.Response:
        """Note a callback, and answer it when its time has come."""
        spell, forward_url = self.answers.take()
        received.is_forwarding = forward_url is not None
        received.note = spell.note
        if spell.seconds or forward_url is not None:
            self._note(received)
            if self.is_closed:
                return self._answer_closed(received)
            return await self._answer_late(received, spell, forward_url)
        received.answered = spell.status or _OK
        self._note(received)
        return web.Response(status=received.answered)

    def _note(self, received: Received) -> None:
        self.received.append(received)
        self.watch.notify()

    async def _answer_late(
        self, received: Received, spell: Spell, forward_url: str | None
    ) -> web.Response:
        """In a task of its own, so that closing the inbox can end it without ending the call."""
        answer = asyncio.ensure_future(self._make_answer(received, spell, forward_url))
        self._late.add(answer)
        try:
            response = await answer
            received.answered = response.status
        except asyncio.CancelledError:
            if not self.is_closed or _is_cancelled():
                received.add_note("the sender gave up")
                raise
            return self._answer_closed(received)
        finally:
            self._late.discard(answer)
            received.is_forwarding = False
            self.watch.notify()
        return response

    def _answer_closed(self, received: Received) -> web.Response:
        received.add_note("the inbox was closed")
        received.answered = _CLOSED
        return web.Response(status=_CLOSED)

    async def _make_answer(
        self, received: Received, spell: Spell, forward_url: str | None
    ) -> web.Response:
        if spell.seconds == math.inf:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(spell.seconds)
        if forward_url is None:
            return web.Response(status=_OK)
        return await self._forward(received, forward_url)

    async def _forward(self, received: Received, url: str) -> web.Response:
        received.add_note(f"forwarded to {hide_secrets(url)}")
        content_type = received.headers.get("Content-Type", "")
        sent = await self._sender.send(url, received.raw, _FORWARD_SECONDS, content_type)
        if sent.status is None:
            received.add_note(f"{sent.error}")
            why = f"fakerelay could not forward it to {hide_secrets(url)}: {sent.error}"
            return web.Response(status=_UNREACHABLE, text=why)
        return web.Response(status=sent.status, text=sent.answer)


class Receiver:
    """Listens on a free port of loopback, in the event loop that `start` is awaited in.

    Nothing of it may be called outside that loop, but `open_inbox` and `close_untouched`.
    """

    def __init__(self) -> None:
        self._listener = Listener(self._handle, inflates=False)
        self._sender = HttpSender()
        self._url: str | None = None
        self._inboxes: dict[str, Inbox] = {}

    async def start(self) -> None:
        """Raises ConfigError."""
        self._url = await self._listener.start(_HOST, 0)

    async def close(self) -> None:
        """Close all inboxes, too."""
        for inbox in list(self._inboxes.values()):
            self.close_inbox(inbox)
        await self._listener.close()
        await self._sender.close()

    def open_inbox(self, name: str) -> Inbox:
        """An empty inbox with a URL of its own. Raises FakerelayError where the name is taken."""
        if self._url is None:
            raise FakerelayError("The receiver is not running: await its start() first")
        path = f"/callbacks/{quote(name, safe='')}"
        if path in self._inboxes:
            raise FakerelayError(f"There is an inbox {name!r} already: close it, or name another")
        inbox = self._inboxes[path] = Inbox(path, self._url + path, self._sender)
        return inbox

    def close_inbox(self, inbox: Inbox) -> None:
        """End at once what hangs there; what comes later is answered 404. Again, nothing."""
        if self._inboxes.get(inbox.path) is inbox:
            del self._inboxes[inbox.path]
            inbox.close()

    def close_untouched(self, inbox: Inbox) -> bool:
        """Whether nothing came to an inbox that nobody looks at: then it is forgotten.

        Either way it takes nothing more.
        """
        inbox.is_closed = True  # before it is looked at: what arrives meanwhile looks there, too
        if inbox.received:
            return False
        self._inboxes.pop(inbox.path, None)
        return True

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path not in self._inboxes:
            return web.Response(status=404, text="There is no such inbox")
        if request.method != "POST":
            return web.Response(status=405, text="Callbacks are posted", headers={"Allow": "POST"})
        raw = _inflate(await request.read(), request.headers.get("Content-Encoding", ""))
        inbox = self._inboxes.get(path)
        if inbox is None:
            return web.Response(status=404, text="The inbox was closed")
        return await inbox.take(read_received(time.time(), raw, request.headers))


def _inflate(raw: bytes, encoding: str) -> bytes:
    """As it was before it was compressed; a body that isn't, whatever it says, as it came."""
    for bits in _WINDOW_BITS.get(encoding.strip().lower(), ()):
        try:
            return zlib.decompress(raw, bits)
        except zlib.error:
            continue
    return raw


def _is_cancelled() -> bool:
    """Whether it is this very task that is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
