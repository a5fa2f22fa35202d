"""24 hours of a task's life on the virtual clock: hourly flapping, every retry, sent in memory."""

import asyncio
import statistics
import time

from fakerelay.clock import WorldClock
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import PushAddress
from fakerelay.core.pushes import CDN_FAILED, PUSHING
from fakerelay.delivery import Delivery
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from fakerelay.profiles import open_profile

ROUNDS = 15
HOURS = 24
POLICY = open_profile("default").callback
ADDRESS = PushAddress("rtmp://cdn/live", "rtmp://cdn/live")
ATTEMPTS = 1 + len(POLICY.retry_delays_seconds)


class Refusing:
    """A receiver that never takes anything, so that every retry is made."""

    async def send(self, url: str, body: bytes, timeout_seconds: float) -> Sent:
        return Sent(500, None, 0.0)


def main() -> None:
    times = [asyncio.run(live()) for _ in range(ROUNDS)]
    print(f"{statistics.median(times) * 1000:.0f} ms ({max(times) * 1000:.0f} at most)")


async def live() -> float:
    began = time.perf_counter()
    clock = WorldClock("frozen", 0.0)
    delivery = Delivery(clock, SeededIds(1), Refusing())
    for _ in range(HOURS):
        for status in (CDN_FAILED, PUSHING):
            event = PushStatusChanged((1, 2, "u"), "room", ADDRESS, status, 0.0, None)
            delivery.emit([event], "http://127.0.0.1/", clock.now(), POLICY)
            await clock.advance(1800)
    spent = time.perf_counter() - began
    kept = list(delivery.notifications())
    assert [len(each.attempts) for each in kept] == [ATTEMPTS] * (2 * HOURS)
    await delivery.close(0)
    return spent


if __name__ == "__main__":
    main()
