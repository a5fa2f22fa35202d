"""Fault plans as JSON and TOML give them: read whole before any of one acts, and shown again.

The vocabulary is data, `schemas/faults.json`: {on: {fault: acts, doc, settings}}, with what is
`required` of these, and the `only_status` of notifications that some act on.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args

from fakerelay import schemas
from fakerelay.core.addresses import is_possible_pattern
from fakerelay.core.delays import FIXED, SPREAD
from fakerelay.core.faults import Match, On, Plan, Step
from fakerelay.core.problems import FACTS
from fakerelay.errors import ConfigError, FakerelayError, nearest

if TYPE_CHECKING:
    import jsonschema_rs

ALWAYS: Final = "always"
KINDS: Final[tuple[On, ...]] = get_args(On)
_MATCH_FIELDS: Final = {
    "operation": "operation",
    "roomid": "room_id",
    "taskid": "task_id",
    "uid": "uid",
    "rtmpurl": "rtmpurl",
    "status": "status",
}
_STRANGE_FIELDS: Final[Mapping[On, tuple[str, ...]]] = {
    "call": ("status",),
    "callback": ("operation",),
    "push": ("operation", "status"),
}
_FRAMING: Final = ("connection", "content-length", "transfer-encoding")
_STEP_FIELDS: Final = ("fault", "count", "for_seconds", "probability")


class FaultError(FakerelayError):
    """A plan can't be used; `pointer` is the JSON pointer of the culprit."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


@cache
def vocabulary() -> Mapping[str, Mapping[str, Any]]:
    """{on: {fault: {acts, doc, settings, required}}}: all that can go wrong, and how to ask."""
    table: dict[str, Mapping[str, Any]] = schemas.read_json("faults")
    return table


def match_keys(on: On) -> list[str]:
    """What the `match` of a plan may name."""
    if on == "tls":
        return []
    return [name for name in _MATCH_FIELDS if name not in _STRANGE_FIELDS[on]]


def read_plan(data: Mapping[str, Any], plan_id: str, now: float) -> Plan:
    """A plan from its JSON form, which its schema has found valid but for the steps.

    Raises FaultError.
    """
    on: On = data.get("on", "call")
    if on == "tls":
        _check_tls(data)
    steps = tuple([_read_step(on, number, step, data) for number, step in enumerate(data["steps"])])
    seed = data.get("seed")
    chance = random.Random(seed).random if seed is not None else None
    return Plan(plan_id, on, read_match(on, data), steps, created_at=now, seed=seed, chance=chance)


def check_plans(items: Sequence[Mapping[str, Any]], origin: str) -> list[dict[str, Any]]:
    """The plans of a configuration, each with a name. Raises ConfigError, which says what where."""
    given = [each.get("id") for each in items if isinstance(each, Mapping)]
    free = (name for number in itertools.count(1) if (name := f"fault-{number}") not in given)
    return [_check_plan(number, each, given, free, origin) for number, each in enumerate(items)]


def _check_plan(
    number: int, data: Mapping[str, Any], given: Sequence[Any], free: Iterator[str], origin: str
) -> dict[str, Any]:
    schemas.check_settings("control/fault.request", data, origin, ("fault", number))
    plan_id = data["id"] if "id" in data else next(free)
    try:
        if given.count(plan_id) > 1:
            raise FaultError(
                "/id", f"Several plans are called {plan_id!r}; each needs its own name"
            )
        read_plan(data, plan_id, 0.0)
    except FaultError as error:
        raise ConfigError(f"{error} (at /fault/{number}{error.pointer} of {origin})") from error
    return {**data, "id": plan_id}


def write_plan(plan: Plan) -> dict[str, Any]:
    """The JSON form of a plan, with its id: `read_plan` makes the same one of it again."""
    written: dict[str, Any] = {"id": plan.id, "on": plan.on}
    if plan.match.appid is not None:
        written["appid"] = plan.match.appid
    if match := show_match(plan.match):
        written["match"] = match
    if plan.seed is not None:
        written["seed"] = plan.seed
    return {**written, "steps": [_show_step(step) for step in plan.steps]}


def show_plan(plan: Plan, now: float) -> dict[str, Any]:
    """What a plan says and how far it is."""
    is_over = plan.current(now) is None
    return {
        "id": plan.id,
        "on": plan.on,
        "appid": plan.match.appid,
        "match": show_match(plan.match),
        "seed": plan.seed,
        "steps": [
            {**_show_step(step), "met": met} for step, met in zip(plan.steps, plan.met, strict=True)
        ],
        "current": None if is_over else plan.position,
        "unmet": plan.unmet(),
    }


def _check_tls(data: Mapping[str, Any]) -> None:
    """A port shows one certificate, to whoever comes, until the plan is taken away."""
    way_out = "a plan on 'tls' is one fault that lasts until it is taken away"
    if data.get("match"):
        raise FaultError("/match", f"Nobody can tell by a handshake what will be asked: {way_out}")
    if len(data["steps"]) > 1:
        raise FaultError("/steps/1", f"Only one step here: {way_out}; make a plan for each")
    (step,) = data["steps"]
    for key in ("count", "for_seconds", "probability"):
        if step.get(key, ALWAYS) != ALWAYS:
            raise FaultError(f"/steps/0/{key}", f"No {key!r} here: {way_out}")


def show_match(match: Match) -> dict[str, Any]:
    """What is matched beside the app."""
    return {
        name: value
        for name, field in _MATCH_FIELDS.items()
        if (value := getattr(match, field)) is not None
    }


