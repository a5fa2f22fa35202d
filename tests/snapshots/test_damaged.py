"""Damaged snapshots are refused with the pointer to what is wrong."""

import copy
import json
import math

import pytest

from fakerelay.clock import LATEST
from fakerelay.errors import ControlError
from fakerelay.snapshots import render_lines
from tests.snapshots.damages import HUGE, MISSING, Damage, deep, meet, pending, put, put_snapshot
from tests.snapshots.worlds import NOW, Json, make_full_world, save


def again(pointer: str) -> Damage:
    """Damage that lists the first of a list once more."""
    return lambda snapshot: snapshot[pointer].append(copy.deepcopy(snapshot[pointer][0]))


def order(index: int, *, after: int) -> Damage:
    """Damage that has one pending callback go after another."""
    return lambda snapshot: meet(
        index, goes_after=pending(snapshot, after)["number"], is_spent=True
    )(snapshot)


def both(*damages: Damage) -> Damage:
    """All of these, one after the other."""

    def damage(snapshot: Json) -> None:
        for each in damages:
            each(snapshot)

    return damage


PUSH = {"rtmpurl": "rtmp://h/z", "status": 0, "since": NOW}
TASK = {
    "appid": 2, "uid": "z", "roomid": "r", "started_at": NOW, "updated_at": NOW, "revision": 1,
    "pushes": [PUSH],
}  # fmt: skip
SIX = [{**PUSH, "rtmpurl": f"rtmp://h/{n}"} for n in range(6)]
REORDER = {"plan": "p", "name": "reorder", "settings": {}}
DUPLICATE = {"plan": "p", "name": "duplicate", "settings": {"seconds": 1, "times": 2}}

