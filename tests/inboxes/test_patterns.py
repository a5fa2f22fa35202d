"""Which callbacks fit what a test asks for, and what it can't ask for."""

from typing import Any

import pytest

from fakerelay.errors import FakerelayError
from fakerelay.inboxes.patterns import Pattern
from fakerelay.inboxes.received import read_received
from tests.inboxes.hosts import body

RECEIVED = read_received(0, body(status=1, rtmpurl="rtmp://CDN:1935/live/a"), {})
SPOILED = read_received(0, b"", {})
ODD = read_received(0, body(rtmpurl="no address"), {})


FITS: dict[str, dict[str, Any]] = {
    "anything": {},
    "status": {"status": 1},
    "status by name": {"status": "cdn_failed"},
    "address as spelled": {"rtmpurl": "rtmp://CDN:1935/live/a"},
    "address otherwise spelled": {"rtmpurl": "RTMP://cdn/live/a"},
    "no uid": {"uid": None},
    "all": {
        "status": 1,
        "appid": 7,
        "taskid": "main",
        "roomid": "lobby",
        "trace_id": "t-1",
        "msgid": "m-1",
    },
}


@pytest.mark.parametrize("fields", FITS.values(), ids=FITS.keys())
def test_callback_fits(fields: dict[str, Any]) -> None:
    assert Pattern(fields).fits(RECEIVED)
    assert Pattern(fields).differences(RECEIVED) == []


DIFFERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "status": ({"status": "pushing"}, ["status=1 (cdn_failed), wanted 0 (pushing)"]),
    "address": (
        {"rtmpurl": "rtmp://cdn/live/b"},
        ["rtmpurl=rtmp://CDN:1935/live/a, wanted rtmp://cdn/live/b"],
    ),
    "a field it doesn't have": ({"uid": "anna"}, ["uid=none, wanted 'anna'"]),
    "a field it should not have": ({"trace_id": None}, ["trace_id='t-1', wanted none"]),
    "one of two": ({"status": 1, "taskid": "side"}, ["taskid='main', wanted 'side'"]),
    "two": (
        {"msgid": "m-2", "roomid": "hall"},
        ["msgid='m-1', wanted 'm-2'", "roomid='lobby', wanted 'hall'"],
    ),
}


@pytest.mark.parametrize(("fields", "differences"), DIFFERS.values(), ids=DIFFERS.keys())
def test_differences_are_told(fields: dict[str, Any], differences: list[str]) -> None:
    assert not Pattern(fields).fits(RECEIVED)
    assert Pattern(fields).differences(RECEIVED) == differences


def test_difference_in_what_is_secret_is_told_without_it() -> None:
    received = read_received(0, body(rtmpurl="rtmp://a?key=ONE"), {})
    assert Pattern({"rtmpurl": "rtmp://a?key=TWO"}).differences(received) == [
        "rtmpurl=rtmp://a?key=***, wanted another value in what is not shown of it"
    ]


def test_spoiled_callback_fits_what_asks_for_no_field_of_it() -> None:
    assert Pattern({"status": None}).fits(SPOILED)
    assert not Pattern({"rtmpurl": "rtmp://a"}).fits(SPOILED)
    assert not Pattern({"rtmpurl": "rtmp://a"}).fits(ODD)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"trace": "t"}, "Unknown field of a callback 'trace' (did you mean 'trac"),
    "the wire's spelling": ({"traceId": "t"}, "'traceId' (did you mean 'trace_id'?)"),
    "unknown status": ({"status": "pushed"}, "Unknown status 'pushed' (did you mean 'pushing'?)"),
    "status that is never told": ({"status": "connecting"}, "Unknown status 'connecting'"),
    "status of no number": ({"status": 4}, "status=4 fits no callback: give one of 0 (pushing),"),
    "status of no kind": ({"status": []}, "status=[] fits no callback"),
    "true": ({"status": True}, "status=True fits no callback"),
    "number for a text": ({"taskid": 5}, "taskid=5 fits no callback: give a text, or None"),
    "text for a number": ({"appid": "7"}, "appid='7' fits no callback: give a number, or None"),
    "address of no kind": ({"rtmpurl": 1}, "rtmpurl=1 fits no callback: give a text, or None"),
    "no address": ({"rtmpurl": "http://a"}, "rtmpurl='http://a' fits no callback: an address beg"),
    "secret": ({"rtmpurl": "a?key=S3CRET"}, "rtmpurl='a?key=***' fits no callback"),
    "two addresses": ({"rtmpurl": "rtmp://a,rtmp://b"}, "tells of one push address"),
}


@pytest.mark.parametrize(("fields", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_fits_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FakerelayError) as caught:
        Pattern(fields)
    assert message in str(caught.value)


def test_pattern_is_shown_by_its_fields() -> None:
    assert str(Pattern({})) == ""
    shown = str(Pattern({"status": "stopped", "uid": None, "taskid": "main"}))
    assert shown == "status=3 (stopped), uid=none, taskid='main'"
