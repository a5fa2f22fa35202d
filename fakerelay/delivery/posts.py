"""Single posts of a notification: what goes over the wire, spoiled or not, and what came of it."""

import asyncio
import json
from typing import Any, Final, NamedTuple

from fakerelay.core.callbacks import Attempt
from fakerelay.delivery.history import History
from fakerelay.delivery.notifications import Fault, Notification
from fakerelay.ports import Clock, Sender, Sent

_DEFAULT_TYPE: Final = "text/plain"
_DEFAULT_COPIES: Final = 10
# What shows in the first post only: later ones are the ordinary course of things.
_ONCE: Final = ("before_reply", "delay", "reorder", "storm")


class Letter(NamedTuple):
    """What of a post is not as usual, and why."""

    body: bytes | None = None
    content_type: str | None = None
    cause: str | None = None
    plan: str | None = None
    copies: int = 1


_USUAL: Final = Letter()


class _Slots(asyncio.Semaphore):
    """What one app may have under way; once it is forgotten, nothing more begins."""

    is_forgotten = False


class Poster:
    """Posts, at most `max_in_flight` of an app at a time, and writes each attempt into the
    notification; `under_way` has the numbers of those that are not answered yet.
    """

    def __init__(self, clock: Clock, sender: Sender, history: History, max_in_flight: int) -> None:
        self._clock = clock
        self._sender = sender
        self._history = history
        self._max_in_flight = max_in_flight
        self._slots: dict[int, _Slots] = {}
        self.under_way: set[int] = set()

    def forget(self, appid: int) -> None:
        """Post nothing more of what an app has so far; what is in flight ends as it does."""
        if (slots := self._slots.pop(appid, None)) is not None:
            slots.is_forgotten = True

    async def post(self, notification: Notification) -> bool:
        """One try, all copies of a storm as fast as they may go: whether the receiver took it."""
        letter = _USUAL if notification.fate is None else write_letter(notification)
        slots = self._slots_of(notification.appid)
        if letter.copies == 1:
            return await self._send(notification, letter, slots)
        sends = (self._send(notification, letter, slots) for _ in range(letter.copies))
        return any(await asyncio.gather(*sends))

    async def post_again(self, notification: Notification, fault: Fault) -> None:
        """A copy of what has been delivered, whatever is answered now."""
        letter = Letter(cause=fault.name, plan=fault.plan)
        await self._send(notification, letter, self._slots_of(notification.appid))

    def _slots_of(self, appid: int) -> _Slots:
        slots = self._slots.get(appid)
        if slots is None:
            slots = self._slots[appid] = _Slots(self._max_in_flight)
        return slots

    async def _send(self, notification: Notification, letter: Letter, slots: _Slots) -> bool:
        async with slots:
            return not slots.is_forgotten and await self._send_now(notification, letter)

    async def _send_now(self, notification: Notification, letter: Letter) -> bool:
        batch, at = notification.batch, self._clock.now()
        self.under_way.add(notification.number)
        try:
            sent = await self._hand_over(notification, letter)
        finally:
            self.under_way.discard(notification.number)
        attempt = Attempt(
            at,
            *sent,
            batch.url,
            letter.body.decode() if letter.body is not None else None,
            letter.content_type,
            letter.cause,
            letter.plan,
        )
        self._history.note(notification, attempt)
        return sent.status is not None and 200 <= sent.status < 300

    async def _hand_over(self, notification: Notification, letter: Letter) -> Sent:
        batch = notification.batch
        body = notification.body() if letter.body is None else letter.body
        if letter.content_type is None:
            return await self._sender.send(batch.url, body, batch.policy.timeout_seconds)
        return await self._sender.send(
            batch.url, body, batch.policy.timeout_seconds, letter.content_type
        )


def write_letter(notification: Notification) -> Letter:
    """The next try of a notification with a fate."""
    fate = notification.fate
    fault = fate.fault if fate is not None else None
    if fate is None or fault is None:
        return Letter(cause="replay") if fate is not None and fate.is_replayed else _USUAL
    settings = fault.settings
    letter = Letter(cause=fault.name, plan=fault.plan)
    if fault.name in _ONCE and notification.tries > 0:
        return _USUAL
    if notification.tries >= settings.get("attempts", notification.tries + 1):
        return _USUAL
    match fault.name:
        case "corrupt":
            return letter._replace(body=_spoil(notification.body(), settings))
        case "content_type":
            return letter._replace(content_type=settings.get("value", _DEFAULT_TYPE))
        case "storm":
            return letter._replace(copies=settings.get("copies", _DEFAULT_COPIES))
        case "duplicate":
            return _USUAL
        case "stale_status":
            return letter if fate.is_spent else _USUAL
        case _:
            return letter


def _spoil(body: bytes, settings: Any) -> bytes:
    match settings.get("how", "truncated"):
        case "truncated":
            return body[: len(body) // 2]
        case "empty":
            return b""
        case _:
            return _flip(body, settings.get("field", "status"))


def _flip(body: bytes, field: str) -> bytes:
    """JSON as before, but for a field that has become a text, or a number if it was one."""
    message: dict[str, Any] = json.loads(body)
    place = message if field in message else message["context"]
    value = place.get(field)
    place[field] = len(value) if isinstance(value, str) else str(value)
    return json.dumps(message, separators=(",", ":")).encode()
