"""Several threads at once, which take turns as often as can be."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def often_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def do_together(*acts: Callable[[], T]) -> list[Future[T]]:
    """Each in a thread of its own, all at once."""
    together = threading.Barrier(len(acts), timeout=10)

    def do(act: Callable[[], T]) -> T:
        together.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [pool.submit(do, act) for act in acts]
