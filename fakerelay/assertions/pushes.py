"""Whether an address is pushed to, or isn't any more, and how that came about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fakerelay.assertions.nearness import show_nearest
from fakerelay.core.addresses import address_key, mask_address, read_address
from fakerelay.core.problems import Problem
from fakerelay.core.pushes import PUSHING, STOPPED
from fakerelay.core.requests import STOP
from fakerelay.errors import FakerelayError
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.histories import Key, Moment, find_key, read_moments, split_addresses
from fakerelay.evidence.wording import (
    body_of,
    count,
    explain_problem,
    name_call,
    name_status,
    name_task,
    show_address,
    show_time,
    show_value,
)

_MOST_TOLD: Final = 2


class Running(NamedTuple):
    """A running task's push."""

    task: Json
    push: Json


def find_not_pushing(control: Control, rtmpurl: str) -> str | None:
    """Why the first of the addresses that isn't pushed to with success is not; None: all are."""
    wanted = _read(rtmpurl)
    running = _list_running(control)
    for key, text in wanted.items():
        pushes = running.get(key, [])
        if not any(each.push["status"] == PUSHING for each in pushes):
            lines = _tell_bad(control, pushes) if pushes else _tell_missing(control, text, running)
            return "\n".join([f"{show_address(text)} {lines[0]}", *lines[1:]])
    return None


def find_not_stopped(control: Control, rtmpurl: str) -> str | None:
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


class Story:
    """What the journal and the callbacks tell of addresses."""

    def __init__(self, control: Control) -> None:
        self.requests = read_list(control, "requests")
        self.callbacks = read_list(control, "callbacks")
        self.moments = read_moments(self.requests.items, self.callbacks.items)

    def has_started(self, key: str) -> bool:
        """Whether it was ever pushed to, or at least begun to be."""
        return any(
            key in map(address_key, (*moment.effect.started, *moment.effect.stopped))
            or (moment.callback is not None and _is_about(moment, key))
            for moment in self.moments
        )

    def known(self) -> set[str]:
        """The addresses that were ever pushed to."""
        return {
            text
            for moment in self.moments
            for text in (*moment.effect.started, *moment.effect.stopped)
        }

    def about(self, key: str) -> list[Moment]:
        """The requests that name an address or end a push to it, and what the vendor did to it."""
        return [
            moment
            for moment in self.moments
            if _is_about(moment, key) or key in map(address_key, moment.effect.stopped)
        ]

    def tell_end(self, key: str) -> list[str]:
        """The last that is known of an address: what ended it, or refused it."""
        told = [line for moment in self.about(key) for line in _tell_moment(moment, key)]
        if told:
            return [f"  {line}" for line in told[-_MOST_TOLD:]]
        doubt = self.find_doubt()
        names = f"no request names it ({count(len(self.requests.items), 'request')} in the journal)"
        return [f"  {names}{f', but {doubt}' if doubt else ''}"]

    def find_doubt(self) -> str | None:
        """Why there may have been more than the journal tells; None: it tells everything."""
        items = self.requests.items
        if missing := items[-1]["number"] - len(items) if items else self.requests.evicted:
            return f"the journal has no more of {count(missing, 'earlier request')}"
        for moment in self.moments:
            if moment.request is not None and moment.effect.is_unclear:
                return (
                    f"request {moment.request['number']}, {name_call(moment.request)}, was accepted"
                    " on a task whose addresses the journal doesn't have"
                )
        return None


def _read(rtmpurl: str) -> Mapping[str, str]:
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


def _is_about(moment: Moment, key: str) -> bool:
    if moment.callback is not None:
        return address_key(moment.callback["body"]["context"]["rtmpurl"]) == key
    return moment.request is not None and key in split_addresses(
        body_of(moment.request).get("rtmpurl")
    )


def _tell_bad(control: Control, pushes: Sequence[Running]) -> list[str]:
    now = control("clock")["now"]
    status = pushes[0].push["status_name"]
    return [f"is not pushing: {status}", *(_tell_push(each, now) for each in pushes)]


def _tell_push(running: Running, now: float | None = None) -> str:
    task, push = running
    since = show_time(push["since"])
    lasting = f", for {now - push['since']:.3f} s" if now is not None else ""
    scheduled = "".join(
        f"; {each['status_name']} due at {show_time(each['due_at'])}" for each in push["scheduled"]
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
        *(_tell_push(each) for each in pushes),
        *_tell_stops(story, key, pushes),
    ]


def _tell_stops(story: Story, key: str, pushes: Sequence[Running]) -> Iterator[str]:
    """The last calls that were to start or stop it, or its task, and what became of them."""
    tasks = {find_key(each.task["appid"], each.task) for each in pushes}
    calls = [
        moment.request
        for moment in story.moments
        if moment.request is not None
        and (_is_about(moment, key) or _is_stop(moment.request, tasks))
    ]
    yield from (f"  {_tell_request(call)}" for call in calls[-_MOST_TOLD:])
    if not any(call["operation"] == STOP for call in calls):
        yield f"  no {STOP} names it or its task"


def _is_stop(request: Json, tasks: set[Key | None]) -> bool:
    """Whether it was to stop one of the tasks, with all its addresses."""
    if request["operation"] != STOP or "rtmpurl" in body_of(request):
        return False
    return find_key(request["appid"], body_of(request)) in tasks


def _tell_never(story: Story, key: str, text: str) -> list[str]:
    if (doubt := story.find_doubt()) is not None:
        return [f"is not pushed to, and whether it ever was can't be told: {doubt}"]
    known = story.known()
    return ["was never pushed to", *story.tell_end(key), *show_nearest(text, known, "pushed to")]


def _tell_moment(moment: Moment, key: str) -> Iterator[str]:
    """What a moment means for an address; nothing where it is of no consequence."""
    if moment.request is not None:
        is_end = key in map(address_key, moment.effect.stopped)
        if is_end and moment.effect.is_update:
            yield f"left out by an update: {_tell_request(moment.request)}"
        elif is_end:
            yield f"stopped: {_tell_request(moment.request)}"
        else:
            yield _tell_request(moment.request)
    elif moment.callback is not None:
        context = moment.callback["body"]["context"]
        if "traceId" not in context:
            status = name_status(context["status"])
            by = "stopped by the vendor" if context["status"] == STOPPED else f"became {status}"
            yield f"{by} at {show_time(moment.at)}, without a call"


def _tell_request(request: Json) -> str:
    body = body_of(request)
    told = f"request {request['number']}, {name_call(request)} of {name_task(body)}"
    if body.get("rtmpurl") is not None:
        told += f" with {show_value(body['rtmpurl'])}"
    if request["problem"] is not None:
        return f"{told}, was refused: {explain_problem(request['problem'])}"
    if not request["accepted"]:
        return f"{told}, met a fault and was not done"
    return f"{told}, was accepted"
