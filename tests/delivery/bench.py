"""A delivery on a clock that stands still, with a receiver in memory."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from fakerelay.clock import WorldClock
from fakerelay.core.callbacks import CONTENT_TYPE
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.faults import Plans
from fakerelay.core.model import MIXED, PushAddress
from fakerelay.core.profile import CallbackPolicy
from fakerelay.delivery import Delivery, Notification
from fakerelay.faults import read_plan
from fakerelay.ids import SeededIds
from fakerelay.ports import OpenGate, Sent

POLICY = CallbackPolicy(2, 1, "rtmptask_status", 0.0, 5.0, (1, 2, 4, 8, 16))
START = 1000.0
URL = "http://receiver"
OK = Sent(200, None, 0.001)
BROKEN = Sent(500, None, 0.001)
HUNG = Sent(None, "No answer within 5 s", 5.0)


class Post(NamedTuple):
    at: float
    url: str
    body: bytes
    content_type: str

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[str, int]:
        context = self.message["context"]
        return context["rtmpurl"], context["status"]


class MemorySender:
    """Notes what is posted, and answers as told; what goes to a `stuck` URL hangs until `free`."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.posts: list[Post] = []
        self.answer: Callable[[Post], Sent] = lambda post: OK
        self.stuck: dict[str, asyncio.Event] = {}
        self.in_flight = Counter[str]()
        self.answered = 0

    async def send(
        self, url: str, body: bytes, timeout_seconds: float, content_type: str = CONTENT_TYPE
    ) -> Sent:
        post = Post(self.clock.now(), url, body, content_type)
        self.posts.append(post)
        self.in_flight[url] += 1
        try:
            if url in self.stuck:
                await self.stuck[url].wait()
            await asyncio.sleep(0)
            self.answered += 1
            return self.answer(post)
        finally:
            self.in_flight[url] -= 1

    def told(self) -> list[tuple[str, int]]:
        return [post.told for post in self.posts]


class Bench:
    """A delivery on a clock that stands still, with a receiver in memory."""

    def __init__(self, *, plans: Plans | None = None, **limits: Any) -> None:
        self.clock = WorldClock("frozen", START)
        self.sender = MemorySender(self.clock)
        self.plans = Plans() if plans is None else plans
        self.ids = SeededIds(1)
        self.delivery = Delivery(self.clock, self.ids, self.sender, plans=self.plans, **limits)

    def ids_resume(self, other: "Bench") -> None:
        self.ids.resume(other.ids.made)

    def plan(self, *steps: dict[str, Any], **more: Any) -> None:
        """Make a fault plan on callbacks, as the control plane does."""
        data = {"on": "callback", "steps": list(steps), **more}
        self.plans.add(read_plan(data, self.plans.next_id(), self.clock.now()))

    def emit(
        self,
        *told: tuple[str, int],
        appid: int = 1,
        url: str = URL,
        trace_id: str | None = "trace",
        policy: CallbackPolicy = POLICY,
        taskid: str = "t",
    ) -> OpenGate:
        events = [
            PushStatusChanged(
                (appid, MIXED, taskid),
                "room",
                PushAddress(address, address),
                status,
                START,
                trace_id,
            )
            for address, status in told
        ]
        return self.delivery.emit(events, url, self.clock.now(), policy)

    async def tell(self, *told: tuple[str, int], appid: int = 1, url: str = URL) -> None:
        """Emit, open and let the receiver answer, as far as it does at once."""
        self.emit(*told, appid=appid, url=url)()
        await self.settle()

    async def drop(self, appid: int, *, grace_seconds: float = 1.0) -> None:
        """Forget an app's notifications, and wait for the posts that are in flight."""
        ending = self.delivery.drop(appid, grace_seconds=grace_seconds)
        if ending is not None:
            await ending

    async def settle(self) -> None:
        await self.clock.advance(0, cap_seconds=0.01 if self.sender.stuck else 30)

    def states(self) -> list[str]:
        return [notification.state for notification in self.delivery.notifications()]

    def only(self) -> Notification:
        [notification] = self.delivery.notifications()
        return notification
