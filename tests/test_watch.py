import asyncio

import pytest

from fakerelay.watch import Watch


async def test_watch_wakes_everybody_who_waits() -> None:
    watch = Watch()
    waiting = [asyncio.create_task(watch.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    watch.notify()
    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_watch_keeps_no_change_for_those_who_come_later() -> None:
    watch = Watch()
    watch.notify()
    assert not await watch.wait(0)


async def test_watch_forgets_who_gave_up() -> None:
    watch = Watch()
    waiting = asyncio.create_task(watch.wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    watch.notify()
    assert not await watch.wait(0)
