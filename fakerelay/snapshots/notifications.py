"""Pending callbacks in a snapshot: what `Delivery` saves and restores, checked."""

from collections.abc import Mapping
from typing import Any

from fakerelay.core.model import NAME_FIELDS
from fakerelay.errors import ConfigError
from fakerelay.faults import FaultError, read_plan
from fakerelay.snapshots.refusals import make_plain, refuse
from fakerelay.snapshots.tasks import read_key, read_spelled
from fakerelay.targets import check_callback_url

Json = dict[str, Any]
_INTEGERS = ("number", "tries", "status")


def save_callbacks(saved: Mapping[str, Any]) -> Json:
    """What `Delivery.save` answers, with tasks named as everywhere in a snapshot."""
    return {**saved, "pending": [_save_pending(each) for each in saved["pending"]]}


def _save_pending(saved: Mapping[str, Any]) -> Json:
    appid, streamtype, name = saved["key"]
    left = {key: value for key, value in saved.items() if key not in ("key", "address_key")}
    return {"appid": appid, NAME_FIELDS[streamtype]: name, **left}


def read_callbacks(data: Mapping[str, Any] | None, appids: frozenset[int]) -> Json:
    """What `Delivery.restore` takes. Raises ControlError."""
    if data is None:
        return {"count": 0, "holds": [], "pending": []}
    pending: dict[int, Json] = {}
    for index, each in enumerate(data["pending"]):
        pointer = f"/callbacks/pending/{index}"
        read = _read_pending(make_plain(each, pointer), appids, pointer)
        if not read["number"] <= data["count"]:
            raise refuse(f"{pointer}/number", f"There were only {data['count']} so far")
        if pending.setdefault(read["number"], read) is not read:
            raise refuse(f"{pointer}/number", f"Number {read['number']} stands there twice")
    holds = [dict(each) for each in data["holds"]]
    return {"count": int(data["count"]), "holds": holds, "pending": list(pending.values())}


def _read_pending(data: Json, appids: frozenset[int], pointer: str) -> Json:
    key = read_key(data, appids, pointer)
    address = read_spelled(data["rtmpurl"], f"{pointer}/rtmpurl")
    try:
        check_callback_url(data["url"])
    except ConfigError as error:
        raise refuse(f"{pointer}/url", str(error)) from error
    if data["fate"] is not None and data["fate"]["fault"] is not None:
        _check_fault(data["fate"]["fault"], f"{pointer}/fate/fault")
    if data["state"] == "delivered":
        _check_copies(data["fate"] or {}, f"{pointer}/state")
    integers = {name: int(data[name]) for name in _INTEGERS}
    return {"reason": None, **data, **integers, "key": list(key), "address_key": address.key}


def _check_fault(fault: Json, pointer: str) -> None:
    """One that a plan could have asked for."""
    plan = {"on": "callback", "steps": [{**fault["settings"], "fault": fault["name"]}]}
    try:
        read_plan(plan, fault["plan"], 0.0)
    except FaultError as error:
        raise refuse(pointer, str(error)) from error


def _check_copies(fate: Json, pointer: str) -> None:
    fault = fate.get("fault") or {"name": "", "settings": {}}
    is_due = fault["name"] == "duplicate" and fault["settings"].get("seconds")
    if not is_due or fate["copies_left"] < 1:
        raise refuse(pointer, "A delivered one is pending only while copies of it are to come")
