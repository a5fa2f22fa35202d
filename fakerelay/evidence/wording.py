"""How tasks, addresses, refusals and posts are told in texts for people, with nothing secret."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from fakerelay.core.addresses import mask_address
from fakerelay.core.model import KIND_NAMES, NAME_FIELDS
from fakerelay.core.plain import printable
from fakerelay.core.pushes import STATUS_NAMES
from fakerelay.evidence import Json

LEVELS: Final[Mapping[str, str]] = {
    "D": "documented",
    "S": "SDK manual",
    "B": "borrowed from a sibling API",
    "A": "assumed",
}
MOST_SHOWN: Final = 200
_MOST_READ: Final = 4000
_ADDRESS: Final = re.compile(r"(?<!\w)\w+://[^\s'\"]*")


def show_value(value: Any) -> str:
    """A value as Python writes it, in one line, addresses masked, and not without an end."""
    is_address = isinstance(value, str) and "://" in value
    if is_address:
        text = printable(repr(mask_address(value[:_MOST_READ])))
    else:
        text = printable(hide_secrets(repr(value)[:_MOST_READ]))
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def hide_secrets(text: str) -> str:
    """A text with the addresses in it masked."""
    return _ADDRESS.sub(lambda match: mask_address(match[0]), text)


def show_address(rtmpurl: str) -> str:
    """An address, or a list of them, masked and in one line."""
    return printable(mask_address(rtmpurl))


def show_addresses(rtmpurls: Iterable[str]) -> str:
    return ", ".join(show_address(each) for each in rtmpurls)


def name_task(item: Json) -> str:
    """The task that a body, a listed task or a callback's context is about."""
    field = name_field(item)
    if field is None:
        return "a task"
    return f"{KIND_NAMES[item['streamtype']]} task {show_value(item.get(field))}"


def name_field(item: Json) -> str | None:
    """Which field names the task, as its `streamtype` says."""
    streamtype = item.get("streamtype")
    return next((field for number, field in NAME_FIELDS.items() if number == streamtype), None)


def name_status(status: int | None) -> str:
    if status is None:
        return "connecting"
    return STATUS_NAMES.get(status, f"status {status}")


def show_time(at: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    shown = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z")


def show_offset(at: float, start: float) -> str:
    """Seconds from a start, to the millisecond."""
    return f"{at - start:+.3f}"


class Told(NamedTuple):
    """What is told of an event, and which it is: `request 7`."""

    which: str
    text: str


def show_told(told: Sequence[Told], most: int = MOST_SHOWN) -> list[str]:
    """A line for each, those alike, one after the other, in one; of many lines the last."""
    runs = [list(alike) for _, alike in groupby(told, key=lambda each: each.text)]
    more = sum(map(len, runs[:-most]))
    return [*([f"({more} earlier left out)"] if more else []), *map(_show_run, runs[-most:])]


def _show_run(alike: Sequence[Told]) -> str:
    times = f"{len(alike)} times until {alike[-1].which}: " if len(alike) > 1 else ""
    return f"{times}{alike[0].which}, {alike[0].text}"


def count(number: int, noun: str) -> str:
    """`1 request`, `2 requests`, `no request`."""
    return f"{number or 'no'} {noun}{'s' if number > 1 else ''}"


def body_of(request: Json) -> Json:
    """The object that was sent; nothing where it was none."""
    body = request["body"]
    return body if isinstance(body, Mapping) else {}


def name_call(request: Json) -> str:
    """`startrtmp`; of what was none of the vendor's calls, its method and path."""
    if request["operation"]:
        return str(request["operation"])
    return printable(f"{request['method']} {request['target'].partition('?')[0]}"[:MOST_SHOWN])


def show_outcome(request: Json) -> str:
    """What the caller was told, in few words; and of a fault, what was done."""
    fault = request["fault"]
    if fault is None:
        return _show_reply(request)
    by = f"fault {fault['fault']} (plan {fault['plan']}, step {fault['step']})"
    return f"{_show_spoiled(request)} by {by}, {_show_deed(fault)}"


def _show_spoiled(request: Json) -> str:
    told = request["fault"]["told"]
    if told == "part":
        return "got a part of its reply"
    if told == "nothing" or request["status"] is None:
        return "got no reply"
    return f"answered HTTP {request['status']}"


def _show_deed(fault: Json) -> str:
    """What the service did of a call that met a fault."""
    decided = [
        "done" if each["accepted"] else f"refused ({each['problem']['name']})"
        for each in fault["decided"]
    ]
    return ", then ".join(decided) or "not done"


def _show_reply(request: Json) -> str:
    status, code, problem = request["status"], request["code"], request["problem"]
    if status is None:
        return "got no reply"
    if (status, code, problem) == (200, 0, None):
        return "accepted"
    http = f"HTTP {status}" if status != 200 or code is None else ""
    told = "" if code is None else f"{code} {problem['name']}" if problem else f"code {code}"
    verb = "refused" if problem and code is not None else "told"
    return ", ".join(filter(None, (verb, http, told)))


def explain_problem(problem: Json) -> list[str]:
    """Why a request was refused: what stands in its way, what would pass, and by which rule."""
    rule, reasons = problem["rule"], "; ".join(_list_reasons(problem))
    if rule is None:
        return [reasons or "a fault asked for it"]
    return [reasons or rule["text"], f"rule {show_rule(rule)}"]


def show_rule(rule: Json) -> str:
    level = LEVELS.get(rule["level"], rule["level"])
    known = rule["source"] if rule["source"].startswith(level) else f"{level}, {rule['source']}"
    return f"{rule['id']} ({known})"


def _list_reasons(problem: Json) -> Iterator[str]:
    holder = problem.get("holder")
    if holder is not None:
        yield f"{show_value(problem.get('value'))} is {_show_holder(holder)}"
    elif problem.get("field"):
        yield f"{printable(problem['field'])} is {show_value(problem.get('value'))}"
    elif problem["name"] == "quota_exceeded":
        running = problem.get("value")
        yield f"{show_value(running)} {'task runs' if running == 1 else 'tasks run'}"
    elif problem.get("value") is not None:
        yield f"got {show_value(problem['value'])}"
    if problem.get("why"):
        yield printable(hide_secrets(problem["why"]))
    if problem.get("expected") is not None:
        yield f"would pass: {_show_expected(problem['expected'])}"


def _show_holder(holder: Json) -> str:
    if "kind" in holder:
        return f"held by {holder['kind']} task {show_value(holder['name'])}"
    if holder.get("released"):
        return f"kept after its stop until {show_time(holder['free_at'])}"
    return f"held by {holder.get('task', 'another task')}"


def _show_expected(expected: Any) -> str:
    if isinstance(expected, Sequence) and not isinstance(expected, str):
        return " or ".join(printable(hide_secrets(str(each))) for each in expected)
    return printable(hide_secrets(str(expected)))


def show_attempt(attempt: Json) -> str:
    """What became of one post, and why it was made where that is unusual."""
    status = attempt["status"]
    if status is None:
        told = f"not delivered, {printable(hide_secrets(attempt['error'] or 'no answer'))}"
    elif 200 <= status < 300:
        told = "delivered"
    else:
        answer = f" {show_value(attempt['answer'])}" if attempt["answer"] else ""
        told = f"answered HTTP {status}{answer}"
    if attempt["cause"] is None:
        return told
    plan = f" of plan {attempt['plan']}" if attempt["plan"] else ""
    return f"{told} ({attempt['cause']}{plan})"
