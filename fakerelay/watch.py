"""Waiting for a list to change, without asking again and again."""

import asyncio
from collections.abc import Iterable


class Watch:
    """Wakes whoever waits; costs next to nothing while nobody does.

    Look first, then wait: nothing is missed as long as there is no `await` in between.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def is_waited_for(self) -> bool:
        return bool(self._waiters)

    def notify(self) -> None:
        """Wake everybody who waits now."""
        if self._waiters:
            self._wake()

    async def wait(self, timeout_seconds: float) -> bool:
        """Whether something changed within so many real seconds."""
        return await wait_for_any((self,), timeout_seconds)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


async def wait_for_any(watches: Iterable[Watch], timeout_seconds: float) -> bool:
    """Whether one of several changed within so many real seconds."""
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watched = list(watches)
    for watch in watched:
        watch._waiters.add(waiter)
    try:
        await asyncio.wait_for(waiter, timeout_seconds)
    except TimeoutError:
        return False
    finally:
        for watch in watched:
            watch._waiters.discard(waiter)
    return True
