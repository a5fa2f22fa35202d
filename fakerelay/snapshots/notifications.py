"""Pending callbacks in a snapshot: what `Delivery` saves and restores, checked.

Each by itself, and whether all could wait for one another as they do: what waited for something
that never comes would be pending for ever.
"""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Final

from fakerelay.core.callbacks import DELIVERED, PENDING
from fakerelay.core.model import NAME_FIELDS
from fakerelay.errors import ConfigError
from fakerelay.faults import FaultError, read_plan
from fakerelay.snapshots.refusals import make_plain, refuse
from fakerelay.snapshots.tasks import read_key, read_spelled
from fakerelay.targets import check_callback_url

Json = dict[str, Any]
_INTEGERS: Final = ("number", "tries", "status")
_STOPPED: Final = 3
# What counts goes on counting, within what a snapshot may say.
_MOST_COUNTED: Final = 2**52
_MOST_AHEAD_SECONDS: Final = 2 * 31536000.0


def save_callbacks(saved: Mapping[str, Any]) -> Json:
    """What `Delivery.save` answers, with tasks named as everywhere in a snapshot."""
    return {**saved, "pending": [_save_pending(each) for each in saved["pending"]]}


def _save_pending(saved: Mapping[str, Any]) -> Json:
    appid, streamtype, name = saved["key"]
    left = {key: value for key, value in saved.items() if key not in ("key", "address_key")}
    return {"appid": appid, NAME_FIELDS[streamtype]: name, **left}


def read_callbacks(data: Mapping[str, Any] | None, appids: frozenset[int], now: float) -> Json:
    """What `Delivery.restore` takes. Raises ControlError."""
    if data is None:
        return {"count": 0, "holds": [], "pending": []}
    count = _read_count(data["count"], "/callbacks/count")
    pending: dict[int, Json] = {}
    msgids: set[str] = set()
    for index, each in enumerate(data["pending"]):
        pointer = f"/callbacks/pending/{index}"
        read = _read_pending(make_plain(each, pointer), appids, now, pointer)
        if not read["number"] <= count:
            raise refuse(f"{pointer}/number", f"There were only {count} so far")
        if pending.setdefault(read["number"], read) is not read:
            raise refuse(f"{pointer}/number", f"Number {read['number']} stands there twice")
        if read["msgid"] in msgids:
            raise refuse(f"{pointer}/msgid", f"Msgid {read['msgid']!r} stands there twice")
        msgids.add(read["msgid"])
    _check_together(pending)
    holds = [dict(each) for each in data["holds"]]
    return {"count": count, "holds": holds, "pending": list(pending.values())}


def _read_pending(data: Json, appids: frozenset[int], now: float, pointer: str) -> Json:
    key = read_key(data, appids, pointer)
    address = read_spelled(data["rtmpurl"], f"{pointer}/rtmpurl")
    try:
        check_callback_url(data["url"])
    except ConfigError as error:
        raise refuse(f"{pointer}/url", str(error)) from error
    _read_count(data["tries"], f"{pointer}/tries")
    due_at = data["next_attempt_at"]
    if due_at is not None and due_at > now + _MOST_AHEAD_SECONDS:
        detail = f"Nothing is put off until {due_at!r}: it is {now!r} now"
        raise refuse(f"{pointer}/next_attempt_at", detail)
    if data["fate"] is not None and data["fate"]["fault"] is not None:
        _check_fault(data["fate"]["fault"], f"{pointer}/fate/fault")
    _check_copies(data, pointer)
    integers = {name: int(data[name]) for name in _INTEGERS}
    return {"reason": None, **data, **integers, "key": list(key), "address_key": address.key}


def _read_count(count: float, pointer: str) -> int:
    if count > _MOST_COUNTED:
        raise refuse(pointer, f"{count!r} leaves no room to go on: at most {_MOST_COUNTED}")
    return int(count)


def _check_fault(fault: Json, pointer: str) -> None:
    """One that a plan could have asked for."""
    plan = {"on": "callback", "steps": [{**fault["settings"], "fault": fault["name"]}]}
    try:
        read_plan(plan, fault["plan"], 0.0)
    except FaultError as error:
        raise refuse(pointer, str(error)) from error


