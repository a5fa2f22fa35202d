"""A receiver in a thread of its own, as tests' relays have it, and callbacks to post there."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fakerelay.errors import FakerelayError
from fakerelay.inboxes import Callbacks, Inbox, Receiver

T = TypeVar("T")


def body(number: int = 1, *, msgid: str | None = None, **context: Any) -> bytes:
    """What the vendor posts of a mixed task, some of it replaced, or left out where it is None."""
    fields = {
        "msgname": "rtmptask_status",
        "appid": 7,
        "roomid": "lobby",
        "streamtype": 1,
        "taskid": "main",
        "rtmpurl": "rtmp://cdn/live/a",
        "status": 0,
        "starttime": 1000,
        "traceId": f"t-{number}",
        **context,
    }
    context = {key: value for key, value in fields.items() if value is not None}
    message = {"msgid": msgid or f"m-{number}", "product": 2, "msgtype": 1, "notifytime": 1000}
    return json.dumps({**message, "context": context}).encode()


class Host:
    """Runs a receiver in its own thread; `run` and `arun` as a relay has them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.receiver = Receiver()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        if _is_inside(self.loop):
            work.close()
            raise FakerelayError("use await")
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def arun(self, work: Coroutine[Any, Any, Any]) -> Any:
        if _is_inside(self.loop):
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def do(self, act: Callable[[], T]) -> T:
        """Something that has to be done in the receiver's loop."""

        async def do() -> T:
            return act()

        found: T = self.run(do())
        return found

    def open_callbacks(self, name: str = "world") -> Callbacks:
        return Callbacks(self.open_inbox(name), self.run, self.arun)

    def open_inbox(self, name: str = "world") -> Inbox:
        return self.do(lambda: self.receiver.open_inbox(name))

    def close_inbox(self, inbox: Inbox) -> None:
        self.do(lambda: self.receiver.close_inbox(inbox))


@contextmanager
def open_host() -> Iterator[Host]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="receiver")
    thread.start()
    try:
        host = Host(loop)
        host.run(host.receiver.start())
        yield host
        host.run(host.receiver.close())
        assert host.run(_others()) == set(), "a task was left behind"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _others() -> set[asyncio.Task[Any]]:
    """Tasks that live on after those that were called off have had their turn."""
    await asyncio.sleep(0)
    return asyncio.all_tasks() - {asyncio.current_task()}


def _is_inside(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
