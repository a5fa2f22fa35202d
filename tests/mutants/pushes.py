"""A running task and what becomes of its addresses, as values."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.mutants.fields import Request

STARTED: Final = 0
STOPPED: Final = 3


@dataclass(eq=False)
class Task:
    """A running push, told apart by its `id`.

    `addresses` maps what is compared to how it was spelled.
    """

    appid: int
    kind: str
    name: str
    id: str
    room: str
    addresses: dict[str, str]
    starttime: int
    is_updated: bool = False
    is_custom: bool = False


class Change(NamedTuple):
    """The status of one address of a task changed."""

    task: Task
    address: str
    status: int


def identify(what: Request | Task) -> tuple[int, str, str]:
    return what.appid, what.kind, what.id
