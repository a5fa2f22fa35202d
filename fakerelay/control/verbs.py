"""The verbs of the control plane in one table; routes, OpenAPI, client and CLI come from it.

Values are described by `schemas/control/`: a parameter by its name in `parameters.json`, a body
and a reply by their file's name. The contract kit reads this too, so it imports next to nothing.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from fakerelay import schemas
from fakerelay.errors import ControlError, nearest

PREFIX: Final = "/_fakerelay/v1"
EVENT_STREAM: Final = "text/event-stream"
TARGETS: Final = ("appid", "world", "all")
"""What of these a verb that destroys gets in its query, one at least, says how much it takes."""

_NAMES = ("appid", "taskid", "uid", "roomid", "rtmpurl")
_PAGE = ("limit", "offset", "order", "world")
_WAIT = ("wait_seconds", "count")


class Verb(NamedTuple):
    """One thing that can be asked; `path` is relative to `PREFIX`.

    Without `reply` the answer is a text of `media_type`, or a stream. `is_open` ones need no token,
    and don't care for the `Host` header. The body of one that `replaces` is a whole document, so it
    may be large, and takes the place of what was there.
    """

    name: str
    method: str
    path: str
    doc: str
    query: tuple[str, ...] = ()
    body: str | None = None
    reply: str | None = None
    status: int = 200
    destroys: bool = False
    is_open: bool = False
    replaces: bool = False
    media_type: str = "application/json"

    @property
    def path_parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def parameters(self) -> tuple[str, ...]:
        """What stands in the URL, path first."""
        return self.path_parameters + self.query

    @property
    def needs_target(self) -> bool:
        """Whether it must be told what to destroy, since its path doesn't."""
        return self.destroys and not self.path_parameters

    @property
    def streams(self) -> bool:
        """Whether its answer goes on, event by event: it is asked by `stream`, not by `call`."""
        return self.media_type == EVENT_STREAM

    @property
    def waits(self) -> bool:
        return "wait_seconds" in self.query


_ROWS = (
    Verb("health", "GET", "health", "Say that the server answers, what it is and for how long.",
         reply="health", is_open=True),
    Verb("ca", "GET", "ca.pem", "The certificate of the local CA, for clients to trust.",
         is_open=True, media_type="application/x-pem-file"),
    Verb("worlds", "GET", "worlds", "List the worlds: each is a vendor service of its own.",
         reply="worlds"),
    Verb("create_world", "POST", "worlds",
         "Make a world with an app and a certificate that opens it; nowhere else is its key shown.",
         body="world.request", reply="world.created", status=201),
    Verb("delete_world", "DELETE", "worlds/{id}", "Drop a world with all it holds.",
         reply="world", destroys=True),
    Verb("apps", "GET", "apps", "List the apps.", query=("limit", "offset", "world"), reply="apps"),
    Verb("app", "GET", "apps/{appid}", "Show an app.", reply="app"),
    Verb("put_app", "PUT", "apps/{appid}",
         "Add an app, or change what the body names of one; null takes a callback URL away.",
         query=("world",), body="app.request", reply="app"),
    Verb("delete_app", "DELETE", "apps/{appid}",
         "Take an app away with its tasks and callbacks; nobody is notified.",
         reply="app", destroys=True),
    Verb("certificates", "GET", "certificates", "List the certificates, without their keys.",
         query=("appid", "limit", "offset", "world"), reply="certificates"),
    Verb("create_certificate", "POST", "certificates",
         "Make one more certificate for the account of an app; those it has stay active.",
         query=("world",), body="certificate.request", reply="certificate.created", status=201),
    Verb("revoke_certificate", "DELETE", "certificates/{certificate_id}",
         "Revoke a certificate, now or later: it stays listed, and opens nothing from then on.",
         query=("after_seconds", "world"), reply="certificate", destroys=True),
    Verb("tasks", "GET", "tasks",
         "List the running tasks with their tiles, output and the status of each push.",
         query=_NAMES + _PAGE + _WAIT, reply="tasks"),
    Verb("requests", "GET", "requests",
         "List the journal: what was asked of the vendor API, what was answered, and why.",
         query=(*_NAMES, "traceid", "code", "rule", "after", *_PAGE, *_WAIT), reply="requests"),
    Verb("clear_requests", "DELETE", "requests", "Empty the journal.",
         query=TARGETS, reply="cleared", destroys=True),
    Verb("callbacks", "GET", "callbacks", "List the notifications with every attempt to deliver.",
         query=(*_NAMES, "traceid", "msgid", "state", "status", "after", *_PAGE, *_WAIT),
         reply="callbacks"),
    Verb("hold_callbacks", "POST", "callbacks/hold",
         "Hold notifications back, those to come too, until they are released.",
         query=("world",), body="hold.request", reply="holds"),
    Verb("release_callbacks", "POST", "callbacks/release",
         "Let held notifications go: all, the next so many, or some in an order of your own.",
         query=("world",), body="release.request", reply="released"),
    Verb("replay_callbacks", "POST", "callbacks/replay",
         "Post notifications again, with the same msgid and body: some, or all failed ones.",
         query=("world",), body="replay.request", reply="replayed"),
    Verb("set_push_status", "POST", "pushes/status",
         "Let pushes of a task fail, or recover, as the vendor would notice by itself.",
         body="push_status.request", reply="task"),
    Verb("faults", "GET", "faults",
         "List the fault plans and how far each is; one that is over stays until it is taken away.",
         query=("appid", "world"), reply="faults"),
    Verb("create_fault", "POST", "faults",
         "Let something go wrong: a plan of steps for calls, callbacks or pushes that match.",
         query=("world",), body="fault.request", reply="fault", status=201),
    Verb("delete_fault", "DELETE", "faults/{fault_id}", "Take a fault plan away.",
         query=("world",), reply="fault", destroys=True),
    Verb("clear_faults", "DELETE", "faults", "Take fault plans away.",
         query=TARGETS, reply="faults.cleared", destroys=True),
    Verb("clock", "GET", "clock", "Show the time of a world, and what is due next.",
         query=("world",), reply="clock"),
    Verb("put_clock", "PUT", "clock",
         "Freeze a world's clock, let it run, or set it forward; no timer is lost.",
         query=("world",), body="clock.request", reply="clock"),
    Verb("advance_clock", "POST", "clock/advance",
         "Move a frozen clock, and answer what that did once all of it has been done.",
         query=("world",), body="advance.request", reply="advance"),
    Verb("scenarios", "GET", "scenarios", "List the scenarios: faults by a name, and what to see.",
         query=("world",), reply="scenarios"),
    Verb("scenario", "POST", "scenarios/{scenario}",
         "Begin a scenario: what goes wrong is told, and what to look for.",
         query=("world",), body="scenario.request", reply="scenario"),
    Verb("end_scenario", "DELETE", "scenarios/{scenario}",
         "End a scenario that goes on, in all worlds or one.",
         query=("world",), reply="scenario.ended", destroys=True),
    Verb("profile", "GET", "profile", "Show the profile in force, and its hash.",
         query=("world",), reply="profile"),
    Verb("put_profile", "PUT", "profile",
         "Lay a partial profile over the one in force, or over a shipped one it `extends`.",
         query=("world",), body="profile.request", reply="profile"),
    Verb("snapshot", "GET", "snapshot",
         "Save a world: all that it is, and what goes on in it, but not the journal.",
         query=("keys", "world"), reply="snapshot"),
    Verb("put_snapshot", "PUT", "snapshot",
         "Make a world what a snapshot says, or refuse and change nothing.",
         query=("world",), body="snapshot", reply="world", replaces=True),
    Verb("reset", "POST", "reset",
         "Forget tasks, journal, callbacks, holds and plans; apps, certificates and profile stay.",
         query=TARGETS, body="empty.request", reply="reset", destroys=True),
    Verb("events", "GET", "events",
         "Tell everything that happens as it does: calls, pushes, callbacks, faults, changes.",
         query=("world", "appid", "event", "after_event", "for_seconds", "most"),
         media_type=EVENT_STREAM),
    Verb("metrics", "GET", "metrics", "What goes on in numbers, for Prometheus.",
         query=("world",), media_type="text/plain; version=0.0.4"),
    Verb("openapi", "GET", "openapi.json", "The control plane as OpenAPI 3.1.", reply="document"),
    Verb("vendor_openapi", "GET", "vendor-openapi.json",
         "The vendor API as OpenAPI 3.1, with the apps and the statuses of a world.",
         query=("world",), reply="document"),
)  # fmt: skip

