"""The clock of a world, moved in process and over HTTP alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import chain
from typing import Any

import pytest
from aiohttp import web

from fakerelay.client import RelayClient
from fakerelay.control.client import ControlClient
from fakerelay.errors import ConfigError, ControlError, FakerelayError
from fakerelay.server import Server
from tests.control.conftest import APPID, Control

NOBODY = "http://127.0.0.1:1/cb"


class Receiver:
    """Answers callbacks as the test wants it to: `answer` is awaited, and says with what status."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.answer: Callable[[], Awaitable[int]] = self.accept

    async def accept(self) -> int:
        return 200

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.statuses.append((await request.json())["context"]["status"])
        return web.Response(status=await self.answer())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cb"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def frozen(control: Control) -> float:
    """Where the clock stands."""
    await control.call("put_profile", callback={"retry_delays_seconds": [10, 60]})
    await control.call("put_app", appid=APPID, callback_url=NOBODY)
    return float((await control.call("put_clock", mode="frozen"))["now"])


async def refuse(control: Control, verb: str, /, **parameters: Any) -> ControlError:
    with pytest.raises(ControlError) as caught:
        await control.call(verb, **parameters)
    return caught.value


async def test_clock_of_a_world_runs_by_default(control: Control) -> None:
    first, second = [await control.call("clock") for _ in range(2)]
    assert (first["world"], first["mode"], first["pending"]) == ("default", "real", 0)
    assert second["now"] > first["now"]


