"""The story that `fakerelay demo` plays: each step says what it does, does it, and shows it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from fakerelay import schemas
from fakerelay.cli.receiver import Callback
from fakerelay.cli.request_log import format_time
from fakerelay.cli.screen import Screen
from fakerelay.client import RelayClient, RelayUnreachable, Reply
from fakerelay.control.client import ControlClient
from fakerelay.errors import FakerelayError
from fakerelay.evidence.wording import LEVELS

ROOM: Final = "show-42"
USERS: Final = ("host", "guest", "singer")
_MAIN, _YOUTH, _REPLAY = (f"rtmp://{cdn}.example.com/live/main" for cdn in ("one", "two", "three"))
_VERTICAL, _TILED = 2, 3
_TASK = {"roomid": ROOM, "streamtype": 1, "taskid": "main"}
_CALLBACK_SECONDS = 10.0


class Stage:
    """Calls the vendor API and waits for callbacks, with everything shown as it happens."""

    def __init__(
        self,
        screen: Screen,
        appid: int,
        relay: RelayClient,
        control: ControlClient,
        arrived: asyncio.Queue[Callback],
    ) -> None:
        self.screen = screen
        self.appid = appid
        self.control = control
        self._relay = relay
        self._arrived = arrived
        self._calls = 0

    async def call(self, operation: str, body: Mapping[str, Any]) -> Reply:
        self._calls += 1
        trace_id = f"demo-{self._calls}"
        whole = {"appid": self.appid, **body}
        path = f"/app/{self.appid}/v2/rtmpforward/{operation}?traceId={trace_id}"
        self.screen.request(f"POST {path}", whole)
        reply = await self._relay.call(operation, whole, trace_id=trace_id)
        envelope = {"code": reply.code, "message": reply.message, "traceId": reply.trace_id}
        self.screen.reply(reply.status, envelope, is_accepted=reply.is_accepted)
        return reply

    async def receive(self, count: int, *, whole: bool = False) -> None:
        """Show the next callbacks, by address: those of different addresses come in any order."""
        try:
            async with asyncio.timeout(_CALLBACK_SECONDS):
                callbacks = [await self._arrived.get() for _ in range(count)]
        except TimeoutError:
            raise FakerelayError(f"No {count} callbacks in {_CALLBACK_SECONDS} s") from None
        for callback in sorted(callbacks, key=lambda each: str(each.context.get("rtmpurl"))):
            self.screen.callback(callback, whole=whole)
            whole = False

    def rules(self, *rule_ids: str) -> None:
        """Show rules with what is known of them: that is what a fake must not hide."""
        for rule in (schemas.rulebook()[rule_id] for rule_id in rule_ids):
            self.screen.note(f"[{LEVELS[rule.level]}] {rule.id}: {rule.text}")

    async def explain(self, reply: Reply) -> None:
        """Show what fakerelay's journal says of a refusal, which the vendor wouldn't."""
        listed = await self.control.call("requests", traceid=reply.trace_id)
        problem = listed["items"][-1]["problem"]
        self.screen.note(f"why: header X-Fakerelay-Rule: {reply.rule}; from the control plane:")
        self.rules(problem["rule"]["id"])
        self.screen.note(f"got {problem['field']} {problem['value']!r}, wanted {_wish(problem)}")

    async def tell_story(self, count: int) -> None:
        """Show what the journal has of the last calls: what was done, and what was told."""
        listed = await self.control.call("requests", order="newest", limit=count)
        for request in reversed(listed["items"]):
            done = "done" if request["accepted"] else "not done"
            fault = request["fault"]
            told = fault["told"] if fault and request["status"] is None else request["status"]
            because = f", for fault {fault['plan']}/{fault['fault']}" if fault else ""
            self.screen.note(f"journal: {request['traceid']} {done}, told {told}{because}")


def _wish(problem: Mapping[str, Any]) -> str:
    holder = problem.get("holder")
    if holder is None:
        return str(problem["expected"])
    since = format_time(holder["since"])
    return f"{problem['expected']}; held by {holder['kind']} task {holder['name']!r} since {since}"


async def start(stage: Stage) -> None:
    stage.screen.say(
        "1. START. Three people talk in room show-42. The backend asks for their three pictures"
        " mixed into one (streamtype 1) after the template 'vertical', and pushed to two"
        " addresses. This is a task; 'main' is the name the backend gives it."
    )
    await stage.call("startrtmp", _mixed(_VERTICAL, _MAIN, _YOUTH))
    await _show_tiles(stage)
    stage.screen.say(
        "The reply only says that the task is accepted. Whether each push works is told later, to"
        " a URL of the backend's: a callback for each address (the first one is shown whole)."
    )
    await stage.receive(2, whole=True)
    stage.rules("task-holds-addresses", "template-vertical", "callback-statuses", "callback-start")


async def update(stage: Stage) -> None:
    stage.screen.say(
        "2. UPDATE. The same call for the running task changes it: the pictures become tiles, a"
        " third address joins, the second leaves, and the first goes on without a break."
    )
    await stage.call("startrtmp", _mixed(_TILED, _MAIN, _REPLAY))
    await _show_tiles(stage)
    await stage.receive(2)
    stage.rules("start-updates", "update-replaces-addresses", "callback-update")


async def conflict(stage: Stage) -> None:
    stage.screen.say(
        "3. CONFLICT. Another task, which pushes one user's own picture (streamtype 2), wants an"
        " address that 'main' pushes to. A CDN takes one publisher for an address, so this is"
        " refused, and changes nothing. The vendor would not say more than the reply does;"
        " fakerelay does, beside it."
    )
    body = {"roomid": ROOM, "streamtype": 2, "uid": "guest", "rtmpurl": _MAIN}
    await stage.explain(await stage.call("startrtmp", body))


async def fail_push(stage: Stage) -> None:
    stage.screen.say(
        "4. FAILURE. Things break that nobody called for: here a CDN drops a push. Fakerelay"
        " pushes no video, so a test says when that happens, by the control plane, which the"
        " vendor hasn't."
    )
    body = {"appid": stage.appid, "taskid": "main", "rtmpurl": _MAIN, "status": "cdn_failed"}
    stage.screen.request("POST /_fakerelay/v1/pushes/status (control plane)", body)
    task = await stage.control.call("set_push_status", **body)
    pushes = (f"{push['rtmpurl']} {push['status_name']}" for push in task["pushes"])
    stage.screen.note(f"the task's pushes now: {', '.join(pushes)}")
    await stage.receive(1)
    stage.rules("callback-per-address")


async def stop(stage: Stage) -> None:
    stage.screen.say("5. STOP. The broadcast ends; other tasks may use its addresses from now on.")
    await stage.call("stoprtmp", _TASK)
    await stage.receive(2)
    stage.rules("stop-ends-task", "stop-frees-addresses", "callback-stop")


async def stop_again(stage: Stage) -> None:
    stage.screen.say(
        "6. STOP AGAIN. What the vendor answers to a second stop, nothing public says. Fakerelay"
        " assumes a refusal, and says that it does; a profile can give it another code."
    )
    await stage.explain(await stage.call("stoprtmp", _TASK))


async def lose_reply(stage: Stage) -> None:
    stage.screen.say(
        "7. LOST REPLY. Worse than a refusal is no answer: was it done? A fault plan has the next"
        " call done and its connection closed without a reply. The backend must ask again; here"
        " the retry is taken for an update of the task that runs already."
    )
    plan = {"steps": [{"fault": "drop_after_commit"}]}
    stage.screen.request("POST /_fakerelay/v1/faults (control plane)", plan)
    await stage.control.call("create_fault", **plan)
    source = {"roomid": ROOM, "streamtype": 2, "uid": "guest"}
    body = {**source, "rtmpurl": _MAIN}
    with suppress(RelayUnreachable):
        await stage.call("startrtmp", body)
    stage.screen.note("no reply: the connection was closed")
    await stage.receive(1)
    await stage.call("startrtmp", body)
    await stage.tell_story(2)
    await stage.call("stoprtmp", source)
    await stage.receive(1)


STEPS: Final[tuple[Callable[[Stage], Awaitable[None]], ...]] = (
    start,
    update,
    conflict,
    fail_push,
    stop,
    stop_again,
    lose_reply,
)


def _mixed(templateid: int, *addresses: str) -> dict[str, Any]:
    output = {"width": 1280, "height": 720}
    mixconfig = {"templateid": templateid, "output": output}
    return {**_TASK, "rtmpurl": ",".join(addresses), "mixconfig": mixconfig}


async def _show_tiles(stage: Stage) -> None:
    listed = await stage.control.call("tasks", taskid="main")
    tiles = ", ".join(
        f"{tile['uid']} {tile['width']}x{tile['height']} at {tile['x']},{tile['y']}"
        for tile in listed["items"][0]["tiles"]
    )
    stage.screen.note(f"the mixed picture: {tiles}")
