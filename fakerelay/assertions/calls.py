"""How often an operation was called with certain fields, and which call comes nearest."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from fakerelay import schemas
from fakerelay.core.addresses import address_key
from fakerelay.core.requests import START, STOP
from fakerelay.errors import FakerelayError, nearest
from fakerelay.evidence import Control, Json, Listed, read_list
from fakerelay.evidence.histories import split_addresses
from fakerelay.evidence.wording import (
    Told,
    body_of,
    count,
    explain_problem,
    name_call,
    show_outcome,
    show_told,
    show_value,
)

_MOST_LISTED: Final = 10
_NAMES: Final = ("taskid", "uid", "rtmpurl", "traceid")
_BODY_FIELDS: Final = ("roomid", "taskid", "uid", "rtmpurl", "streamtype", "mixconfig")


class Found(NamedTuple):
    """The requests that match, and what is wrong with how many there are."""

    requests: Sequence[Json]
    failure: str | None


def find_calls(
    control: Control, operation: str, times: int | None, fields: Mapping[str, Any]
) -> Found:
    """Raises FakerelayError for an operation, a field, a rule or a number that can't be."""
    _check(operation, times, fields)
    journal = read_list(control, "requests")
    _check_fields(fields, journal.items)
    found = [
        request
        for request in journal.items
        if request["operation"] == operation
        and all(_has(request, name, wanted) for name, wanted in fields.items())
    ]
    return Found(found, _judge(operation, times, fields, journal, found))


def _judge(
    operation: str,
    times: int | None,
    fields: Mapping[str, Any],
    journal: Listed,
    found: Sequence[Json],
) -> str | None:
    is_too_many = times is not None and len(found) > times
    is_enough = bool(found) if times is None else len(found) == times
    if journal.evicted and not is_too_many and not (times is None and found):
        return (
            f"Can't tell how often {operation} was called{_show_fields(fields)}:"
            f" the journal has forgotten {count(journal.evicted, 'request')}\n"
            f"  of the {len(journal.items)} left {len(found)} match; a larger journal would tell"
        )
    if is_enough:
        return None
    lines = _list_found(found) if found else _show_nearest(operation, fields, journal.items)
    return "\n".join([_tell(operation, times, fields, journal.items, found), *lines])


def _tell(
    operation: str,
    times: int | None,
    fields: Mapping[str, Any],
    requests: Sequence[Json],
    found: Sequence[Json],
) -> str:
    was = f"called {_times(len(found))}" if found else "not called"
    wanted = "at least once" if times is None else _times(times)
    calls = sum(request["operation"] == operation for request in requests)
    in_all = f"{calls} of {count(len(requests), 'request')} in all"
    return (
        f"{operation} was {was}{_show_fields(fields)} (wanted: {wanted};"
        f" {operation}s: {in_all if requests else 'none, the journal is empty'})"
    )


