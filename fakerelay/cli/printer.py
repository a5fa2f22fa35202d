"""Prints from a thread of its own: whoever leaves its output unread keeps no call waiting."""

import os
import queue
import threading
from contextlib import suppress
from typing import Final

_MOST_WAITING: Final = 200
_CLOSE_SECONDS: Final = 1.0


class Printer:
    """Takes blocks of lines for a file descriptor; past `most_waiting` unread, no more.

    The thread is a daemon and writes to the file itself: one that hangs can't keep the process.
    """

    def __init__(self, file: int, most_waiting: int = _MOST_WAITING) -> None:
        self._file = file
        self._waiting: queue.Queue[str | None] = queue.Queue(most_waiting)
        self._thread: threading.Thread | None = None

    def print(self, text: str) -> bool:
        """Whether there was room for it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="printer", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Print what waits, as far as somebody reads it within a second."""
        if self._thread is None:
            return
        try:
            self._waiting.put(None, timeout=_CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        while (text := self._waiting.get()) is not None:
            with suppress(OSError):  # nobody reads any more: go on without
                _write(self._file, f"{text}\n".encode())


def _write(file: int, raw: bytes) -> None:
    while raw:
        raw = raw[os.write(file, raw) :]