async def test_advance_tells_what_it_fired(
    control: Control, relay: RelayClient, frozen: float
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    assert (await control.call("advance_clock", seconds=0))["now"] == frozen
    (callback,) = (await control.call("callbacks"))["items"]
    what = f"retry of {callback['msgid']}"
    assert (await control.call("clock"))["next"] == [{"at": frozen + 10, "what": what}]
    advance = await control.call("advance_clock", seconds=100)
    (callback,) = (await control.call("callbacks"))["items"]
    assert advance == {
        "world": "default",
        "now": frozen + 100,
        "fired": [{"at": frozen + 10, "what": what}, {"at": frozen + 70, "what": what}],
        "fired_count": 2,
        "reached": True,
        "unfinished": 0,
    }
    assert [attempt["at"] - frozen for attempt in callback["attempts"]] == [0, 10, 70]
    assert callback["state"] == "failed"


async def test_answer_lists_only_the_first_of_very_many(
    control: Control, server: Server, frozen: float
) -> None:
    for number in range(1200):
        server.tenants.default.clock.call_at(frozen + 1, lambda: None, str(number))
    advance = await control.call("advance_clock", seconds=1)
    assert [int(fired["what"]) for fired in advance["fired"]] == list(range(1000))
    assert (advance["fired_count"], advance["reached"]) == (1200, True)


async def test_retries_that_were_pending_freeze_and_go_on(
    control: Control, relay: RelayClient, receiver: Receiver
) -> None:
    async def fail() -> int:
        return 500

    receiver.answer = fail
    await control.call("put_profile", callback={"retry_delays_seconds": [3600]})
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    await relay.start_source("r", "u", "rtmp://h/a")
    await control.call("put_clock", mode="frozen")
    await control.call("advance_clock", seconds=0)
    clock = await control.call("put_clock", mode="real")
    assert clock["pending"] == 1
    receiver.answer = receiver.accept
    await control.call("put_clock", mode="real", now=clock["now"] + 3600)
    told = await control.call("callbacks", state="delivered", wait_seconds=5)
    assert [attempt["status"] for attempt in told["items"][0]["attempts"]] == [500, 200]


async def test_receiver_may_call_the_vendor_while_the_clock_moves(
    control: Control, relay: RelayClient, receiver: Receiver, frozen: float
) -> None:
    """It is down at first, and once the retry comes it stops the task, which it is told in turn."""

    async def fail() -> int:
        return 500

    async def stop() -> int:
        receiver.answer = receiver.accept
        assert (await relay.stop_source("r", "u")).is_accepted
        return 200

    receiver.answer = fail
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    await relay.start_source("r", "u", "rtmp://h/a")
    await control.call("advance_clock", seconds=0)
    receiver.answer = stop
    advance = await control.call("advance_clock", seconds=100, cap_seconds=60)
    assert (len(advance["fired"]), advance["unfinished"]) == (1, 0)
    assert receiver.statuses == [0, 0, 3]
    assert (await control.call("tasks"))["items"] == []


async def test_receiver_can_not_move_the_clock_that_waits_for_it(
    control: Control, relay: RelayClient, receiver: Receiver, frozen: float
) -> None:
    refused: list[ControlError] = []

    async def move() -> int:
        refused.append(await refuse(control, "advance_clock", seconds=1))
        refused.append(await refuse(control, "put_clock", mode="real"))
        return 200

    receiver.answer = move
    await control.call("put_profile", callback={"delay_seconds": 10})
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    await relay.start_source("r", "u", "rtmp://h/a")
    advance = await control.call("advance_clock", seconds=60, cap_seconds=60)
    assert [(error.code, error.status) for error in refused] == [("advance_under_way", 409)] * 2
    assert (advance["now"], advance["unfinished"]) == (frozen + 60, 0)
    assert receiver.statuses == [0]


async def test_receiver_that_hangs_is_waited_for_up_to_the_cap(
    control: Control, relay: RelayClient, receiver: Receiver, frozen: float
) -> None:
    ends = asyncio.Event()

    async def hang() -> int:
        await ends.wait()
        return 200

    receiver.answer = hang
    await control.call("put_profile", callback={"delay_seconds": 10})
    await control.call("put_app", appid=APPID, callback_url=receiver.url)
    await relay.start_source("r", "u", "rtmp://h/a")
    advance = await control.call("advance_clock", seconds=60, cap_seconds=0.2)
    assert (advance["now"], advance["reached"]) == (frozen + 60, True)
    assert (len(advance["fired"]), advance["unfinished"]) == (1, 1)
    ends.set()
    advance = await control.call("advance_clock", seconds=0)
    assert advance["unfinished"] == 0
    assert (await control.call("callbacks"))["items"][0]["state"] == "delivered"


@pytest.mark.parametrize(
    ("until", "seconds", "stands", "reached"),
    [
        ("idle", None, 70, True),
        ("idle", 30, 30, False),
        ("next", None, 10, True),
        ("next", 5, 5, False),
        ({"callbacks": {"state": "failed"}}, None, 70, True),
        ({"callbacks": {"uid": "u", "appid": APPID}}, None, 0, True),
        ({"callbacks": {"rtmpurl": "RTMP://H:1935/a", "state": "pending"}}, None, 0, True),
        ({"callbacks": {"uid": "nobody"}}, 60, 60, False),
        ({"callbacks": {"count": 2}}, None, 86400, False),
    ],
    ids=str,
)
async def test_clock_moves_until_something_is_so(
    control: Control,
    relay: RelayClient,
    frozen: float,
    until: object,
    seconds: float | None,
    stands: float,
    reached: bool,
) -> None:
    await relay.start_source("r", "u", "rtmp://h/a")
    bound = {} if seconds is None else {"seconds": seconds}
    advance = await control.call("advance_clock", until=until, **bound)
    assert (advance["now"] - frozen, advance["reached"]) == (stands, reached)


@pytest.mark.parametrize(
    ("body", "pointer", "hint"),
    [
        ({}, "/seconds", "'seconds', or 'until'"),
        ({"seconds": -1}, "/seconds", "at least 0"),
        ({"seconds": "60"}, "/seconds", "number"),
        ({"until": "idel"}, "/until", "idle|next"),
        ({"until": {}}, "/until/callbacks", "Missing"),
        ({"until": {"callback": {}}}, "/until/callback", "did you mean 'callbacks'"),
        ({"until": {"callbacks": {"uuid": "u"}}}, "/until/callbacks/uuid", "did you mean 'uid'"),
        ({"second": 1}, "/second", "did you mean 'seconds'"),
        ({"seconds": 1, "cap_seconds": 601}, "/cap_seconds", "at most 600"),
    ],
    ids=str,
)
async def test_advance_that_makes_no_sense_moves_nothing(
    control: Control, frozen: float, body: dict[str, Any], pointer: str, hint: str
) -> None:
    error = await refuse(control, "advance_clock", body=body)
    assert (error.code, error.pointer) == ("invalid_body", pointer)
    assert hint in error.detail
    assert (await control.call("clock"))["now"] == frozen


async def test_real_clock_is_not_advanced(control: Control) -> None:
    error = await refuse(control, "advance_clock", seconds=1)
    assert (error.code, error.status) == ("clock_is_real", 409)


async def test_clock_is_not_set_back(control: Control, frozen: float) -> None:
    error = await refuse(control, "put_clock", now=frozen - 1)
    assert (error.code, error.status, error.pointer) == ("time_goes_forward", 422, "/now")
    assert (await control.call("put_clock", now=frozen + 1))["now"] == frozen + 1


async def test_each_world_has_a_clock_of_its_own(control: Control) -> None:
    made = await control.call("create_world", id="mine", clock="frozen", now=1000)
    assert (made["clock"], made["now"]) == ("frozen", 1000)
    assert (await control.call("advance_clock", world="mine", seconds=5))["now"] == 1005
    worlds = {world["id"]: world for world in (await control.call("worlds"))["items"]}
    assert worlds["mine"]["now"] == 1005
    assert worlds["default"]["clock"] == "real"
    error = await refuse(control, "clock", world="min")
    assert "did you mean 'mine'" in error.detail


async def test_world_that_can_not_begin_there_is_not_made(control: Control) -> None:
    error = await refuse(control, "create_world", id="mine", clock="real", now=1000)
    assert (error.code, error.pointer) == ("clock_is_real", "/now")
    assert (await control.call("health"))["worlds"] == 1


async def test_rate_limit_is_by_the_worlds_clock(
    control: Control, relay: RelayClient, frozen: float
) -> None:
    await control.call("put_profile", rate_limit_per_second=1)
    codes = [(await relay.start_source("r", uid, f"rtmp://h/{uid}")).rule for uid in "abc"]
    assert codes == [None, "rate-limit", "rate-limit"]
    await control.call("advance_clock", seconds=1)
    assert (await relay.start_source("r", "b", "rtmp://h/b")).is_accepted


async def test_clock_is_not_moved_from_inside_the_loop_without_waiting(server: Server) -> None:
    server.control.call_at_once("put_clock", mode="frozen")
    with pytest.raises(FakerelayError, match="would have to wait"):
        server.control.call_at_once("advance_clock", seconds=1)
    assert (await server.control.call("advance_clock", seconds=1))["reached"]


async def tell_story(server: Server) -> dict[str, Any]:
    """All that a short life leaves behind, but for real time and ports."""
    control = server.control
    made = await control.call("create_world", callback_url=NOBODY)
    client = RelayClient(server.url, made["appid"], made["certificate_id"], made["certificate_key"])
    async with client:
        for uid in "ab":
            await client.start_source("r", uid, "rtmp://h/a", trace_id=f"call of {uid}")
        await control.call("advance_clock", world=made["id"], until="idle")
    lists = {name: await control.call(name, world=made["id"]) for name in ("requests", "callbacks")}
    attempts = [each["attempts"] for each in lists["callbacks"]["items"]]
    for timed in (*lists["requests"]["items"], *chain.from_iterable(attempts)):
        timed.pop("duration_seconds")
    del made["url"], made["http_url"]
    return {"made": made, **lists}


async def test_one_seed_makes_one_story(
    open_server: Callable[..., Awaitable[Server]],
) -> None:
    stories = [await tell_story(await open_server(clock="frozen", seed=seed)) for seed in (7, 7, 8)]
    assert stories[0] == stories[1]
    assert stories[0]["made"]["now"] == 1767225600
    assert stories[0]["made"]["appid"] != stories[2]["made"]["appid"]
    msgids = [story["callbacks"]["items"][0]["msgid"] for story in stories]
    assert msgids[0] == msgids[1] != msgids[2]


async def test_real_clock_can_not_begin_at_some_time(
    open_server: Callable[..., Awaitable[Server]],
) -> None:
    with pytest.raises(ConfigError, match="--clock frozen"):
        await open_server(now=1000)


async def test_advance_may_take_longer_than_the_clients_patience(server: Server) -> None:
    """By as long as it is told that it may."""
    hanging: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    server.tenants.default.clock.track(hanging)
    async with ControlClient(server.control_url or "", timeout_seconds=0.2) as control:
        await control.call("put_clock", mode="frozen")
        advance = await control.call("advance_clock", seconds=1, cap_seconds=0.4)
    assert advance["unfinished"] == 1
    hanging.cancel()
