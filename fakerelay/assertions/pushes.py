"""Whether an address is pushed to, or isn't any more, and how that came about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from fakerelay.assertions.nearness import show_nearest
from fakerelay.assertions.stories import Story, is_about, show_last
from fakerelay.core.addresses import address_key, mask_address, read_address
from fakerelay.core.problems import Problem
from fakerelay.core.pushes import PUSHING
from fakerelay.core.requests import STOP
from fakerelay.errors import FakerelayError
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.histories import Key, find_key, split_addresses
from fakerelay.evidence.wording import (
    body_of,
    name_task,
    show_address,
    show_offset,
    show_value,
)


class Running(NamedTuple):
    """A running task's push."""

    task: Json
    push: Json


def find_not_pushing(control: Control, rtmpurl: str | Sequence[str]) -> str | None:
    """Why the first of the addresses that isn't pushed to with success is not; None: all are."""
    wanted = _read(rtmpurl)
    running = _list_running(control)
    for key, text in wanted.items():
        pushes = running.get(key, [])
        if not any(each.push["status"] == PUSHING for each in pushes):
            lines = _tell_bad(control, pushes) if pushes else _tell_missing(control, text, running)
            return "\n".join([f"{show_address(text)} {lines[0]}", *lines[1:]])
    return None


def find_not_stopped(control: Control, rtmpurl: str | Sequence[str]) -> str | None:
    """Why the first of the addresses that is pushed to, or never was, is so; None: all stopped."""
    wanted = _read(rtmpurl)
    running = _list_running(control)
    story = Story(control)
    for key, text in wanted.items():
        if key in running:
            lines = _tell_still(story, key, running[key])
        elif not story.has_started(key):
            lines = _tell_never(story, key, text)
        else:
            continue
        return "\n".join([f"{show_address(text)} {lines[0]}", *lines[1:]])
    return None


def _read(rtmpurl: str | Sequence[str]) -> Mapping[str, str]:
    rtmpurl = rtmpurl if isinstance(rtmpurl, str) else ",".join(rtmpurl)
    for text in rtmpurl.split(","):
        problem = read_address(text)
        if isinstance(problem, Problem):
            raise FakerelayError(
                f"Can't use {mask_address(text)!r} as an address: {problem.facts['reason']}"
            )
    return split_addresses(rtmpurl)


def _list_running(control: Control) -> dict[str, list[Running]]:
    """The pushes of running tasks by their address."""
    running: dict[str, list[Running]] = {}
    for task in read_list(control, "tasks").items:
        for push in task["pushes"]:
            running.setdefault(address_key(push["rtmpurl"]), []).append(Running(task, push))
    return running


def _tell_bad(control: Control, pushes: Sequence[Running]) -> list[str]:
    now = control("clock")["now"]
    status = pushes[0].push["status_name"]
    start = Story(control).start
    return [f"is not pushing: {status}", *(_tell_push(each, start, now) for each in pushes)]


def _tell_push(running: Running, start: float, now: float | None = None) -> str:
    task, push = running
    since = show_offset(push["since"], start)
    lasting = f", for {now - push['since']:.3f} s" if now is not None else ""
    scheduled = "".join(
        f"; {each['status_name']} due at {show_offset(each['due_at'], start)}"
        for each in push["scheduled"]
    )
    return (
        f"  {name_task(task)} of room {show_value(task['roomid'])} pushes there:"
        f" {push['status_name']} since {since}{lasting}{scheduled}"
    )


def _tell_missing(
    control: Control, text: str, running: Mapping[str, Sequence[Running]]
) -> list[str]:
    story = Story(control)
    addresses = [each.push["rtmpurl"] for pushes in running.values() for each in pushes]
    return [
        "is not pushed to by any running task",
        *story.tell_end(address_key(text)),
        *show_nearest(text, addresses, "pushed to"),
    ]


def _tell_still(story: Story, key: str, pushes: Sequence[Running]) -> list[str]:
    return [
        f"is still pushed to: {pushes[0].push['status_name']}",
        *(_tell_push(each, story.start) for each in pushes),
        *_tell_stops(story, key, pushes),
    ]


def _tell_stops(story: Story, key: str, pushes: Sequence[Running]) -> Iterator[str]:
    """The last calls that were to start or stop it, or its task, and what became of them."""
    tasks = {find_key(each.task["appid"], each.task) for each in pushes}
    requests = [moment for moment in story.moments if moment.request is not None]
    calls = [each for each in requests if is_about(each, key) or _is_stop(each.request, tasks)]
    yield from show_last([story.tell_request(each) for each in calls])
    if not any(_is_stop(each.request) for each in calls):
        others = [story.tell_request(each) for each in requests if _is_stop(each.request)]
        yield f"  no {STOP} names it or its task{', but there came:' if others else ''}"
        yield from show_last(others)


def _is_stop(request: Json | None, tasks: set[Key | None] | None = None) -> bool:
    """Whether it was to stop one of the tasks, or some of its addresses; else any task."""
    if request is None or request["operation"] != STOP:
        return False
    return tasks is None or find_key(request["appid"], body_of(request)) in tasks


def _tell_never(story: Story, key: str, text: str) -> list[str]:
    if (doubt := story.find_doubt()) is not None:
        return [f"is not pushed to, and whether it ever was can't be told: {doubt}"]
    known = story.known()
    return ["was never pushed to", *story.tell_end(key), *show_nearest(text, known, "pushed to")]
