"""CPU of a delivered callback, beside a bare aiohttp client's post to the same receiver."""

import asyncio
import statistics
import time

import aiohttp
from aiohttp import web

from fakerelay.clock import WorldClock
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import PushAddress
from fakerelay.delivery import Delivery
from fakerelay.ids import RandomIds
from fakerelay.profiles import open_profile
from fakerelay.sender import HttpSender

BLOCK = 1_000
ROUNDS = 7
IN_FLIGHT = 16
POLICY = open_profile("default").callback
BODY = b"x" * 320


def main() -> None:
    asyncio.run(compare())


async def compare() -> None:
    """The receiver's share, in this process too, is taken off both."""
    runner = web.ServerRunner(web.Server(receive, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
    pairs = [(await post_bare(url), await deliver(url)) for _ in range(ROUNDS)]
    await runner.cleanup()
    bare, relay = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(relay / bare for bare, relay in pairs)
    print(
        f"{relay * 1e6:.0f} us CPU a callback, {bare * 1e6:.0f} us a bare post,"
        f" ratio {ratio:.2f} (each with the receiver's part)"
    )


async def receive(request: web.BaseRequest) -> web.Response:
    await request.read()
    return web.Response()


async def post_bare(url: str) -> float:
    async def work(session: aiohttp.ClientSession) -> None:
        for _ in range(BLOCK // IN_FLIGHT):
            async with session.post(url, data=BODY) as response:
                await response.read()

    async with aiohttp.ClientSession() as session:
        began = time.process_time()
        await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))
        return (time.process_time() - began) / (BLOCK // IN_FLIGHT * IN_FLIGHT)


async def deliver(url: str) -> float:
    sender = HttpSender()
    delivery = Delivery(WorldClock(), RandomIds(), sender, max_in_flight=IN_FLIGHT)
    began = time.process_time()
    for number in range(BLOCK):
        address = PushAddress(f"rtmp://cdn/live/{number}", f"rtmp://cdn/live/{number}")
        event = PushStatusChanged((1, 2, "u"), "room", address, 0, 1.0, f"trace-{number}")
        delivery.emit([event], url, 1.0, POLICY)()
    while any(notification.state == "pending" for notification in delivery.notifications()):
        await delivery.watch.wait(1)
    spent = time.process_time() - began
    assert all(each.state == "delivered" for each in delivery.notifications())
    await delivery.close(0)
    await sender.close()
    return spent / BLOCK


if __name__ == "__main__":
    main()