def _times(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


def _show_fields(fields: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{name}={show_value(value)}" for name, value in fields.items())
    return f" with {shown}" if shown else ""


def _list_found(found: Sequence[Json]) -> list[str]:
    lines = [f"  {line}" for line in show_told([_read_request(each) for each in found])]
    more = len(lines) - _MOST_LISTED
    return [*lines[:_MOST_LISTED], f"  and {more} more"] if more > 0 else lines


def _show_nearest(operation: str, fields: Mapping[str, Any], requests: Sequence[Json]) -> list[str]:
    """Of the requests with the most fields as wanted the latest, and what of it is not so."""
    if not requests:
        return []
    wanted = {"operation": operation, **fields}

    def nearness(request: Json) -> tuple[bool, int, int, int]:
        same = [name for name, value in wanted.items() if _has(request, name, value)]
        named = sum(name in _NAMES for name in same)
        return request["operation"] == operation, len(same), named, request["number"]

    best = max(requests, key=nearness)
    rows = [
        (name, show_value(value), show_value(_read(best, name)), _has(best, name, value))
        for name, value in wanted.items()
        if name in fields or best["operation"] != operation
    ]
    return [f"  nearest: {_tell_request(best)}", *_render(rows)]


def _tell_request(request: Json) -> str:
    return show_told([_read_request(request)])[0]


def _read_request(request: Json) -> Told:
    told = f"{name_call(request)} {show_outcome(request)}"
    reasons = explain_problem(request["problem"]) if request["problem"] else ()
    return Told(f"request {request['number']}", "; ".join([told, *reasons]))


def _render(rows: Sequence[tuple[str, str, str, bool]]) -> list[str]:
    width = max((len(name) for name, *_ in rows), default=0)
    lines = []
    for name, wanted, got, is_same in rows:
        if is_same:
            lines.append(f"    {name:{width}}  {got}")
        else:
            lines.append(f"  > {name:{width}}  wanted {wanted}")
            lines.append(f"    {'':{width}}  got    {got}")
    return lines


# What of a request a field is.


def _read(request: Json, name: str) -> Any:
    """What a request has of a field, as it is shown."""
    if name == "rule":
        return sorted(_read_rules(request)) or None
    if name in _ENTRY_FIELDS:
        return request[name]
    return body_of(request).get(name)


def _has(request: Json, name: str, wanted: Any) -> bool:
    return _COMPARISONS.get(name, _is_same)(request, name, wanted)


def _is_same(request: Json, name: str, wanted: Any) -> bool:
    got = _read(request, name)
    return bool(got == wanted) and isinstance(got, bool) == isinstance(wanted, bool)


def _has_addresses(request: Json, name: str, wanted: Any) -> bool:
    """Whether those that are wanted are among the request's; None is without any."""
    if wanted is None:
        return body_of(request).get(name) is None
    got = split_addresses(body_of(request).get(name))
    return bool(got) and all(address_key(text) in got for text in _split(wanted))


def _has_rule(request: Json, name: str, wanted: Any) -> bool:
    return wanted in _read_rules(request) if wanted is not None else request["problem"] is None


def _has_code(request: Json, name: str, wanted: Any) -> bool:
    """What was told; of a call that met a fault, what was decided too."""
    decided = request["fault"]["decided"] if request["fault"] else ()
    return wanted in (request["code"], *(each["code"] for each in decided))


def _read_rules(request: Json) -> set[str]:
    """Those that refused it, or warn of it."""
    told = [request["problem"] or {}, *request["warnings"]]
    return {each["rule"]["id"] for each in told if each.get("rule")}


def _split(rtmpurl: Any) -> Sequence[str]:
    if isinstance(rtmpurl, str):
        return rtmpurl.split(",")
    if isinstance(rtmpurl, Sequence) and rtmpurl and all(isinstance(each, str) for each in rtmpurl):
        return rtmpurl
    raise FakerelayError(f"Can't use {rtmpurl!r} as 'rtmpurl': give an address, or several")


_ENTRY_FIELDS: Final = ("appid", "traceid", "code", "rule", "accepted", "status", "operation")
_COMPARISONS: Final[Mapping[str, Callable[[Json, str, Any], bool]]] = MappingProxyType(
    {"rtmpurl": _has_addresses, "rule": _has_rule, "code": _has_code}
)


# What can't be asked.


def _check(operation: str, times: int | None, fields: Mapping[str, Any]) -> None:
    if operation not in (START, STOP):
        raise FakerelayError(
            f"Unknown operation {operation!r}{nearest(str(operation), (START, STOP))}"
        )
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise FakerelayError(f"Can't use {times!r} as 'times': give how often, or None for ever")
    rule = fields.get("rule")
    if rule is not None and rule not in schemas.rulebook():
        raise FakerelayError(f"Unknown rule {rule!r}{nearest(str(rule), schemas.rulebook())}")
    if fields.get("rtmpurl") is not None:
        _split(fields["rtmpurl"])


def _check_fields(fields: Mapping[str, Any], requests: Sequence[Json]) -> None:
    """A field that no request has is mistyped: then it would never be called with it, unnoticed."""
    known = {*_BODY_FIELDS, *_ENTRY_FIELDS} - {"operation"}
    known |= {name for request in requests for name in body_of(request)}
    for name in fields:
        if name not in known:
            raise FakerelayError(f"No request has a field {name!r}{nearest(name, known)}")
