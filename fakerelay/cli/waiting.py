"""Staying up until somebody says stop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event set by SIGINT or SIGTERM; from then on another one ends the process at once.

    Where loops know no signals (Windows) it is never set: Ctrl-C cancels the task instead.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def forget() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def end() -> None:
        forget()
        stop.set()

    with suppress(NotImplementedError):
        for number in _SIGNALS:
            loop.add_signal_handler(number, end)
    try:
        yield stop
    finally:
        with suppress(NotImplementedError):
            forget()
