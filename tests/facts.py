"""What the control plane would tell of a world, made up: plain JSON that keeps to its schemas."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fakerelay import schemas
from fakerelay.assertions import Assertions
from fakerelay.control.components import compile_component
from fakerelay.core.pushes import STATUS_NAMES

Json = dict[str, Any]
NOW: Final = 1_700_000_000.0
APPID: Final = 7
_PAGE: Final = 2


class Facts(Assertions):
    """A world whose lists have pages of two; `forgotten` requests and callbacks were evicted."""

    def __init__(
        self,
        *,
        tasks: Sequence[Json] = (),
        requests: Sequence[Json] = (),
        callbacks: Sequence[Json] = (),
        faults: Sequence[Json] = (),
        forgotten: int = 0,
        now: float = NOW,
    ) -> None:
        self._lists: Mapping[str, Sequence[Json]] = {
            "tasks": tasks,
            "requests": [{**each, "number": n} for n, each in enumerate(requests, forgotten + 1)],
            "callbacks": [{**each, "number": n} for n, each in enumerate(callbacks, 1)],
            "faults": faults,
            "apps": [app()],
        }
        self._forgotten = forgotten
        self._now = now
        for noun, items in self._lists.items():
            for item in items:
                compile_component(noun.removesuffix("s")).validate(item)

    def control(self, verb: str, /, **parameters: Any) -> Any:
        match verb:
            case "clock":
                clock = {"mode": "frozen", "now": self._now, "pending": 0, "next": []}
                return {"world": "w", **clock}
            case "profile":
                profile = schemas.read_json("profiles/default")
                return {"world": "w", "name": "default", "version": 1, "profile": profile}
        return self._page(verb, **parameters)

    def _page(self, noun: str, *, limit: int = 1000, offset: int = 0, appid: Any = None) -> Json:
        items = [each for each in self._lists[noun] if appid is None or each["appid"] == appid]
        has_forgotten = noun in ("requests", "callbacks")
        return {
            "items": items[offset : offset + min(limit, _PAGE)] if noun != "faults" else items,
            "total": len(items),
            "limit": limit,
            "offset": offset,
            "evicted": self._forgotten if has_forgotten else 0,
        }


def app() -> Json:
    names = {"appid": APPID, "world": "w", "account": "a"}
    return {**names, "callback_url": "http://127.0.0.1:9/cb", "live_rooms": {}}


def task(
    name: str,
    *addresses: str,
    mixed: bool = False,
    status: int = 0,
    appid: int = APPID,
    tiles: Sequence[tuple[str, str, int, int, int, int]] = (),
) -> Json:
    made: Json = {
        "world": "w",
        "appid": appid,
        **names(name, mixed=mixed),
        "kind": "mixed" if mixed else "source",
        "revision": 1,
        "started_at": NOW,
        "updated_at": NOW,
        "pushes": [push(address, status) for address in addresses],
    }
    if mixed:
        made["mixconfig"] = {"output": {}}
        made["output"] = {"width": 640, "height": 360}
        sides = ("uid", "roomid", "x", "y", "width", "height")
        made["tiles"] = [{**dict(zip(sides, tile, strict=True)), "zorder": 0} for tile in tiles]
    return made


def push(rtmpurl: str, status: int = 0) -> Json:
    number = None if status == -1 else status
    told = {"status": number, "status_name": STATUS_NAMES[status]}
    return {"rtmpurl": rtmpurl, **told, "since": NOW, "scheduled": []}


def names(name: str, *, mixed: bool = False, room: str = "room1") -> Json:
    streamtype, field = (1, "taskid") if mixed else (2, "uid")
    return {"roomid": room, "streamtype": streamtype, field: name}


def start(name: str, *addresses: str, mixed: bool = False, **changes: Any) -> Json:
    """An accepted `startrtmp`, but for the changes."""
    body = {"appid": APPID, **names(name, mixed=mixed), "rtmpurl": ",".join(addresses)}
    return request("startrtmp", body, **changes)


def stop(name: str, *addresses: str, mixed: bool = False, **changes: Any) -> Json:
    named = {"rtmpurl": ",".join(addresses)} if addresses else {}
    body = {"appid": APPID, **names(name, mixed=mixed), **named}
    return request("stoprtmp", body, **changes)


def request(operation: str | None, body: Any, **changes: Any) -> Json:
    """At the second `at` of the story."""
    at = changes.pop("at", 0.0)
    return {
        "number": 1,
        "world": "w",
        "at": NOW + at,
        "duration_seconds": 0.001,
        "method": "POST",
        "target": f"/app/{APPID}/v2/rtmpforward/{operation}?traceId=t",
        "operation": operation,
        "appid": APPID,
        "certificate_id": "cert",
        "traceid": "t",
        "status": 200,
        "code": 0,
        "accepted": True,
        "problem": None,
        "fault": None,
        "warnings": [],
        "body": body,
        "body_bytes": 100,
        **changes,
    }


def refusal(code: int, name: str, rule_id: str, **explanation: Any) -> Json:
    """What of a request is other where it was refused."""
    problem = {"name": name, "rule": rule(rule_id), **explanation}
    return {"code": code, "accepted": False, "problem": problem}


def rule(rule_id: str) -> Json:
    found = schemas.rulebook()[rule_id]
    return {"id": found.id, "level": found.level, "source": found.source, "text": found.text}


def met(fault: str, *decided: Json, told: str = "nothing", plan: str = "fault-1") -> Json:
    """What of a request is other where it met a fault."""
    done = {"status": 200, "code": 0, "accepted": True, "problem": None}
    shown = {"plan": plan, "step": 0, "fault": fault, "told": told}
    return {"fault": {**shown, "decided": [{**done, **each} for each in decided]}}


def callback(name: str, rtmpurl: str, status: int, **changes: Any) -> Json:
    """One that was delivered at once, caused by the call with the trace id `t`."""
    at, trace = NOW + changes.pop("at", 0.0), changes.pop("trace", "t")
    context = {"msgname": "m", "appid": APPID, **names(name), "rtmpurl": rtmpurl}
    context |= {"status": status, "starttime": 0, **({"traceId": trace} if trace else {})}
    return {
        "number": 1,
        "world": "w",
        "msgid": "m1",
        "state": "delivered",
        "reason": None,
        "held": False,
        "in_flight": False,
        "fault": None,
        "plan": None,
        "url": "http://127.0.0.1:9/cb",
        "at": at,
        "next_attempt_at": None,
        "attempts": [attempt(at)],
        "body": {"msgid": "m1", "context": context},
        **changes,
    }


def attempt(at: float, status: int | None = 200, **changes: Any) -> Json:
    return {
        "at": at,
        "status": status,
        "error": None if status else "No connection",
        "duration_seconds": 0.001,
        "url": "http://127.0.0.1:9/cb",
        "content_type": "application/json",
        "body": None,
        "answer": None,
        "cause": None,
        "plan": None,
        **changes,
    }


def plan(fault: str, times: int, *, of: int = 1, on: str = "call") -> Json:
    """A fault plan of one step, met so many times."""
    unmet = [] if times >= of else [0]
    return {
        "id": "fault-1",
        "world": "w",
        "on": on,
        "appid": None,
        "match": {},
        "seed": None,
        "steps": [{"fault": fault, "count": of, "met": times}],
        "current": unmet[0] if unmet else None,
        "unmet": unmet,
    }
