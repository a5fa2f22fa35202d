"""Worlds that were asked for from another thread, and are made once somebody looks for them.

So nobody has to wake the server's loop and wait for it, only to be there in time.
"""

import threading
from collections.abc import Callable


class Arrivals:
    """What is to be made, in order; costs next to nothing while nobody waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[object, Callable[[], None]] = {}

    @property
    def has_any(self) -> bool:
        return bool(self._waiting)

    def add(self, key: object, make: Callable[[], None]) -> None:
        with self._lock:
            self._waiting[key] = make

    def remove(self, key: object) -> bool:
        """Whether it has not been begun, and never will be."""
        with self._lock:
            return self._waiting.pop(key, None) is not None

    def let_in(self) -> None:
        """Make all that waits, in the server's loop."""
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for make in waiting.values():
            make()