def _check_copies(data: Json, pointer: str) -> None:
    """Copies are left of what was delivered, and of nothing else."""
    fate = data["fate"] or {"fault": None, "copies_left": 0}
    fault = fate["fault"] or {"name": "", "settings": {}}
    is_due = fault["name"] == "duplicate" and fault["settings"].get("seconds")
    if data["state"] == DELIVERED and not (is_due and fate["copies_left"]):
        detail = "A delivered one is pending only while copies of it are to come"
        raise refuse(f"{pointer}/state", detail)
    most = fault["settings"].get("times", 1) if data["state"] == DELIVERED else 0
    if fate["copies_left"] > most:
        detail = f"At most {most} copies can be left of one that is {data['state']} and has met"
        raise refuse(f"{pointer}/fate/copies_left", f"{detail} {fault['name'] or 'no fault'!r}")


# How they fit together.


def _check_together(pending: Mapping[int, Json]) -> None:
    lanes = _read_lanes(pending.values())
    afters: dict[int, int] = {}
    for index, each in enumerate(pending.values()):
        fate, pointer = each["fate"], f"/callbacks/pending/{index}/fate"
        if fate is None:
            continue
        if fate["waits_for"]:
            _check_waiting(each, fate, f"{pointer}/waits_for")
        if fate["goes_after"] is not None:
            _check_order(each, pending.get(fate["goes_after"]), f"{pointer}/goes_after")
            other = afters.setdefault(fate["goes_after"], each["number"])
            if other != each["number"]:
                detail = f"Number {other} goes after {fate['goes_after']} already"
                raise refuse(f"{pointer}/goes_after", detail)
    if afters:
        _check_cycles(lanes, afters)


def _read_lanes(pending: Iterable[Json]) -> Iterable[list[int]]:
    """The numbers on each lane; the first of each has its turn, and so has what is on none."""
    lanes: dict[tuple[int, str], list[int]] = {}
    for each in pending:
        if _is_on_lane(each):
            lane = lanes.setdefault((each["key"][0], each["address_key"]), [])
            each["is_head"] = each["is_head"] or not lane
            lane.append(each["number"])
        else:
            each["is_head"] = True
    return lanes.values()


def _is_on_lane(data: Json) -> bool:
    fault = (data["fate"] or {}).get("fault") or {"name": ""}
    is_stale = fault["name"] == "stale_status" and data["status"] != _STOPPED
    return data["state"] == PENDING and not is_stale


def _check_waiting(data: Json, fate: Json, pointer: str) -> None:
    _read_count(fate["waits_for"], pointer)
    is_reordered = fate["fault"] is not None and fate["fault"]["name"] == "reorder"
    if not is_reordered or not fate["is_spent"] or not data["is_head"] or data["tries"]:
        detail = "Only one that has its turn, and has met 'reorder', waits for others"
        raise refuse(pointer, detail)
    if data["next_attempt_at"] is None:
        raise refuse(pointer, "One that waits for others goes anyway at its 'next_attempt_at'")


def _check_order(data: Json, before: Json | None, pointer: str) -> None:
    """As a release in an order of its own leaves it."""
    if before is None or before["state"] != PENDING or before["key"][0] != data["key"][0]:
        detail = f"Number {data['fate']['goes_after']} is no pending callback of the same app"
        raise refuse(pointer, detail)
    if not data["fate"]["is_spent"] or not (before["fate"] or {}).get("is_spent"):
        detail = "What was released in an order has met its fault: 'is_spent' of both"
        raise refuse(pointer, detail)


def _check_cycles(lanes: Iterable[list[int]], afters: Mapping[int, int]) -> None:
    waits: TopologicalSorter[int] = TopologicalSorter()
    for lane in lanes:
        for before, after in pairwise(lane):
            waits.add(after, before)
    for before, after in afters.items():
        waits.add(after, before)
    try:
        waits.prepare()
    except CycleError as error:
        detail = f"These wait for one another, in their lanes or for an order: {error.args[1][:20]}"
        raise refuse("/callbacks/pending", detail) from None
