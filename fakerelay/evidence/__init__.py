"""What the control plane tells of one world, read whole: the facts that assertions rest on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

Json = Mapping[str, Any]
Control = Callable[..., Any]
"""`control(verb, **parameters)`, as of a FakeRelay: bound to one world, it answers JSON."""

_PAGE: Final = 10_000


class Listed(NamedTuple):
    """All of a list, in its order; of those there were, so many were forgotten (`evicted`)."""

    items: Sequence[Json]
    evicted: int = 0


class Evidence(NamedTuple):
    """All that is known of a world at one moment, each as its verb answers it."""

    clock: Json
    profile: Json
    apps: Listed
    tasks: Listed
    requests: Listed
    callbacks: Listed
    faults: Sequence[Json]
    strays: Sequence[Json] = ()


def collect(control: Control, *, strays: Sequence[Json] = ()) -> Evidence:
    """Ask for everything there is of the world that `control` is bound to. Raises ControlError.

    `strays` are calls that another world of its server got, for want of a path that names an app.
    """
    return Evidence(
        clock=control("clock"),
        profile=control("profile"),
        apps=read_list(control, "apps"),
        tasks=read_list(control, "tasks"),
        requests=read_list(control, "requests"),
        callbacks=read_list(control, "callbacks"),
        faults=control("faults")["items"],
        strays=strays,
    )


def read_list(control: Control, noun: str, **filters: Any) -> Listed:
    """A list to its end, page by page."""
    items: list[Json] = []
    while True:
        page = control(noun, limit=_PAGE, offset=len(items), **filters)
        items += page["items"]
        if not page["items"] or len(items) >= page["total"]:
            return Listed(items, page["evicted"])
