"""Running tasks read from a snapshot: none that `startrtmp` would not have begun."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fakerelay import schemas
from fakerelay.core.addresses import read_address
from fakerelay.core.mixing import check_layout
from fakerelay.core.model import MIXED, NAME_FIELDS, SOURCE, Push, PushAddress, Task, TaskKey
from fakerelay.core.plain import is_deeper
from fakerelay.core.problems import Problem
from fakerelay.core.pushes import STATUS_NAMES, STOPPED
from fakerelay.snapshots.refusals import point, read_past, refuse

if TYPE_CHECKING:
    import jsonschema_rs

_MOST_LEVELS: Final = 200

Json = dict[str, Any]


class Tasks:
    """The tasks read so far, with who holds which address."""

    def __init__(self, appids: frozenset[int], shared: frozenset[str] | None, now: float) -> None:
        """`shared` are the addresses that several apps may hold; None for all of them."""
        self._appids = appids
        self._shared = shared
        self._now = now
        self._tasks: dict[TaskKey, Task] = {}
        self._holders: dict[str, set[int]] = {}

    def __iter__(self) -> Any:
        return iter(self._tasks.values())

    def read(self, data: Json, pointer: str) -> None:
        """Take one more. Raises ControlError."""
        key = read_key(data, self._appids, pointer)
        if key in self._tasks:
            field = NAME_FIELDS[key[1]]
            raise refuse(f"{pointer}/{field}", f"App {key[0]} has a task {key[2]!r} already")
        self._tasks[key] = Task(
            key,
            data["roomid"],
            tuple(
                self._read_push(key[0], push, f"{pointer}/pushes/{number}")
                for number, push in enumerate(data["pushes"])
            ),
            _read_mixconfig(data, key[1], pointer),
            read_past(data["started_at"], self._now, f"{pointer}/started_at"),
            read_past(data["updated_at"], self._now, f"{pointer}/updated_at"),
            int(data["revision"]),
        )

    def _read_push(self, appid: int, data: Json, pointer: str) -> Push:
        address = read_spelled(data["rtmpurl"], f"{pointer}/rtmpurl")
        self._claim(appid, address, pointer)
        status = int(data["status"])
        if status not in STATUS_NAMES or status == STOPPED:
            known = ", ".join(f"{n} {name}" for n, name in STATUS_NAMES.items() if n != STOPPED)
            detail = f"A running push has no status {status} (known: {known})"
            raise refuse(f"{pointer}/status", detail)
        return Push(address, status, read_past(data["since"], self._now, f"{pointer}/since"))

    def _claim(self, appid: int, address: PushAddress, pointer: str) -> None:
        holders = self._holders.setdefault(address.key, set())
        is_shared = self._shared is None or address.key in self._shared
        if appid in holders or (holders and not is_shared):
            detail = "Another task pushes to this address, or this one does twice"
            raise refuse(f"{pointer}/rtmpurl", f"{detail}: an address has one holder")
        holders.add(appid)


def read_key(data: Json, appids: frozenset[int], pointer: str) -> TaskKey:
    """The task that is named; its app is one of the snapshot's."""
    appid = int(data["appid"])
    if appid not in appids:
        raise refuse(f"{pointer}/appid", f"App {appid} is none of the snapshot's 'apps'")
    streamtype = MIXED if "taskid" in data else SOURCE
    return (appid, streamtype, data[NAME_FIELDS[streamtype]])


def read_spelled(text: str, pointer: str) -> PushAddress:
    """An address as somebody spelled it."""
    address = read_address(text)
    if isinstance(address, Problem):
        raise refuse(pointer, f"This is no push address: {address.facts['reason']}")
    return address


def read_plain(text: str, pointer: str) -> str:
    """The key of an address that stands there in its plain form."""
    key = read_spelled(text, pointer).key
    if key != text:
        raise refuse(pointer, f"This is not an address's plain form: write {key!r}")
    return key


def _read_mixconfig(data: Json, streamtype: int, pointer: str) -> Mapping[str, Any] | None:
    if (streamtype == MIXED) is not ("mixconfig" in data):
        detail = "A mixed task has a 'mixconfig', a source task ('uid') has none"
        raise refuse(f"{pointer}/mixconfig", detail)
    if streamtype != MIXED:
        return None
    pointer = f"{pointer}/mixconfig"
    mixconfig = _make_plain(data["mixconfig"], pointer)
    error = next(iter(_mixconfig_validator().iter_errors(mixconfig)), None)
    if error is not None:
        raise refuse(f"{pointer}{point(error.instance_path)}", str(error.message))
    problem = check_layout(mixconfig, data["roomid"])
    if problem is not None:
        steps = problem.facts["field"].replace("[", ".").replace("]", "").split(".")
        raise refuse(f"{pointer}{point(steps[1:])}", f"It {problem.facts['reason']}")
    return mixconfig


def _make_plain(mixconfig: Json, pointer: str) -> Json:
    """A copy of nothing but what JSON has, since fields nobody knows are kept as they are."""
    try:
        if is_deeper(mixconfig, _MOST_LEVELS):
            raise ValueError("nested too deeply")
        text = json.dumps(mixconfig, ensure_ascii=False, allow_nan=False)
        text.encode()
        plain: Json = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise refuse(pointer, f"This is no plain JSON: {error}") from None
    return plain


@cache
def _mixconfig_validator() -> "jsonschema_rs.Draft202012Validator":
    """What `startrtmp` asks of it."""
    import jsonschema_rs  # slow to load, and needed where a snapshot is read

    request = schemas.load_schema("startrtmp.request")
    return jsonschema_rs.Draft202012Validator(dict(request["then"]["properties"]["mixconfig"]))
