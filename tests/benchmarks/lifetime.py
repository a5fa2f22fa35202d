"""24 hours of a task's life on a clock that is moved: hourly flapping, every retry, in memory."""

import asyncio
import statistics
import time
from random import Random

from fakerelay.clock import Start
from fakerelay.core.model import App
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from fakerelay.profiles import open_profile
from fakerelay.stores import open_store
from fakerelay.tenants import Parts, Tenants
from tests.core.worlds import APPID, start

ROUNDS = 15
HOURS = 24
FLAPPING = "flapping-1800.fakerelay.test/live"
PROFILE = open_profile("default")
ATTEMPTS = 1 + len(PROFILE.callback.retry_delays_seconds)
PARTS = (open_store, Start("frozen", 0.0), SeededIds)


class Refusing:
    """A receiver that never takes anything, so that every retry is made."""

    async def send(
        self, url: str, body: bytes, timeout_seconds: float, content_type: str = ""
    ) -> Sent:
        return Sent(500, None, 0.0)


def main() -> None:
    times = [asyncio.run(live()) for _ in range(ROUNDS)]
    print(f"{statistics.median(times) * 1000:.0f} ms ({max(times) * 1000:.0f} at most)")


async def live() -> float:
    tenants = Tenants(Parts(*PARTS, Refusing(), PROFILE, 100, Random(1)))
    tenant = tenants.default
    await tenants.put_app(tenant, App(APPID, "account", "http://127.0.0.1/"))
    began = time.perf_counter()
    applied = await tenant.service.apply(start("u", FLAPPING))
    assert applied.open_gate is not None
    applied.open_gate()
    for _ in range(HOURS):
        await tenant.clock.advance(3600)
    spent = time.perf_counter() - began
    kept = list(tenant.delivery.notifications())
    changes = [each.event.status for each in kept]
    assert changes == [0, *[1, 0] * HOURS]
    # The last change is as old as the day: its retries are tomorrow's.
    assert [len(each.attempts) for each in kept] == [ATTEMPTS] * (2 * HOURS) + [1]
    await tenants.close(0)
    return spent


if __name__ == "__main__":
    main()
