"""What one notification says, and whether it has the form of one: pure."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from fakerelay import schemas
from fakerelay.contract.callbacks.arrivals import Arrival, Terms
from fakerelay.contract.excerpts import excerpt
from fakerelay.contract.judgements import Finding

ENVELOPE: Final = "callback-envelope"
CONTEXT: Final = "callback-context"
_JSON: Final = "application/json"
_MOST_SHOWN: Final = 400
# Milliseconds since 1970 have thirteen digits from 2001 to 2286; seconds have ten.
_MILLISECONDS: Final = range(10**12, 10**13)


class Told(NamedTuple):
    """The words of a notification whose form is right."""

    msgid: str
    notifytime: int
    appid: int
    room: str
    streamtype: int
    name: str
    address: str
    status: int
    starttime: int
    trace_id: str | None


def read_told(content: Any) -> Told:
    """Of a content that its schema allows."""
    context = content["context"]
    return Told(
        content["msgid"],
        content["notifytime"],
        context["appid"],
        context["roomid"],
        context["streamtype"],
        context["taskid" if context["streamtype"] == 1 else "uid"],
        context["rtmpurl"],
        context["status"],
        context["starttime"],
        context.get("traceId"),
    )


def compare_form(arrival: Arrival, terms: Terms) -> Iterator[tuple[Finding, bool]]:
    """What is expected of any notification, and whether it is so; the first that isn't decides."""
    kind = arrival.headers.get("content-type", "")
    content = arrival.content
    yield Finding(ENVELOPE, "a POST", arrival.method), arrival.method == "POST"
    is_json = kind.partition(";")[0].strip().lower() == _JSON
    yield Finding(ENVELOPE, f"Content-Type: {_JSON}", repr(kind)), is_json
    got = show(arrival)
    yield Finding(ENVELOPE, "an object in JSON", got), isinstance(content, dict)
    schema = schemas.load_schema("callback")
    for error in schemas.compile_reference("callback").iter_errors(content):
        rule = schemas.rule_of(schema, list(error.absolute_schema_path))
        where = ".".join(map(str, error.absolute_path)) or "it"
        yield Finding(rule, f"{where} as schemas/callback.json has it", error.message), False
    yield Finding("callback-statuses", "a status of 0 to 3", got), True
    yield from _compare_numbers(content, terms)
    times = {"notifytime": (ENVELOPE, content), "starttime": (CONTEXT, content["context"])}
    for name, (rule, place) in times.items():
        told = f"{name} {place[name]}"
        yield Finding(rule, f"{name} in ms since 1970", told), place[name] in _MILLISECONDS


def _compare_numbers(content: Any, terms: Terms) -> Iterator[tuple[Finding, bool]]:
    wanted = {"product": terms.product, "msgtype": terms.msgtype, "msgname": terms.msgname}
    for name, value in wanted.items():
        told = content["context"][name] if name == "msgname" else content[name]
        expected = f"{name} {value!r}"
        yield Finding("callback-numbers", expected, f"{name} {told!r}"), told == value


def show(arrival: Arrival) -> str:
    """A notification in one line."""
    return f"{arrival.method} {excerpt(arrival.body.decode('utf-8', 'replace'), _MOST_SHOWN)}"
