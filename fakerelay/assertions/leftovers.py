"""What a test has left behind: tasks that run, callbacks that nobody has taken."""

from collections.abc import Iterator

from fakerelay.assertions.stories import Story
from fakerelay.core.callbacks import FAILED, PENDING
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.wording import (
    count,
    name_status,
    name_task,
    show_address,
    show_attempt,
    show_offset,
    show_value,
)


def find_leftovers(control: Control) -> str | None:
    """All of them, one a line; None where there are none."""
    tasks = read_list(control, "tasks").items
    listed = read_list(control, "callbacks")
    callbacks = [each for each in listed.items if each["held"] or _is_left(each)]
    if tasks or callbacks:
        start = Story(control).start
        told = (tell_callback(each, start) for each in callbacks)
        lines = [*map(_tell_task, tasks), *told]
        left = _join(count(len(tasks), "running task"), count(len(callbacks), "callback"))
        return "\n".join([f"Left over: {left}", *(f"  {line}" for line in lines)])
    if listed.evicted:
        return (
            "Can't tell whether callbacks were given up:"
            f" {listed.evicted} of those that ended are forgotten"
        )
    return None


def tell_callback(callback: Json, start: float) -> str:
    """What it tells of whom, and how far it is."""
    context = callback["body"]["context"]
    return (
        f"callback {callback['number']}, {name_status(context['status'])}"
        f" {show_address(context['rtmpurl'])} ({name_task(context)}):"
        f" {'; '.join(_list_states(callback, start))}"
    )


def _is_left(callback: Json) -> bool:
    return callback["state"] in (PENDING, FAILED)


def _tell_task(task: Json) -> str:
    pushes = ", ".join(
        f"{show_address(push['rtmpurl'])} {push['status_name']}" for push in task["pushes"]
    )
    return f"{name_task(task)} of room {show_value(task['roomid'])}: {pushes}"


def _list_states(callback: Json, start: float) -> Iterator[str]:
    attempts = callback["attempts"]
    if callback["held"]:
        yield "held"
    elif callback["state"] == FAILED:
        yield callback["reason"] or FAILED
    elif callback["in_flight"]:
        yield "posted, no answer yet"
    else:
        yield callback["state"]
    if attempts and callback["state"] == PENDING:
        yield count(len(attempts), "attempt")
    if attempts:
        yield f"last {show_attempt(attempts[-1])}"
    if callback["next_attempt_at"] is not None:
        yield f"next attempt due at {show_offset(callback['next_attempt_at'], start)}"


def _join(*parts: str) -> str:
    return " and ".join(part for part in parts if not part.startswith("no "))
