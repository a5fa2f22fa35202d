"""The event loop of whoever calls, if there is one."""

import asyncio


def find_running_loop() -> asyncio.AbstractEventLoop | None:
    """The asyncio loop that runs in the calling thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