VERBS: Final[Mapping[str, Verb]] = MappingProxyType({verb.name: verb for verb in _ROWS})

VerbName = Literal[
    "health", "ca", "worlds", "create_world", "delete_world", "apps", "app", "put_app",
    "delete_app", "certificates", "create_certificate", "revoke_certificate", "tasks", "requests",
    "clear_requests", "callbacks", "hold_callbacks", "release_callbacks", "replay_callbacks",
    "set_push_status", "faults", "create_fault", "delete_fault", "clear_faults", "clock",
    "put_clock", "advance_clock", "scenarios", "scenario", "end_scenario", "profile", "put_profile",
    "snapshot", "put_snapshot", "reset", "events", "metrics", "openapi", "vendor_openapi",
]  # fmt: skip
"""The names again, for editors to complete."""


class Call(NamedTuple):
    """A verb with the values for its URL and its body."""

    verb: Verb
    parameters: dict[str, Any]
    body: dict[str, Any] | None


def find_verb(name: str) -> Verb:
    """The verb of a name, spelled with `_` or with `-`, as on the command line.

    Raises ControlError with the nearest one where there is none.
    """
    verb = VERBS.get(name.replace("-", "_"))
    if verb is None:
        detail = f"Unknown verb {name!r}{nearest(name, VERBS)}"
        raise ControlError("unknown_verb", detail, status=404)
    return verb


def make_call(name: str, parameters: Mapping[str, Any], *, streams: bool = False) -> Call:
    """Sort keyword arguments: what isn't the URL's is the body's, and None counts as left out."""
    verb = find_verb(name)
    if verb.streams != streams:
        raise _refuse_way(verb)
    given = dict(parameters)
    body = given.pop("body", None)
    url = {key: given.pop(key) for key in verb.parameters if key in given}
    url = {key: value for key, value in url.items() if value is not None}
    if verb.body is None and given:
        key = next(iter(given))
        hint = nearest(key, verb.parameters)
        raise ControlError("unknown_parameter", f"Unknown parameter {key!r} of {name}{hint}")
    return Call(verb, url, {**(body or {}), **given} if verb.body is not None else None)


def _refuse_way(verb: Verb) -> ControlError:
    if not verb.streams:
        return ControlError("not_a_stream", f"Ask {verb.name} by 'call'")
    way_out = f"'ControlClient(relay.control_url).stream(\"{verb.name}\")'"
    return ControlError(
        "a_stream", f"Ask {verb.name} by 'stream', within 'async with'; of a FakeRelay: {way_out}"
    )


@cache
def parameter_schemas() -> Mapping[str, Mapping[str, Any]]:
    """The JSON Schema of each parameter by its name; what has a `default` is filled in."""
    properties: dict[str, Any] = schemas.read_json("control/parameters")["properties"]
    properties["rule"]["enum"] = list(schemas.rulebook())
    properties["scenario"]["enum"] = list(schemas.read_json("scenarios"))
    return MappingProxyType(properties)
