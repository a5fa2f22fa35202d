"""Assertions that fail, each with the facts it rests on.

Where their texts change on purpose: `python -m tests.assertions.failures` writes them anew.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.facts import (
    NOW,
    Facts,
    Json,
    attempt,
    callback,
    met,
    refusal,
    request,
    start,
    stop,
    task,
)

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "assertions"
CDN: Final = "rtmp://cdn.example.com/live"
ANNA: Final = f"{CDN}/anna"

Failure = tuple[Facts, Callable[[Facts], object]]


def taken(rtmpurl: str, holder: str) -> Json:
    held = {"kind": "source", "name": holder, "since": NOW}
    explained = {"field": "rtmpurl", "value": rtmpurl, "holder": held}
    expected = "an address no other task holds"
    return refusal(40901, "address_in_use", "address-unique", **explained, expected=expected)


def no_such_task() -> Json:
    explained = {"field": "uid", "value": "hanna", "expected": "a running task"}
    return refusal(40401, "task_not_found", "stop-running-task", **explained)


def no_type() -> Json:
    return refusal(40001, "invalid_parameter", "streamtype-field", field="streamtype", value=None)


def wrong_room() -> Json:
    explained = {"field": "roomid", "value": "room-1", "expected": "room1"}
    return refusal(40902, "room_mismatch", "stop-room", **explained)


MIX: Final = task(
    "mix",
    f"{CDN}/mix",
    mixed=True,
    tiles=[("anna", "room1", 0, 0, 320, 360), ("bob", "room1", 320, 0, 320, 360)],
)
CALLS: Final = Facts(
    requests=[
        start("anna", ANNA),
        start("bob", ANNA, **taken(ANNA, "anna")),
        start("mix", f"{CDN}/mix", mixed=True),
        stop("mix", mixed=True, **wrong_room()),
        request(None, "", method="GET", target="/health", status=404, code=40403, accepted=False),
    ]
)

FAILURES: Final[Mapping[str, Failure]] = {
    "pushing_never_started": (
        Facts(tasks=[task("anna", f"{ANNA}?key=s3cret")], requests=[start("anna", ANNA)]),
        lambda facts: facts.assert_pushing(f"{CDN}/ana"),
    ),
    "pushing_other_key": (
        Facts(tasks=[task("anna", f"{ANNA}?key=s3cret")]),
        lambda facts: facts.assert_pushing(f"{ANNA}?key=other"),
    ),
    "pushing_refused": (
        Facts(
            tasks=[task("anna", ANNA)],
            requests=[start("bob", f"{CDN}/bob", **taken(f"{CDN}/bob", "carl"))],
        ),
        lambda facts: facts.assert_pushing(f"{CDN}/bob"),
    ),
    "pushing_cdn_failed": (
        Facts(tasks=[task("anna", ANNA, status=1)], now=NOW + 5),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_connecting": (
        Facts(tasks=[task("anna", ANNA, status=-1)], now=NOW + 5),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_stopped": (
        Facts(requests=[start("anna", ANNA), stop("anna", at=3)]),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_left_out_by_update": (
        Facts(
            tasks=[task("anna", f"{CDN}/two")],
            requests=[start("anna", ANNA), start("anna", f"{CDN}/two", at=3)],
        ),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_stopped_by_the_vendor": (
        Facts(
            requests=[start("anna", ANNA)],
            callbacks=[
                callback("anna", ANNA, 0),
                callback("anna", ANNA, 1, at=2, trace=None),
                callback("anna", ANNA, 3, at=4, trace=None),
            ],
        ),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_second_of_two": (
        Facts(tasks=[task("anna", ANNA)], requests=[start("anna", ANNA)]),
        lambda facts: facts.assert_pushing(f"{ANNA},{CDN}/two"),
    ),
    "pushing_lost_request": (
        Facts(
            requests=[start("anna", ANNA, status=None, code=None, accepted=False, **met("hang"))]
        ),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "stopped_still_pushing": (
        Facts(
            tasks=[task("anna", ANNA)],
            requests=[start("anna", ANNA), stop("anna", at=3, **wrong_room())],
        ),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped_another_address": (
        Facts(
            tasks=[task("anna", ANNA)],
            requests=[start("anna", ANNA, f"{CDN}/two"), stop("anna", f"{CDN}/two", at=3)],
        ),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped_nobody_tried": (
        Facts(tasks=[task("anna", ANNA)], requests=[start("anna", ANNA)]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped_by_a_refused_stop_of_no_task": (
        Facts(
            tasks=[task("anna", ANNA)],
            requests=[
                start("anna", ANNA),
                request("stoprtmp", {"uid": "anna", "rtmpurl": f"{CDN}/two"}, at=1, **no_type()),
                stop("hanna", at=2, **no_such_task()),
                stop("hanna", at=3, **no_such_task()),
            ],
        ),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "pushing_refused_again_and_again": (
        Facts(
            requests=[
                *(start("bob", ANNA, at=n / 10, **taken(ANNA, "carl")) for n in range(57)),
                *(start(f"u{n}", ANNA, at=n + 7, **taken(ANNA, "carl")) for n in range(6)),
            ],
        ),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "pushing_spoiled_by_fault": (
        Facts(
            requests=[
                start(
                    "anna",
                    ANNA,
                    status=503,
                    code=None,
                    accepted=False,
                    **met("http_status", told="reply"),
                ),
                start("anna", ANNA, at=1, **met("truncate", {}, told="part")),
            ]
        ),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "layout_of_refused_task": (
        Facts(
            requests=[
                start("mix", ANNA, mixed=True, **taken(ANNA, "carl")),
                start("max", f"{CDN}/max", mixed=True),
            ]
        ),
        lambda facts: facts.assert_layout("mix", {}),
    ),
    "stopped_never_started": (
        Facts(requests=[start("anna", ANNA), stop("anna")]),
        lambda facts: facts.assert_stopped(f"{CDN}/hanna"),
    ),
    "stopped_only_refused": (
        Facts(requests=[start("anna", ANNA, **taken(ANNA, "bob"))]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped_after_eviction": (
        Facts(requests=[stop("bob"), start("bob", f"{CDN}/bob")], forgotten=12),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped_of_unknown_task": (
        Facts(requests=[stop("anna")]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "layout_differs": (
        Facts(tasks=[MIX]),
        lambda facts: facts.assert_layout(
            "mix", {"anna": (0, 0, 320, 180), "carl": (320, 0, 320, 360)}
        ),
    ),
    "layout_of_room_that_is_not_live": (
        Facts(
            tasks=[
                {
                    **task("mix", ANNA, mixed=True),
                    "mixconfig": {"templateid": 2, "output": {}},
                }
            ]
        ),
        lambda facts: facts.assert_layout("mix", {"anna": (0, 0, 640, 360)}),
    ),
    "layout_of_two_rooms": (
        Facts(
            tasks=[
                task(
                    "mix",
                    f"{CDN}/mix",
                    mixed=True,
                    tiles=[("anna", "room1", 0, 0, 320, 360), ("anna", "room2", 320, 0, 320, 360)],
                )
            ]
        ),
        lambda facts: facts.assert_layout(
            "mix", {("anna", "room1"): (0, 0, 320, 360), ("anna", "room2"): (0, 0, 320, 360)}
        ),
    ),
    "layout_of_no_task": (
        Facts(tasks=[MIX, task("anna", ANNA)]),
        lambda facts: facts.assert_layout("mixx", {}),
    ),
    "called_never": (CALLS, lambda facts: facts.assert_called("stoprtmp", taskid="max")),
    "called_with_other_fields": (
        CALLS,
        lambda facts: facts.assert_called(
            "startrtmp", times=1, uid="bob", rtmpurl=f"{CDN}/bob", accepted=True
        ),
    ),
    "called_too_often": (CALLS, lambda facts: facts.assert_called("startrtmp", times=1)),
    "called_though_it_should_not": (
        CALLS,
        lambda facts: facts.assert_called("startrtmp", times=0, rule="address-unique"),
    ),
    "called_only_the_other": (
        Facts(requests=[start("anna", ANNA)]),
        lambda facts: facts.assert_called("stoprtmp", uid="anna"),
    ),
    "called_nothing": (Facts(), lambda facts: facts.assert_called("startrtmp")),
    "called_after_eviction": (
        Facts(requests=[start("anna", ANNA)], forgotten=3),
        lambda facts: facts.assert_called("startrtmp", times=1),
    ),
    "leftovers": (
        Facts(
            tasks=[task("anna", f"{ANNA}?key=s3cret", status=1), MIX],
            callbacks=[
                callback("anna", ANNA, 0),
                callback(
                    "anna",
                    ANNA,
                    1,
                    state="pending",
                    next_attempt_at=NOW + 2,
                    attempts=[attempt(NOW, 500, answer="oops"), attempt(NOW + 1, None)],
                ),
                callback("anna", ANNA, 3, state="pending", held=True, attempts=[]),
                callback("bob", ANNA, 3, state="failed", reason="given up after 6 attempts"),
                callback("carl", ANNA, 3, state="dropped", reason="fault", attempts=[]),
            ],
        ),
        lambda facts: facts.assert_no_leftovers(),
    ),
    "leftovers_after_eviction": (
        Facts(callbacks=[callback("anna", ANNA, 0)], forgotten=3),
        lambda facts: facts.assert_no_leftovers(),
    ),
}


def tell(name: str) -> str:
    """The text of a failure."""
    facts, check = FAILURES[name]
    try:
        check(facts)
    except AssertionError as failure:
        return f"{failure}\n"
    raise LookupError(f"{name} doesn't fail")


def golden_file(name: str) -> Path:
    return GOLDEN / f"{name}.txt"


if __name__ == "__main__":
    for each in FAILURES:
        golden_file(each).write_text(tell(each), encoding="utf-8")
