import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.callbacks import build_body, next_attempt_at
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import MIXED, SOURCE, PushAddress
from fakerelay.core.profile import CallbackPolicy
from fakerelay.schemas import compile_reference

POLICY = CallbackPolicy(
    product=2,
    msgtype=1,
    msgname="rtmptask_status",
    delay_seconds=0,
    timeout_seconds=5,
    retry_delays_seconds=(1, 2, 4, 8, 16),
)
SCHEMA = compile_reference("callback")
ADDRESS = PushAddress("RTMP://cdn:1935/live/a?key=1", "rtmp://cdn/live/a?key=1")


def event(kind: int = MIXED, trace_id: str | None = "t-1", status: int = 0) -> PushStatusChanged:
    return PushStatusChanged((7, kind, "name"), "room", ADDRESS, status, 12.5, trace_id)


def body(told: PushStatusChanged) -> Any:
    return json.loads(build_body(told, "m-1", 1700000000.1234, POLICY))


def test_body_tells_of_a_mixed_task_in_the_vendors_words() -> None:
    assert body(event()) == {
        "msgid": "m-1",
        "product": 2,
        "msgtype": 1,
        "notifytime": 1700000000123,
        "context": {
            "msgname": "rtmptask_status",
            "appid": 7,
            "roomid": "room",
            "streamtype": 1,
            "taskid": "name",
            "rtmpurl": "RTMP://cdn:1935/live/a?key=1",
            "status": 0,
            "starttime": 12500,
            "traceId": "t-1",
        },
    }


def test_body_names_the_uid_of_a_source_task_instead() -> None:
    context = body(event(SOURCE))["context"]
    assert (context["streamtype"], context["uid"], "taskid" in context) == (2, "name", False)


def test_body_has_no_trace_id_where_no_call_caused_it() -> None:
    assert "traceId" not in body(event(trace_id=None))["context"]


@given(
    st.builds(
        PushStatusChanged,
        st.tuples(st.integers(0, 2**64 - 1), st.sampled_from([MIXED, SOURCE]), st.text()),
        st.text(),
        st.just(ADDRESS),
        st.integers(0, 3),
        st.floats(0, 4e9),
        st.none() | st.text(),
    )
)
def test_body_fits_the_schema(told: PushStatusChanged) -> None:
    SCHEMA.validate(body(told))


@pytest.mark.parametrize(
    ("attempts_made", "expected"),
    [(1, 101), (2, 102), (3, 104), (4, 108), (5, 116), (6, None)],
)
def test_next_attempt_follows_the_schedule(attempts_made: int, expected: float | None) -> None:
    assert next_attempt_at(POLICY, attempts_made, 100) == expected


def test_next_attempt_never_comes_without_a_schedule() -> None:
    once = CallbackPolicy(2, 1, "rtmptask_status", 0, 5, ())
    assert next_attempt_at(once, 1, 100) is None