DAMAGED: dict[str, tuple[Damage, str]] = {
    # What the schema finds.
    "another version": (put("/version", 2), "/version"),
    "another format": (put("/format", "tarball"), "/format"),
    "another version without its clock": (
        lambda snapshot: snapshot.update(version=2, clock=None), "/version",
    ),
    "nothing but another version": (
        lambda snapshot: [snapshot.pop(key) for key in list(snapshot) if key != "format"]
        and snapshot.update(version=2),
        "/version",
    ),
    "no version": (put("/version", MISSING), "/version"),
    "no tasks": (put("/tasks", MISSING), "/tasks"),
    "tasks are no list": (put("/tasks", {"0": 1}), "/tasks"),
    "unknown key": (put("/password", 1), "/password"),
    "unknown key of a task": (put("/tasks/0/__class__", 1), "/tasks/0/__class__"),
    "unknown key of a push": (put("/tasks/0/pushes/0/x", 1), "/tasks/0/pushes/0/x"),
    "time beyond all": (put("/clock/now", 1e300), "/clock/now"),
    "time beyond what a clock has": (put("/clock/now", LATEST + 1), "/clock/now"),
    "time before all": (put("/clock/now", -1), "/clock/now"),
    "time is infinite": (put("/clock/now", math.inf), "/clock/now"),
    "time is a text": (put("/tasks/0/started_at", "now"), "/tasks/0/started_at"),
    "huge appid": (put("/apps/0/appid", HUGE), "/apps/0/appid"),
    "negative revision": (put("/revision", -1), "/revision"),
    "no address": (put("/tasks/0/pushes", []), "/tasks/0/pushes"),
    "six addresses": (put("/tasks/0/pushes", SIX), "/tasks/0/pushes"),
    "path as a room": (put("/tasks/0/roomid", "../../etc/passwd"), "/tasks/0/roomid"),
    "task with two names": (put("/tasks/0/uid", "u"), "/tasks/0"),
    "certificate with a colon": (put("/certificates/0/id", "a:b"), "/certificates/0/id"),
    "endless flapping at once": (
        put("/outlooks/0/dues/0/pause_seconds", 0),
        "/outlooks/0/dues/0/pause_seconds",
    ),
    "mode of a clock": (put("/clock/mode", "backwards"), "/clock/mode"),
    # What has to fit together.
    "app twice": (again("apps"), "/apps/2/appid"),
    "certificate twice": (again("certificates"), "/certificates/2/id"),
    "task twice": (again("tasks"), "/tasks/2/taskid"),
    "plan twice": (again("faults"), "/faults/1/plan/id"),
    "outlook twice": (again("outlooks"), "/outlooks/1"),
    "task of no app": (put("/tasks/0/appid", 9), "/tasks/0/appid"),
    "release of no app": (put("/releases/0/appid", 9), "/releases/0/appid"),
    "calls of no app": (put("/calls/0/appid", 9), "/calls/0/appid"),
    "address of another task": (
        put("/tasks/-", {**TASK, "pushes": [{**PUSH, "rtmpurl": "rtmp://H/a"}]}),
        "/tasks/2/pushes/0/rtmpurl",
    ),
    "address twice in a task": (
        put("/tasks/-", {**TASK, "pushes": [PUSH, PUSH]}),
        "/tasks/2/pushes/1/rtmpurl",
    ),
    "no address at all": (put("/tasks/0/pushes/0/rtmpurl", "/etc"), "/tasks/0/pushes/0/rtmpurl"),
    "release not in the plain form": (
        put("/releases/0/rtmpurl", "RTMP://h/c"),
        "/releases/0/rtmpurl",
    ),
    "release for ever": (put("/releases/0/until", NOW + 1e9), "/releases/0/until"),
    "began tomorrow": (put("/tasks/1/started_at", NOW + 1e6), "/tasks/1/started_at"),
    "called tomorrow": (put("/calls/0/at", [NOW + 1e6]), "/calls/0/at/0"),
    "pushes that have stopped": (put("/tasks/0/pushes/0/status", 3), "/tasks/0/pushes/0/status"),
    "mixed without a layout": (put("/tasks/0/mixconfig", MISSING), "/tasks/0/mixconfig"),
    "source with a layout": (put("/tasks/1/mixconfig", {"output": {}}), "/tasks/1/mixconfig"),
    "template nobody knows": (
        put("/tasks/0/mixconfig/templateid", 9),
        "/tasks/0/mixconfig/templateid",
    ),
    "tile outside": (
        put("/tasks/0/mixconfig/input", [{"uid": "a", "x": 5000}]),
        "/tasks/0/mixconfig/input/0",
    ),
    "layout that is no JSON": (put("/tasks/0/mixconfig/more", math.nan), "/tasks/0/mixconfig"),
    "layout nested too deeply": (put("/tasks/0/mixconfig", deep(220)), "/tasks/0/mixconfig"),
    "profile of nobody": (put("/profile/address_scope", "world"), "/profile/address_scope"),
    "profile that was changed": (put("/profile/concurrent_pushes", 6), "/profile_hash"),
    "message with a fact nobody has": (
        put("/profile/errors/rate_limited/message", "{secret}"),
        "/profile",
    ),
    "callback URL": (put("/apps/0/callback_url", "file:///etc"), "/apps/0/callback_url"),
    "fault nobody knows": (
        put("/faults/0/plan/steps/0/fault", "rese"),
        "/faults/0/plan/steps/0/fault",
    ),
    "setting out of bounds": (
        put("/faults/0/plan/steps/1/status", 1000),
        "/faults/0/plan/steps/1/status",
    ),
    "plan without a name": (put("/faults/0/plan/id", MISSING), "/faults/0/plan/id"),
    "chance without a seed": (put("/faults/0/plan/seed", MISSING), "/faults/0/plan/seed"),
    "too many counts": (put("/faults/0/met", [0, 0, 0]), "/faults/0/met"),
    "beyond the last step": (put("/faults/0/position", 3), "/faults/0/position"),
    "too much chance": (put("/faults/0/draws", 10**9), "/faults/0/draws"),
    "outlook of no push": (put("/outlooks/0/rtmpurl", "rtmp://h/z"), "/outlooks/0/rtmpurl"),
    "callback of no app": (put("/callbacks/pending/0/appid", 9), "/callbacks/pending/0/appid"),
    "callback that is not counted": (put("/callbacks/count", 0), "/callbacks/pending/0/number"),
    "callback twice": (
        lambda snapshot: snapshot["callbacks"]["pending"].append(
            copy.deepcopy(snapshot["callbacks"]["pending"][0])
        ),
        "/callbacks/pending/5/number",
    ),
    "callback to a file": (
        put("/callbacks/pending/0/url", "file:///etc/passwd"),
        "/callbacks/pending/0/url",
    ),
    "callback that was delivered": (
        put("/callbacks/pending/0/state", "delivered"),
        "/callbacks/pending/0/state",
    ),
    "callback with a fault nobody knows": (
        meet(0, fault={"plan": "p", "name": "explode", "settings": {}}),
        "/callbacks/pending/0/fate/fault",
    ),
    # What waits for something must be let go by it.
    "callback that waits for others without its turn": (
        meet(3, fault=REORDER, is_spent=True, waits_for=1, next_attempt_at=NOW + 9),
        "/callbacks/pending/3/fate/waits_for",
    ),
    "callback that waits for others for ever": (
        meet(0, fault=REORDER, is_spent=True, waits_for=1, next_attempt_at=None, tries=0),
        "/callbacks/pending/0/fate/waits_for",
    ),
    "callback that waits for others without a reason": (
        meet(0, is_spent=True, waits_for=1, next_attempt_at=NOW + 9, tries=0),
        "/callbacks/pending/0/fate/waits_for",
    ),
    "callback that waits for a year in vain": (
        put("/callbacks/pending/0/next_attempt_at", NOW + 1e9),
        "/callbacks/pending/0/next_attempt_at",
    ),
    "copies of what has met another fault": (
        meet(0, fault={"plan": "p", "name": "corrupt", "settings": {}}, copies_left=5),
        "/callbacks/pending/0/fate/copies_left",
    ),
    "more copies than there were to be": (
        meet(0, fault=DUPLICATE, copies_left=3, state="delivered"),
        "/callbacks/pending/0/fate/copies_left",
    ),
    "callback that goes after one that is done": (
        meet(0, goes_after=77, is_spent=True),
        "/callbacks/pending/0/fate/goes_after",
    ),
    "two callbacks that go after the same": (
        both(meet(0, is_spent=True), order(1, after=0), order(2, after=0)),
        "/callbacks/pending/2/fate/goes_after",
    ),
    "callback that goes after one that may be overtaken": (
        both(meet(0, fault=REORDER), order(1, after=0)),
        "/callbacks/pending/1/fate/goes_after",
    ),
    "callbacks that go after each other": (
        both(order(0, after=1), order(1, after=0)),
        "/callbacks/pending",
    ),
    "callback that goes after one behind it": (
        both(meet(3, is_spent=True), order(2, after=3)),
        "/callbacks/pending",
    ),
    "msgid twice": (
        lambda snapshot: put("/callbacks/pending/1/msgid", pending(snapshot, 0)["msgid"])(snapshot),
        "/callbacks/pending/1/msgid",
    ),
    "no room to count on": (put("/callbacks/count", 2**53 - 1), "/callbacks/count"),
    "no room to try on": (
        put("/callbacks/pending/0/tries", 2**53 - 1),
        "/callbacks/pending/0/tries",
    ),
    "key that is missing": (
        put("/certificates/-", {"id": "new", "account": "a", "revoked_at": None}),
        "/certificates/2/key",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "pointer"), DAMAGED.values(), ids=DAMAGED.keys())
async def test_damaged_snapshot_is_refused_with_its_pointer(damage: Damage, pointer: str) -> None:
    tenants, tenant = await make_full_world()
    before = render_lines(save(tenant))
    snapshot = json.loads(before)
    damage(snapshot)
    with pytest.raises(ControlError) as caught:
        await put_snapshot(tenants, snapshot)
    assert caught.value.pointer == pointer, caught.value.detail
    assert caught.value.status in (400, 422)
    assert "secret" not in caught.value.detail.replace("{secret}", "")
    assert render_lines(save(tenant)) == before