def read_match(on: On, data: Mapping[str, Any]) -> Match:
    """The `appid` and `match` of a plan, or of anything else that has them."""
    given = data.get("match", {})
    for name in _STRANGE_FIELDS.get(on, ()):
        if name in given:
            raise FaultError(f"/match/{name}", f"A {on} has no {name!r}: nothing would match")
    pattern = given.get("rtmpurl")
    if pattern is not None and not is_possible_pattern(pattern):
        detail = f"Pattern {pattern!r} matches no address: the whole one has to fit, so begin it"
        raise FaultError("/match/rtmpurl", f"{detail} with rtmp://, rtmps:// or a wildcard, as '*'")
    fields = {_MATCH_FIELDS[name]: value for name, value in given.items()}
    return Match(appid=data.get("appid"), **fields)


def _read_step(on: On, number: int, step: Mapping[str, Any], plan: Mapping[str, Any]) -> Step:
    where = f"/steps/{number}"
    name = step["fault"]
    known = vocabulary()[on]
    if name not in known:
        raise FaultError(f"{where}/fault", f"Unknown fault {name!r}{_find_hint(on, name)}")
    for field in known[name].get("required_match", ()):
        if field not in plan.get("match", {}):
            raise FaultError(f"/match/{field}", f"Fault {name!r} needs a match by {field!r}")
    settings = {key: value for key, value in step.items() if key not in _STEP_FIELDS}
    _check_settings(on, name, settings, where)
    if on == "call":
        _check_call(name, settings, where, plan)
    if step.get("probability") is not None and plan.get("seed") is None:
        raise FaultError("/seed", "A probability needs the plan's 'seed', an integer, to repeat it")
    if "count" in step and "for_seconds" in step:
        raise FaultError(f"{where}/count", "Give 'count' or 'for_seconds', not both")
    lasts = "for_seconds" in step or on == "tls"
    count = step.get("count", None if lasts else 1)
    return Step(
        name,
        settings,
        None if count == ALWAYS else count,
        step.get("for_seconds"),
        step.get("probability"),
        known[name].get("only_status"),
    )


def _check_call(
    fault: str, settings: Mapping[str, Any], where: str, plan: Mapping[str, Any]
) -> None:
    """What no schema of one setting can say."""
    if fault == "problem":
        _check_problem(settings, where)
    elif fault == "delay":
        _check_delay(settings, where, plan)
    elif fault == "http_status":
        _check_http(settings, where)


def _check_problem(settings: Mapping[str, Any], where: str) -> None:
    name = settings["name"]
    if name not in FACTS:
        raise FaultError(f"{where}/name", f"Unknown problem {name!r}{nearest(name, FACTS)}")
    for fact in settings.get("facts", ()):
        if fact not in FACTS[name]:
            hint = nearest(fact, FACTS[name]) or " (its message has nothing to fill in)"
            raise FaultError(f"{where}/facts/{fact}", f"Unknown fact {fact!r} of {name!r}{hint}")


def _check_delay(settings: Mapping[str, Any], where: str, plan: Mapping[str, Any]) -> None:
    kind = settings.get("distribution", FIXED)
    if kind != FIXED and plan.get("seed") is None:
        raise FaultError("/seed", f"A {kind} delay needs the plan's 'seed', an integer")
    if kind in SPREAD and "spread_seconds" not in settings:
        raise FaultError(f"{where}/spread_seconds", f"A {kind} delay needs 'spread_seconds'")
    if kind not in SPREAD and "spread_seconds" in settings:
        detail = f"A {kind} delay has no 'spread_seconds'; give a 'distribution' that does"
        raise FaultError(f"{where}/spread_seconds", f"{detail}: {', '.join(sorted(SPREAD))}")


def _check_http(settings: Mapping[str, Any], where: str) -> None:
    for header in settings.get("headers", ()):
        if header.lower() in _FRAMING:
            detail = f"Header {header!r} is the connection's own; leave it out"
            raise FaultError(f"{where}/headers/{header}", f"{detail}, or use 'truncate' or 'empty'")
    if settings["status"] in (204, 205, 304) and settings.get("body"):
        raise FaultError(f"{where}/body", f"A {settings['status']} has no body: leave it out")


def _find_hint(on: On, name: str) -> str:
    for kind in KINDS:
        if kind != on and name in vocabulary().get(kind, {}):
            return f" of a {on}: it is one of a {kind} ('on': {kind!r})"
    return nearest(name, vocabulary()[on])


def _check_settings(on: On, fault: str, settings: Mapping[str, Any], where: str) -> None:
    row = vocabulary()[on][fault]
    known = row["settings"]
    for key in settings:
        if key not in known:
            hint = nearest(key, [*known, *_STEP_FIELDS])
            raise FaultError(f"{where}/{key}", f"Unknown key {key!r} of fault {fault!r}{hint}")
    for key in row.get("required", ()):
        if key not in settings:
            about = known[key]["description"]
            raise FaultError(f"{where}/{key}", f"Fault {fault!r} needs {key!r}: {about}")
    error = next(iter(_compile(on, fault).iter_errors(dict(settings))), None)
    if error is not None:
        path = [*map(str, error.instance_path)]
        pointer = "/".join([where, *path])
        about = known[path[0]]["description"] if path else row["doc"]
        raise FaultError(pointer, f"{error.message}; {'.'.join(path)}: {about}")


@cache
def _compile(on: On, fault: str) -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs  # slow to load, and needed where a plan is read

    return jsonschema_rs.Draft202012Validator(
        {"type": "object", "properties": vocabulary()[on][fault]["settings"]}
    )


def _show_step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {"fault": step.fault, **step.settings}
    if step.for_seconds is not None:
        shown["for_seconds"] = step.for_seconds
    else:
        shown["count"] = ALWAYS if step.times is None else step.times
    if step.probability is not None:
        shown["probability"] = step.probability
    return shown
