"""The seeded life of a world on a frozen clock, printed: `python -m tests.seeded_life SEED`.

Calls one after the other, some spoiled by chance, pushes that flap, a receiver that fails now and
then: what was asked, what was told, and what is left, without ports and durations.
"""

import asyncio
import json
import random
import sys
from typing import Any

from aiohttp import web

from fakerelay import FakeRelay
from fakerelay.client import RelayUnreachable

CALLS = 40
FAULTS: tuple[dict[str, Any], ...] = (
    {
        "seed": 5,
        "steps": [{"fault": "http_status", "status": 503, "count": "always", "probability": 0.2}],
    },
    {
        "seed": 6,
        "steps": [{"fault": "drop_after_commit", "count": "always", "probability": 0.1}],
    },
    {"on": "push", "match": {"rtmpurl": "*/a"}, "steps": [{"fault": "flap", "seconds": 20}]},
    {
        "on": "callback",
        "seed": 7,
        "steps": [{"fault": "duplicate", "times": 1, "count": "always", "probability": 0.2}],
    },
)


async def live(seed: int) -> str:
    chance = random.Random(seed)

    async def receive(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(status=chance.choice((200, 200, 500)))

    runner = web.ServerRunner(web.Server(receive))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/cb"
    async with FakeRelay(clock="frozen", seed=seed, callback_url=url) as relay:
        for fault in FAULTS:
            await relay.acontrol("create_fault", **fault)
        for number in range(CALLS):
            await call(relay, chance, number)
            await relay.acontrol("advance_clock", seconds=chance.randrange(10))
        left = {verb: await relay.acontrol(verb) for verb in ("requests", "callbacks", "snapshot")}
    await runner.cleanup()
    return json.dumps(forget_durations(left), indent=1).replace(str(port), "PORT")


async def call(relay: FakeRelay, chance: random.Random, number: int) -> None:
    uid, address = chance.choice("uvw"), chance.choice("abc")
    async with relay.client as client:
        try:
            if chance.random() < 0.3:
                await client.stop_source("r", uid, trace_id=f"trace-{number}")
            else:
                url = f"rtmp://h/{address}"
                await client.start_source("r", uid, url, trace_id=f"trace-{number}")
        except RelayUnreachable:
            pass


def forget_durations(value: Any) -> Any:
    """Real time is nobody's to repeat."""
    if isinstance(value, dict):
        return {k: forget_durations(v) for k, v in value.items() if k != "duration_seconds"}
    return [forget_durations(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(live(int(sys.argv[1]))))
