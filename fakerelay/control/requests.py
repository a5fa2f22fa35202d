"""The journal on the wire: each request, its answer, and the rule behind it explained."""

import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fakerelay import schemas
from fakerelay.control.listing import show_list
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.search import Listing
from fakerelay.core.addresses import address_key
from fakerelay.core.plain import clean_text, is_deeper
from fakerelay.core.problems import Problem, RuleWarning
from fakerelay.journal import Decided, Exchange, FaultMet
from fakerelay.tenants import Tenant

# Of what is shown: other languages' parsers take fewer levels than a call may have.
_MOST_LEVELS: Final = 50
_NAMES: Final = ("roomid", "taskid", "uid")
_NAMELESS: Final[Mapping[str, Any]] = MappingProxyType({})


async def list_requests(plane: Plane, values: Values, body: Json) -> Json:
    return await show_list(plane, REQUESTS, values)


async def clear_requests(plane: Plane, values: Values, body: Json) -> Json:
    return {"requests": clear(plane, values)}


def clear(plane: Plane, values: Values) -> int:
    """Drop what the targets of a verb that destroys name; how many there were."""
    appid = values["appid"]
    return sum(
        tenant.journal.clear(lambda exchange: appid is None or exchange.appid == appid)
        for tenant in plane.targets(values)
    )


def show_request(tenant: Tenant, exchange: Exchange) -> Json:
    return {
        "number": exchange.number,
        "world": tenant.id,
        "at": exchange.at,
        "duration_seconds": exchange.duration_seconds,
        "method": exchange.method,
        "target": clean_text(exchange.target),
        "operation": exchange.operation,
        "appid": exchange.appid,
        "certificate_id": exchange.certificate_id,
        "traceid": exchange.trace_id,
        "status": exchange.status,
        "code": exchange.code,
        "accepted": exchange.is_accepted,
        "problem": _show_problem(exchange.problem) if exchange.problem else None,
        "fault": _show_fault(exchange.fault) if exchange.fault else None,
        "warnings": [_show_warning(warning) for warning in exchange.warnings],
        "body": _read_body(exchange),
        "body_bytes": exchange.body_bytes,
    }


def _show_problem(problem: Problem) -> Json:
    explained = {key: _plain(value) for key, value in problem.explanation.items()}
    rule = _show_rule(problem.rule) if problem.rule else None
    return {"name": problem.name, "rule": rule, **explained}


def _show_fault(met: FaultMet) -> Json:
    return {
        "plan": met.plan_id,
        "step": met.step,
        "fault": met.fault,
        "decided": [_show_decided(decided) for decided in met.decided],
        "told": met.told,
    }


def _show_decided(decided: Decided) -> Json:
    problem = decided.problem
    return {
        "status": decided.status,
        "code": decided.code,
        "accepted": problem is None,
        "problem": _show_problem(problem) if problem else None,
    }


def _show_warning(warning: RuleWarning) -> Json:
    return {
        "rule": _show_rule(warning.rule) if warning.rule else None,
        "detail": warning.detail,
        "field": clean_text(warning.field) if warning.field is not None else None,
    }


def _show_rule(rule_id: str) -> Json:
    rule = schemas.rulebook()[rule_id]
    return {"id": rule.id, "level": rule.level, "source": rule.source, "text": rule.text}


def _read_body(exchange: Exchange) -> Json:
    """The object that was sent; where it is none, or wouldn't fit into JSON again, its text."""
    try:
        body = json.loads(exchange.body, parse_constant=float)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and not is_deeper(body, _MOST_LEVELS):
        return body
    return exchange.body.decode("utf-8", "replace")


def _plain(value: Any) -> Json:
    """A value of an explanation, fit for JSON."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (dict, list)) and is_deeper(value, _MOST_LEVELS - 1):
        return "nested too deeply to show"
    return dict(value) if isinstance(value, Mapping) else value


def _read_name(field: str) -> Callable[[Exchange], Any]:
    """A name as it was sent, whether or not the request got so far that it meant something."""
    return lambda exchange: _read_names(exchange).get(field)


def _read_names(exchange: Exchange) -> Mapping[str, Any]:
    """Read once and kept with the exchange: lists filter by them again and again."""
    if exchange.names is None:
        exchange.names = _parse_names(exchange)
    return exchange.names


def _parse_names(exchange: Exchange) -> Mapping[str, Any]:
    body = _read_body(exchange)
    if not isinstance(body, dict):
        return _NAMELESS
    names: dict[str, Any] = {name: body[name] for name in _NAMES if isinstance(body.get(name), str)}
    if isinstance(body.get("rtmpurl"), str):
        names["rtmpurl"] = frozenset(address_key(part) for part in body["rtmpurl"].split(","))
    return names


def _read_rules(exchange: Exchange) -> set[str | None]:
    return {exchange.rule, *(warning.rule or None for warning in exchange.warnings)}


def _read_codes(exchange: Exchange) -> Any:
    """What was told; of a call that met a fault, what was decided too."""
    if exchange.fault is None:
        return exchange.code
    return {exchange.code, *(decided.code for decided in exchange.fault.decided)}


REQUESTS: Final = Listing[Exchange](
    items=lambda tenant: tenant.journal,
    facts={
        "appid": lambda exchange: exchange.appid,
        "traceid": lambda exchange: exchange.trace_id,
        "code": _read_codes,
        "rule": _read_rules,
        "roomid": _read_name("roomid"),
        "taskid": _read_name("taskid"),
        "uid": _read_name("uid"),
        "rtmpurl": _read_name("rtmpurl"),
    },
    at=lambda exchange: exchange.at,
    render=show_request,
    watch=lambda tenant: tenant.journal.watch,
    evicted=lambda tenant: tenant.journal.evicted,
    number=lambda exchange: exchange.number,
    log=lambda tenant: tenant.journal,
)
