"""Running tasks read from a snapshot: none that `startrtmp` would not have begun."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from fakerelay import schemas
from fakerelay.core.addresses import read_address
from fakerelay.core.mixing import check_layout
from fakerelay.core.model import MIXED, NAME_FIELDS, SOURCE, Push, PushAddress, Task, TaskKey
from fakerelay.core.problems import Problem
from fakerelay.core.pushes import STATUS_NAMES, STOPPED
from fakerelay.snapshots.refusals import make_plain, point, read_past, refuse

if TYPE_CHECKING:
    import jsonschema_rs

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

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def read_outlook(self, data: Json, pointer: str) -> Json:
        """What is to come of a push, as `Cdn` saves it. Raises ControlError."""
        key = read_key(data, self._appids, pointer)
        address_key = read_plain(data["rtmpurl"], f"{pointer}/rtmpurl")
        task = self._tasks.get(key)
        if task is None or task.find_push(address_key) is None:
            detail = f"No task {key[2]!r} of app {key[0]} pushes to this address"
            raise refuse(f"{pointer}/rtmpurl", detail)
        return {
            "appid": key[0],
            "streamtype": key[1],
            "name": key[2],
            "address": address_key,
            "failures": int(data["failures"]),
            "retry_at": data["retry_at"],
            "dues": [dict(due) for due in data["dues"]],
        }

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
    mixconfig = make_plain(data["mixconfig"], pointer)
    error = next(iter(_mixconfig_validator().iter_errors(mixconfig)), None)
    if error is not None:
        raise refuse(f"{pointer}{point(error.instance_path)}", str(error.message))
    problem = check_layout(mixconfig, data["roomid"])
    if problem is not None:
        steps = problem.facts["field"].replace("[", ".").replace("]", "").split(".")
        raise refuse(f"{pointer}{point(steps[1:])}", f"It {problem.facts['reason']}")
    return mixconfig


@cache
def _mixconfig_validator() -> "jsonschema_rs.Draft202012Validator":
    """What `startrtmp` asks of it."""
    import jsonschema_rs  # slow to load, and needed where a snapshot is read

    request = schemas.load_schema("startrtmp.request")
    return jsonschema_rs.Draft202012Validator(dict(request["then"]["properties"]["mixconfig"]))
