"""What is told, held against what was foreseen: values in, values out."""

import json
from typing import Any

import pytest

from fakerelay.contract.callbacks.arrivals import Answer, Arrival
from fakerelay.contract.operations import Start, Stop
from tests.contract.callbacks.stories import JSON, REFUSED, Story, rules

START, STOP = Start(0, (0, 1)), Stop(0)
UPDATE = Start(0, (1, 2))
HOUR = 3_600_000
NOW = 1_700_000_100_100
ENVELOPE, CONTEXT = "callback-envelope", "callback-context"


def played(*operations: Any) -> Story:
    story = Story()
    story.do(*operations)
    story.end()
    return story


def test_all_that_is_right_is_right_in_any_order_of_addresses() -> None:
    story = played(START, UPDATE, STOP)
    by_address = sorted(story.ledger.foreseen, key=lambda each: -each.symbol)
    assert story.judge(map(story.tell, by_address)) == []
    assert {"callback-start", "callback-update", "callback-stop"} <= story.book.counts.keys()


SPOILED = {
    "another address": ({"rtmpurl": "rtmp://elsewhere/live"}, CONTEXT),
    "addresses in one": (
        {"rtmpurl": "rtmp://push.invalid/live/run-1-0,rtmp://push.invalid/live/run-1-1"},
        "callback-per-address",
    ),
    "another status": ({"status": 3}, "callback-start"),
    "no such status": ({"status": 4}, "callback-statuses"),
    "a status in words": ({"status": "0"}, "callback-statuses"),
    "another user": ({"uid": "t0-run-1x"}, CONTEXT),
    "another room": ({"roomid": "r0-run-1x"}, ENVELOPE),
    "the other app": ({"appid": 7102}, ENVELOPE),
    "another trace": ({"traceId": "run-1-77"}, CONTEXT),
    "no trace": ({"traceId": None}, CONTEXT),
    "the other streamtype": ({"streamtype": 1}, CONTEXT),
    "no starttime": ({"starttime": None}, CONTEXT),
    "starttime in seconds": ({"starttime": NOW // 1000}, CONTEXT),
    "starttime an hour ago": ({"starttime": NOW - HOUR}, CONTEXT),
    "notifytime in seconds": ({"notifytime": NOW // 1000}, ENVELOPE),
    "notifytime of another zone": ({"notifytime": NOW + 8 * HOUR}, ENVELOPE),
    "another product": ({"product": 1}, "callback-numbers"),
    "another msgtype": ({"msgtype": 2}, "callback-numbers"),
    "another msgname": ({"msgname": "task"}, "callback-numbers"),
    "no msgid": ({"msgid": None}, ENVELOPE),
    "msgid a number": ({"msgid": 5}, ENVELOPE),
    "product in words": ({"product": "2"}, ENVELOPE),
}


@pytest.mark.parametrize(("changes", "rule"), SPOILED.values(), ids=SPOILED.keys())
def test_what_is_wrong_is_a_finding_of_its_call(changes: dict[str, Any], rule: str) -> None:
    story = played(START)
    (found,) = story.judge([story.tell(story.ledger.foreseen[0], **changes)])
    assert found.finding.rule == rule
    assert [call.number for call in found.calls] == [0]


def test_one_task_has_one_starttime() -> None:
    story = played(START, UPDATE)
    first, second, left, _came = map(story.tell, story.ledger.foreseen)
    late = story.tell(story.ledger.foreseen[3], starttime=NOW + 100)
    assert rules(story.judge([first, second, left, late])) == [CONTEXT]


def replace(arrival: Arrival, **changes: Any) -> Arrival:
    return arrival._replace(**changes)


SENT = {
    "PUT": ({"method": "PUT"}, ENVELOPE),
    "text": ({"headers": {"content-type": "text/plain"}}, ENVELOPE),
    "no content type": ({"headers": {}}, ENVELOPE),
    "a list": ({"body": b'["rtmp://push.invalid/live/run-1-0"]'}, ENVELOPE),
    "no JSON": ({"body": b"pushing rtmp://push.invalid/live/run-1-0"}, ENVELOPE),
    "a form of its own": ({"body": b'{"push": "rtmp://push.invalid/live/run-1-0"}'}, ENVELOPE),
}


@pytest.mark.parametrize(("changes", "rule"), SENT.values(), ids=SENT.keys())
def test_how_it_is_sent_is_judged(changes: dict[str, Any], rule: str) -> None:
    story = played(START)
    arrival = replace(story.tell(story.ledger.foreseen[0]), **changes)
    assert rules(story.judge([arrival])) == [rule]


def test_content_type_may_have_parameters_and_any_case() -> None:
    story = played(START)
    headers = {"content-type": "Application/JSON; charset=UTF-8"}
    assert story.judge([replace(story.tell(story.ledger.foreseen[0]), headers=headers)]) == []


STRANGE: dict[str, dict[str, Any]] = {
    "of another run": {
        "rtmpurl": "rtmp://push.invalid/live/other-1-0",
        "roomid": "r0-other-1",
        "uid": "t0-other-1",
        "traceId": "other-1-1",
    },
    "the CDN's doing": {"status": 1, "traceId": None},
    "the vendor's doing": {"status": 2, "traceId": None},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE.keys())
def test_what_no_call_caused_is_left_alone(changes: dict[str, Any]) -> None:
    story = played(START)
    assert story.judge([story.tell(story.ledger.foreseen[0], **changes)]) == []


def test_request_without_an_address_is_not_what_mail_of_another_run_is_about() -> None:
    story = Story()
    story.do(START)
    story.do(Start(3, (3,), flaw="rtmpurl empty"), is_accepted=False)
    (told, _other) = story.end()
    assert story.judge([story.tell(told, **STRANGE["of another run"])]) == []


def test_room_that_is_live_is_not_of_one_run_alone() -> None:
    story = Story(live_rooms=["hall"])
    story.do(START)
    (told, _other) = story.end()
    strange = STRANGE["of another run"] | {"roomid": "hall"}
    assert story.judge([story.tell(told, **strange)]) == []


@pytest.mark.parametrize("body", [b"", b"hello", b"{}", b'{"context": 5}', b"\xff", b"[[]]"])
def test_mail_of_others_is_left_alone(body: bytes) -> None:
    story = played(START)
    assert story.judge([Arrival(100.0, "POST", "/", JSON, body, Answer())]) == []


def test_what_stays_is_not_told() -> None:
    story = played(START, UPDATE)
    told = [story.tell(each) for each in story.ledger.foreseen]
    kept = story.tell(
        story.ledger.foreseen[3], rtmpurl="rtmp://push.invalid/live/run-1-1", msgid="kept"
    )
    (found,) = story.judge([*told, kept])
    assert found.finding.rule == "callback-update"
    assert [call.number for call in found.calls] == [1]


def test_refused_call_changes_nothing() -> None:
    story = Story()
    story.do(START)
    story.do(Start(1, (0,)), is_accepted=False)
    first = story.end()[0]
    trace_id = story.ledger.calls[1].step.request.trace_id
    surplus = story.tell(first, traceId=trace_id, uid="t1-run-1")
    assert rules(story.judge([surplus])) == ["refusal-changes-nothing"]


def test_repetition_is_fine_at_any_time() -> None:
    story = played(START, STOP)
    told = [story.tell(each) for each in story.ledger.foreseen]
    assert story.judge([*told, *told]) == []


def test_second_notification_of_a_change_is_one_too_many() -> None:
    story = played(START)
    first = story.ledger.foreseen[0]
    assert rules(story.judge([story.tell(first), story.tell(first, msgid="other")])) == [
        "callback-per-address"
    ]


@pytest.mark.parametrize("changes", [{"msgid": "other"}, {"notifytime": NOW + 1000}])
def test_attempts_are_all_the_same(changes: dict[str, Any]) -> None:
    story = played(START)
    first = story.ledger.foreseen[0]
    told = [story.tell(first, answer=REFUSED), story.tell(first, after=1.0, **changes)]
    assert rules(story.judge(told)) == ["callback-at-least-once"]


def test_msgid_is_of_one_notification() -> None:
    story = played(START)
    told = [story.tell(each, msgid="same") for each in story.ledger.foreseen]
    assert rules(story.judge(told)) == [ENVELOPE]


def test_later_status_waits_for_the_earlier() -> None:
    story = played(Start(0, (0,)), STOP)
    start, stop = story.ledger.foreseen
    (found,) = story.judge([story.tell(stop), story.tell(start)])
    assert found.finding.rule == "callback-order"
    assert [call.number for call in found.calls] == [0, 1]


def test_later_status_waits_for_the_retries_of_the_earlier() -> None:
    story = played(Start(0, (0,)), STOP)
    start, stop = story.ledger.foreseen
    told = [story.tell(start, answer=REFUSED), story.tell(stop), story.tell(start, after=1.0)]
    assert rules(story.judge(told)) == ["callback-order"]


def test_once_too_early_may_be_a_thread_that_slept_twice_is_none() -> None:
    story = played(START)
    first, second = (story.tell(each, after=-0.2) for each in story.ledger.foreseen)
    assert story.judge([first]) == []
    assert rules(story.judge([second])) == ["callback-after-reply"]


def test_two_too_early_of_many_may_be_a_thread_that_slept_twice() -> None:
    story = played(START, STOP, START, STOP, START, STOP)
    *soon, first, second = story.ledger.foreseen
    assert story.judge(map(story.tell, soon)) == []
    assert story.judge(story.tell(each, after=-0.2) for each in (first, second)) == []


def test_notifytime_is_when_it_changed_not_when_it_was_told() -> None:
    story = played(Start(0, (0,)), STOP)
    start, stop = story.ledger.foreseen
    told = [story.tell(start, answer=REFUSED), story.tell(start, after=3.0)]
    assert story.judge(told) == []
    late = NOW + 3000
    assert rules(story.judge([story.tell(stop, after=3.0, notifytime=late)])) == [
        "callback-notifytime"
    ]


def test_finding_shows_what_was_told() -> None:
    story = played(START)
    arrival = story.tell(story.ledger.foreseen[0], status=3)
    (found,) = story.judge([arrival])
    assert found.finding.expected == "status 0 for rtmp://push.invalid/live/run-1-0"
    assert json.loads(found.finding.got.removeprefix("POST ")) == json.loads(arrival.body)
