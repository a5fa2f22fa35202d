"""Tells the customer's server what became of each address (contract, section 7)."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import aiohttp

from tests.mutants.conduct import Conduct
from tests.mutants.pushes import STARTED, STOPPED, Change


class Notice:
    """One notification: made once, posted as often as needed."""

    def __init__(self, change: Change, trace_id: str, conduct: Conduct) -> None:
        self.lane = (change.task.appid, change.address)
        self.status = change.status
        self._conduct = conduct
        self._message = self._write(change, trace_id)

    def render(self, attempt: int) -> bytes:
        message = dict(self._message)
        if self._conduct.has("msgid-changes") and attempt:
            message["msgid"] = uuid4().hex
        if self._conduct.has("body-changes"):
            message["notifytime"] += attempt
        return json.dumps(message).encode()

    def _write(self, change: Change, trace_id: str) -> dict[str, Any]:
        has, task = self._conduct.has, change.task
        message: dict[str, Any] = {
            "msgid": "the-same" if has("msgid-reused") else uuid4().hex,
            "product": 1 if has("callback-product-wrong") else 2,
            "msgtype": 2 if has("callback-msgtype-wrong") else 1,
            "notifytime": int(time.time() * (1 if has("notifytime-in-seconds") else 1000)),
            "context": self._write_context(change, trace_id),
        }
        if has("msgid-missing"):
            del message["msgid"]
        if has("msgid-a-number"):
            message["msgid"] = uuid4().int % 2**53
        if has("callback-form-free"):
            return {"push": change.address, "task": task.name, "state": change.status}
        return message

    def _write_context(self, change: Change, trace_id: str) -> dict[str, Any]:
        has, task, status = self._conduct.has, change.task, change.status
        wrong = has("callback-status-wrong")
        context: dict[str, Any] = {
            "msgname": "task_status" if has("callback-msgname-wrong") else "rtmptask_status",
            "appid": task.appid + has("callback-app-wrong"),
            "roomid": f"{task.room}x" if has("callback-room-wrong") else task.room,
            "streamtype": _number(task.kind, swapped=has("callback-streamtype-wrong")),
            "taskid" if task.kind == "mixed" else "uid": task.name,
            "rtmpurl": change.address + ("x" if has("callback-address-wrong") else ""),
            "status": {STARTED: STOPPED, STOPPED: STARTED}[status] if wrong else status,
            "starttime": task.starttime - 3_600_000 * has("callback-starttime-wrong"),
            "traceId": trace_id[::-1] if has("callback-trace-wrong") else trace_id,
        }
        if has("callback-status-illegal"):
            context["status"] = status + 4
        if has("callback-task-wrong"):
            context["taskid" if task.kind == "mixed" else "uid"] += "x"
        if has("starttime-in-seconds"):
            context["starttime"] //= 1000
        for field in ("rtmpurl", "starttime", "traceId", "streamtype", "status"):
            if has(f"callback-{field.lower()}-missing"):
                del context[field]
        return context


class Notifier:
    """Posts notices in order per address; `settle` waits until there is nothing left to post."""

    def __init__(self, conduct: Conduct) -> None:
        self.url: str | None = None
        self._conduct = conduct
        self._session: aiohttp.ClientSession | None = None
        self._lanes: dict[Any, asyncio.Task[None]] = {}
        self._posts: set[asyncio.Task[None]] = set()

    def tell(self, changes: Iterable[Change], trace_id: str) -> None:
        if self.url is None or self._conduct.has("callbacks-never"):
            return
        for change in self._choose(list(changes)):
            notice = Notice(change, trace_id, self._conduct)
            self._send(notice)
            if self._conduct.has("callback-twice"):
                self._send(Notice(change, trace_id, self._conduct))
            if self._conduct.has("callback-repeated"):
                self._send(notice)

    def _choose(self, changes: list[Change]) -> list[Change]:
        has = self._conduct.has
        silent = {STARTED: has("starts-not-told"), STOPPED: has("stops-not-told")}
        changes = [change for change in changes if not silent[change.status]]
        if has("addresses-told-together") and len(changes) > 1:
            together = ",".join(change.address for change in changes)
            return [changes[0]._replace(address=together)]
        if has("only-first-address-told"):
            return changes[:1]
        return changes[::-1] if has("addresses-told-backwards") else changes

    def _send(self, notice: Notice) -> None:
        before = self._lanes.get(notice.lane)
        if self._conduct.has("later-status-overtakes"):
            before = None
        post = asyncio.create_task(self._deliver(notice, before))
        self._lanes[notice.lane] = post
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    async def _deliver(self, notice: Notice, before: asyncio.Task[None] | None) -> None:
        if self._conduct.has("callbacks-late"):
            await asyncio.sleep(0.3)  # to be late in real time is what it is
        if self._conduct.has("stop-told-before-start") and notice.status == STARTED:
            await asyncio.sleep(1)  # the seeded fault: what was told to stop comes first
        elif before is not None and not self._conduct.has("stop-told-before-start"):
            await asyncio.wait([before])
        delays = list(self._conduct.retry_delays_seconds)
        delays = delays[:2] if self._conduct.has("given-up-after-three") else delays
        delays = [] if self._conduct.has("never-retried") else delays
        delays = [0] * len(delays) if self._conduct.has("retried-at-once") else delays
        delays += [0.01] if self._conduct.has("retried-once-too-often") else []
        for attempt, delay in enumerate([0, *delays]):
            await asyncio.sleep(delay)
            if await self._post(notice.render(attempt)):
                return

    async def _post(self, body: bytes) -> bool:
        self._session = self._session or aiohttp.ClientSession()
        kind = "text/plain" if self._conduct.has("callback-no-json") else "application/json"
        verb = "PUT" if self._conduct.has("callback-put") else "POST"
        timeout = aiohttp.ClientTimeout(total=self._read_timeout())
        headers: Mapping[str, str] = {"Content-Type": kind}
        try:
            async with self._session.request(
                verb, self.url or "", data=body, headers=headers, timeout=timeout
            ) as reply:
                taken = reply.status // 100 == 2
                return taken or (reply.status >= 500 and self._conduct.has("500-taken-for-success"))
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _read_timeout(self) -> float:
        return float(self._conduct.profile.get("callback", {}).get("timeout_seconds", 5))

    async def settle(self) -> None:
        while self._posts:
            await asyncio.wait(self._posts)

    async def close(self) -> None:
        posts = list(self._posts)
        for post in posts:
            post.cancel()
        await asyncio.gather(*posts, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _number(kind: str, *, swapped: bool) -> int:
    return 1 if (kind == "mixed") != swapped else 2
