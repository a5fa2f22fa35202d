"""What requests did, told again: it comes to what the relay itself has come to."""

import random
import time

import pytest

from fakerelay import FakeRelay, RelayClient
from fakerelay.evidence import collect
from fakerelay.evidence.histories import Effect, read_moments
from tests.facts import NOW, callback, refusal, start, stop

A, B, C = (f"rtmp://h/{name}" for name in "abc")
B_TOO = "RTMP://h:1935/b"
TAKEN = refusal(40901, "address_in_use", "address-unique")
MIX = {"templateid": 3, "output": {}}


@pytest.mark.parametrize(
    ("requests", "effect"),
    [
        ([start("u", A, B)], Effect([A, B])),
        ([start("u", A, B), start("u", B_TOO, C)], Effect([C], [A], [B_TOO], True)),
        ([start("u", A), start("u", B, **TAKEN)], Effect()),
        ([start("u", A), start("u", B, mixed=True)], Effect([B])),
        ([start("u", A), start("u", B, appid=8)], Effect([B])),
        ([start("u", A, B), stop("u", A)], Effect([], [A], [B])),
        ([start("u", A, B), stop("u")], Effect([], [A, B], [])),
        ([start("u", A), stop("u", A), start("u", B)], Effect([B])),
        ([stop("u")], Effect([], [], [], is_unclear=True)),
        ([start("u", A) | {"body": "too long to keep"}], Effect(is_unclear=True)),
    ],
    ids=[
        "a start", "an update", "a refusal", "of another kind", "of another app", "a part",
        "a stop", "a start after a stop", "of a task unseen", "of a body unseen",
    ],
)  # fmt: skip
def test_latest_request_has_its_effect(requests: list[dict[str, object]], effect: Effect) -> None:
    found = read_moments(requests, [])[-1].effect
    assert found._replace(
        started=list(found.started), stopped=list(found.stopped), kept=list(found.kept)
    ) == effect._replace(
        started=list(effect.started), stopped=list(effect.stopped), kept=list(effect.kept)
    )


def test_what_the_vendor_stops_is_stopped() -> None:
    ended = callback("u", A, 3, at=2, trace=None)
    moments = read_moments([start("u", A), start("u", B, at=3)], [callback("u", A, 0), ended])
    assert [moment.at - NOW for moment in moments] == [0, 0, 2, 3]
    assert list(moments[2].effect.stopped) == [A]
    assert not moments[3].effect.is_update


async def live(relay: FakeRelay, client: RelayClient, chance: random.Random) -> None:
    """One call of any kind, or a push that the vendor ends."""
    name, addresses = chance.choice("uv"), chance.sample([A, B, C], chance.choice((1, 1, 2)))
    match chance.randrange(6):
        case 0 | 1:
            await client.start_source("r", name, addresses, trace_id=chance.choice("xyz"))
        case 2:
            await client.start_mixed("r", name, addresses, MIX, trace_id=chance.choice("xyz"))
        case 3:
            await client.stop_source("r", name, chance.choice((None, addresses)))
        case 4:
            await client.stop_mixed("r", name, chance.choice((None, addresses)))
        case 5:
            for task in relay.control("tasks", limit=1)["items"]:
                of = {key: task[key] for key in ("appid", "taskid", "uid") if key in task}
                address = task["pushes"][0]["rtmpurl"]
                relay.control("set_push_status", **of, rtmpurl=address, status="stopped")
    await relay.clock.aadvance(chance.choice((0, 0, 1)))


@pytest.mark.parametrize("seed", range(6))
async def test_history_comes_to_what_runs(seed: int) -> None:
    chance = random.Random(seed)
    unreachable = "http://127.0.0.1:9/cb"
    relay = FakeRelay(callback_url=unreachable, clock="frozen", now=NOW, seed=seed)
    async with relay, relay.client as client:
        for _ in range(60):
            await live(relay, client, chance)
        evidence = collect(relay.control)
    moments = read_moments(evidence.requests.items, evidence.callbacks.items)
    running: set[str] = set()
    for moment in sorted(moments, key=lambda moment: moment.place):
        running -= set(moment.effect.stopped)
        running |= {*moment.effect.started, *moment.effect.kept}
        assert not moment.effect.is_unclear
    pushes = {push["rtmpurl"] for task in evidence.tasks.items for push in task["pushes"]}
    assert running == pushes


def time_of_placing(amount: int) -> float:
    requests = [start("u", A, at=number, trace="same") for number in range(amount)]
    callbacks = [
        callback("u", A, 0, at=number, trace="same") | {"number": number + 1}
        for number in range(amount)
    ]
    began = time.process_time()
    read_moments(requests, callbacks)
    return time.process_time() - began


def test_callbacks_of_very_many_calls_with_one_trace_id_are_placed_in_time() -> None:
    """Looking at each cause for each callback would take 64 times as long for 8 times as many."""
    few, many = (min(time_of_placing(amount) for _ in range(5)) for amount in (250, 2000))
    assert many / few < 32
