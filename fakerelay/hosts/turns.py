"""Work that is done in one turn of a loop, without a task of its own where it needn't wait."""

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Final, Generic, TypeVar

from fakerelay.errors import FakerelayError

T = TypeVar("T")

CALLED_OFF: Final = "The relay was closed before this was done"


def do_quickly(work: Coroutine[Any, Any, T], call: concurrent.futures.Future[T]) -> None:
    """Do it in this very turn of the loop; what has to wait after all goes on in a task."""
    if not call.set_running_or_notify_cancel():
        work.close()
        return
    try:
        first = work.send(None)
    except StopIteration as done:
        call.set_result(done.value)
    except BaseException as error:
        call.set_exception(error)
    else:
        task = asyncio.get_running_loop().create_task(_go_on(_Rest(work, first)))
        task.add_done_callback(partial(_hand_over, call))


def _hand_over(call: concurrent.futures.Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        call.set_exception(FakerelayError(CALLED_OFF))
    elif (error := task.exception()) is not None:
        call.set_exception(error)
    else:
        call.set_result(task.result())


async def _go_on(rest: "_Rest[T]") -> T:
    return await rest


class _Rest(Generic[T]):
    """What is left of a coroutine that has begun, and waits for `first`."""

    def __init__(self, work: Coroutine[Any, Any, T], first: Any) -> None:
        self._work = work
        self._first = first

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._first
        while True:
            try:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(sent)
            except StopIteration as done:
                result: T = done.value
                return result
