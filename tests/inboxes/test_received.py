"""What is read of a callback, however spoiled."""

from typing import Any

import pytest

from fakerelay.inboxes.received import Received, read_received
from tests.inboxes.hosts import body


def read(raw: bytes) -> Received:
    return read_received(1000.5, raw, {"Content-Type": "application/json"})


def test_every_field_is_read() -> None:
    received = read(body(uid=None))
    assert (received.status, received.appid, received.rtmpurl) == (0, 7, "rtmp://cdn/live/a")
    assert (received.taskid, received.uid, received.roomid) == ("main", None, "lobby")
    assert (received.trace_id, received.msgid, received.at) == ("t-1", "m-1", 1000.5)
    assert received.message["context"]["msgname"] == "rtmptask_status"
    assert read(body(taskid=None, uid="anna", streamtype=2)).uid == "anna"


SPOILED: dict[str, tuple[bytes, Any]] = {
    "truncated": (body()[:40], None),
    "empty": (b"", None),
    "not UTF-8": (b"\xff\xfe{", None),
    "too deep": (b"[" * 100_000, None),
    "array": (b"[1]", [1]),
    "text": (b'"x"', "x"),
    "context of no kind": (b'{"context":[]}', {"context": []}),
    "fields of no kind": (
        b'{"msgid":1,"context":{"status":"0","rtmpurl":{},"taskid":1,"appid":true}}',
        {"msgid": 1, "context": {"status": "0", "rtmpurl": {}, "taskid": 1, "appid": True}},
    ),
}
FIELDS = ("status", "appid", "rtmpurl", "taskid", "uid", "roomid", "trace_id", "msgid")


@pytest.mark.parametrize(("raw", "message"), SPOILED.values(), ids=SPOILED.keys())
def test_spoiled_body_has_no_fields(raw: bytes, message: Any) -> None:
    received = read(raw)
    assert {name: getattr(received, name) for name in FIELDS} == dict.fromkeys(FIELDS)
    assert (received.raw, received.message) == (raw, message)


SHOWN = {
    "whole": (
        body(status=1, traceId=None),
        "status=1 (cdn_failed) rtmpurl=rtmp://cdn/live/a taskid='main' roomid='lobby' msgid='m-1',"
        " not answered",
    ),
    "secret": (
        b'{"context":{"status":0,"rtmpurl":"rtmp://u:S3CRET@a/x?key=S3CRET","uid":"a\\nb"}}',
        "status=0 (pushing) rtmpurl=rtmp://u:***@a/x?key=*** uid='a\\nb', not answered",
    ),
    "unknown status": (
        b'{"context":{"status":9,"rtmpurl":"rtmp://a"}}',
        "status=9 (unknown) rtmpurl=rtmp://a, not answered",
    ),
    "cut": (
        b'{"msgid":"m-1","rtmpurl":"rtmp://a?key=S3CRET',
        'body=\'{"msgid":"m-1","rtmpurl":"rtmp://a?key=***\', not answered',
    ),
    "without status": (
        b'{"context":{"rtmpurl":"rtmp://a"}}',
        'rtmpurl=rtmp://a body=\'{"context":{"rtmpurl":"rtmp://a"}}\', not answered',
    ),
    "long and odd": (
        b"\n\xff" + b"x" * 300,
        f"body='\\n\\ufffd{'x' * 191}..., not answered",
    ),
    "empty": (b"", "body='', not answered"),
}


@pytest.mark.parametrize(("raw", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_it_is_shown_in_a_line(raw: bytes, shown: str) -> None:
    received = read(raw)
    assert received.describe() == shown
    assert repr(received) == f"<Received {shown}>"


def test_it_shows_how_it_was_answered() -> None:
    received = read(b"")
    received.answered = 500
    assert received.describe() == "body='', answered 500"
    received.add_note("fail")
    assert received.describe() == "body='', answered 500 (fail)"
    received.add_note("late")
    assert received.describe() == "body='', answered 500 (fail: late)"
