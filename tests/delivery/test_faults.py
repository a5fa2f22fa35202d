"""What each fault on callbacks does, on a clock that stands still."""

import asyncio
import json
from typing import Any

import pytest

from fakerelay.core.callbacks import CONTENT_TYPE
from fakerelay.core.faults import Match
from fakerelay.delivery import Delivery, Notification
from tests.delivery.bench import BROKEN, OK, POLICY, START, URL, Bench


async def test_dropped_one_is_never_posted_and_listed_as_such(bench: Bench) -> None:
    bench.plan({"fault": "drop"})
    await bench.tell(("a", 0), ("a", 3))
    assert bench.sender.told() == [("a", 3)]
    assert bench.states() == ["dropped", "delivered"]
    dropped = next(bench.delivery.notifications())
    assert dropped.reason == "dropped by fault plan 'fault-1'"


async def test_delayed_one_is_late_and_its_lane_waits(bench: Bench) -> None:
    bench.plan({"fault": "delay", "seconds": 3})
    await bench.tell(("a", 0), ("b", 0), ("a", 3))
    assert bench.sender.told() == [("b", 0)]
    assert next(bench.delivery.notifications()).next_attempt_at == START + 3
    await bench.clock.advance(3)
    assert [(*post.told, post.at) for post in bench.sender.posts[1:]] == [
        ("a", 0, START + 3),
        ("a", 3, START + 3),
    ]
    assert next(bench.delivery.notifications()).attempts[0][-2:] == ("delay", "fault-1")


async def test_delay_comes_on_top_of_the_profiles(bench: Bench) -> None:
    bench.plan({"fault": "delay", "seconds": 3})
    bench.emit(("a", 0), policy=POLICY_LATE)()
    await bench.clock.advance(4)
    assert bench.sender.posts == []
    await bench.clock.advance(1)
    assert bench.sender.told() == [("a", 0)]


POLICY_LATE = type(POLICY)(2, 1, "rtmptask_status", 2.0, 5.0, ())


async def test_duplicate_comes_before_the_lane_goes_on(bench: Bench) -> None:
    bench.plan({"fault": "duplicate", "times": 2})
    await bench.tell(("a", 0), ("a", 3))
    assert bench.sender.told() == [("a", 0), ("a", 0), ("a", 0), ("a", 3)]
    assert len({post.body for post in bench.sender.posts[:3]}) == 1
    causes = [attempt.cause for attempt in next(bench.delivery.notifications()).attempts]
    assert causes == [None, "duplicate", "duplicate"]


async def test_late_duplicate_holds_up_nobody_and_is_not_tried_again(bench: Bench) -> None:
    bench.plan({"fault": "duplicate", "times": 2, "seconds": 10})
    answers = iter([OK, OK, BROKEN, OK])
    bench.sender.answer = lambda post: next(answers)
    await bench.tell(("a", 0), ("a", 3))
    assert bench.sender.told() == [("a", 0), ("a", 3)]
    assert bench.states() == ["delivered", "delivered"]
    await bench.clock.advance(60)
    assert [(*post.told, post.at) for post in bench.sender.posts[2:]] == [
        ("a", 0, START + 10),
        ("a", 0, START + 20),
    ]
    assert bench.states() == ["delivered", "delivered"]


async def test_duplicate_waits_for_the_delivery(bench: Bench) -> None:
    bench.plan({"fault": "duplicate"})
    answers = iter([BROKEN, OK, OK])
    bench.sender.answer = lambda post: next(answers)
    await bench.tell(("a", 0))
    await bench.clock.advance(60)
    assert [post.at - START for post in bench.sender.posts] == [0, 1, 1]


async def test_reordered_one_lets_the_next_of_its_address_go_first(bench: Bench) -> None:
    bench.plan({"fault": "reorder"})
    await bench.tell(("a", 0), ("a", 1), ("a", 3))
    assert bench.sender.told() == [("a", 1), ("a", 0), ("a", 3)]


async def test_reordered_one_waits_for_a_next_one(bench: Bench) -> None:
    bench.plan({"fault": "reorder", "within_seconds": 20})
    await bench.tell(("a", 0))
    await bench.clock.advance(19)
    assert bench.sender.posts == []
    await bench.tell(("a", 3))
    assert bench.sender.told() == [("a", 3), ("a", 0)]
    await bench.clock.advance(60)
    assert len(bench.sender.posts) == 2


async def test_reordered_one_goes_anyway_when_no_next_one_comes(bench: Bench) -> None:
    bench.plan({"fault": "reorder", "within_seconds": 20})
    await bench.tell(("a", 0))
    await bench.clock.advance(20)
    assert [post.at for post in bench.sender.posts] == [START + 20]


async def test_reordering_all_swaps_them_in_pairs(bench: Bench) -> None:
    bench.plan({"fault": "reorder", "count": "always"})
    for status in (0, 1, 2, 3):
        await bench.tell(("a", status))
    assert bench.sender.told() == [("a", 1), ("a", 0), ("a", 3), ("a", 2)]


async def test_reordered_one_of_an_app_lets_others_be_delivered_first(bench: Bench) -> None:
    bench.plan({"fault": "reorder", "scope": "app", "after": 2})
    await bench.tell(("a", 0), ("a", 3))
    await bench.tell(("b", 0))
    assert bench.sender.told() == [("b", 0)]
    await bench.tell(("c", 0))
    assert bench.sender.told() == [("b", 0), ("c", 0), ("a", 0), ("a", 3)]


async def test_reordered_one_of_an_app_goes_in_time(bench: Bench) -> None:
    bench.plan({"fault": "reorder", "scope": "app", "after": 2})
    await bench.tell(("a", 0), ("b", 0))
    await bench.clock.advance(60)
    assert [(*post.told, post.at - START) for post in bench.sender.posts] == [
        ("b", 0, 0),
        ("a", 0, 60),
    ]


@pytest.mark.parametrize(
    ("settings", "is_right"),
    [
        ({}, lambda body, sent: body.startswith(sent) and len(sent) == len(body) // 2),
        ({"how": "empty"}, lambda body, sent: sent == b""),
        (
            {"how": "flipped"},
            lambda body, sent: json.loads(sent)["context"].pop("status") == "0",
        ),
        (
            {"how": "flipped", "field": "msgid"},
            lambda body, sent: isinstance(json.loads(sent)["msgid"], int),
        ),
    ],
    ids=["truncated", "empty", "flipped", "another field"],
)
async def test_corrupt_body_is_kept_as_sent(
    bench: Bench, settings: dict[str, Any], is_right: Any
) -> None:
    bench.plan({"fault": "corrupt", **settings})
    bench.emit(("a", 0))()
    await bench.settle()
    only = bench.only()
    (post,) = bench.sender.posts
    assert is_right(only.body(), post.body)
    assert only.attempts[0].body == post.body.decode()


@pytest.mark.parametrize("fault", ["corrupt", "content_type"])
async def test_spoiled_one_is_right_again_after_so_many_attempts(bench: Bench, fault: str) -> None:
    bench.plan({"fault": fault, "attempts": 2})
    bench.sender.answer = lambda post: (
        OK if post.body == bench.only().body() and post.content_type == CONTENT_TYPE else BROKEN
    )
    await bench.tell(("a", 0))
    await bench.clock.advance(60)
    assert [attempt.cause for attempt in bench.only().attempts] == [fault, fault, None]
    assert bench.states() == ["delivered"]


async def test_wrong_content_type_is_sent(bench: Bench) -> None:
    bench.plan({"fault": "content_type"}, {"fault": "content_type", "value": "text/html"})
    await bench.tell(("a", 0), ("b", 0), ("c", 0))
    types = [post.content_type for post in bench.sender.posts]
    assert types == ["text/plain", "text/html", CONTENT_TYPE]


async def test_stale_status_follows_a_stop_and_holds_up_nobody(bench: Bench) -> None:
    bench.plan({"fault": "stale_status", "seconds": 4})
    await bench.tell(("a", 0))
    await bench.tell(("a", 3), ("a", 0))
    await bench.clock.advance(60)
    assert [(*post.told, post.at - START) for post in bench.sender.posts] == [
        ("a", 0, 0),
        ("a", 3, 0),
        ("a", 0, 0),
        ("a", 0, 4),
    ]
    assert len({post.message["msgid"] for post in bench.sender.posts}) == 4
    assert "traceId" not in bench.sender.posts[-1].message["context"]


async def test_storm_is_tried_again_as_one(bench: Bench) -> None:
    bench.plan({"fault": "storm", "copies": 30})
    bench.sender.answer = lambda post: BROKEN if post.at == START else OK
    await bench.tell(("a", 0))
    await bench.clock.advance(60)
    assert len(bench.sender.posts) == 31
    assert (bench.states(), len(bench.only().attempts)) == (["delivered"], 31)


async def test_storms_and_all_else_of_an_app_share_its_bound(bench: Bench) -> None:
    bench.plan({"fault": "storm", "copies": 30}, {"fault": "storm", "copies": 10})
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(("a", 0), ("b", 0), ("c", 0))
    await bench.tell(("d", 0), appid=2)
    assert bench.sender.in_flight[URL] == 16 + 1
    bench.sender.stuck.pop(URL).set()
    await bench.settle()
    assert (len(bench.sender.posts), set(bench.states())) == (30 + 10 + 1 + 1, {"delivered"})


async def test_storm_of_a_dropped_app_goes_no_further(bench: Bench) -> None:
    bench.plan({"fault": "storm", "copies": 30})
    bench.sender.stuck[URL] = asyncio.Event()
    await bench.tell(("a", 0))
    dropping = bench.delivery.drop(1)
    assert dropping is not None
    bench.sender.stuck.pop(URL).set()
    await dropping
    assert len(bench.sender.posts) == 16
    await bench.tell(("a", 3))
    assert bench.sender.told()[16:] == [("a", 3)]


async def test_storm_is_delivered_if_one_of_it_is(bench: Bench) -> None:
    bench.plan({"fault": "storm", "copies": 3})
    answers = iter([BROKEN, OK, BROKEN])
    bench.sender.answer = lambda post: next(answers)
    await bench.tell(("a", 0))
    assert bench.states() == ["delivered"]


async def test_callback_before_the_reply_needs_no_gate_and_says_what_to_wait_for(
    bench: Bench,
) -> None:
    bench.plan({"fault": "before_reply"})
    gate = bench.emit(("a", 0), ("b", 0))
    assert gate.wait_first is not None
    await gate.wait_first()
    assert bench.sender.told() == [("a", 0)]
    gate()
    await bench.settle()
    assert bench.sender.told() == [("a", 0), ("b", 0)]


async def test_reply_waits_only_so_long_for_a_callback_before_it(bench: Bench) -> None:
    bench.plan({"fault": "before_reply", "within_seconds": 0.01})
    bench.sender.stuck[URL] = asyncio.Event()
    gate = bench.emit(("a", 0))
    assert gate.wait_first is not None
    await gate.wait_first()
    assert bench.states() == ["pending"]


def hold(bench: Bench) -> None:
    bench.delivery.hold()


def hold_what_is_before(bench: Bench) -> None:
    bench.delivery.hold(Match(status=0))
    bench.emit(("a", 0))()


def fail_what_is_before(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN
    bench.emit(("a", 0))()


@pytest.mark.parametrize("prepare", [hold, hold_what_is_before, fail_what_is_before])
async def test_reply_waits_for_no_callback_that_cannot_go(bench: Bench, prepare: Any) -> None:
    bench.plan({"fault": "before_reply"}, match={"status": 3})
    prepare(bench)
    gate = bench.emit(("a", 3))
    assert gate.wait_first is not None
    async with asyncio.timeout(1):
        await gate.wait_first()
    assert ("a", 3) not in bench.sender.told()


async def test_reply_waits_for_no_callback_that_was_dropped(bench: Bench) -> None:
    bench.plan({"fault": "before_reply"})
    bench.sender.stuck[URL] = asyncio.Event()
    gate = bench.emit(("a", 0))
    assert gate.wait_first is not None
    waiting = asyncio.ensure_future(gate.wait_first())
    await bench.settle()
    assert not waiting.done()
    dropping = bench.delivery.drop(1, grace_seconds=0)
    assert dropping is not None
    async with asyncio.timeout(1):
        await waiting
    await dropping
    gate()


async def test_callback_before_a_reply_that_nobody_waits_for_is_as_ever(bench: Bench) -> None:
    bench.plan({"fault": "before_reply"})
    gate = bench.emit(("a", 0), trace_id=None)
    assert gate.wait_first is None
    await bench.settle()
    assert bench.sender.told() == [("a", 0)]


async def test_no_plan_means_nothing_to_wait_for(bench: Bench) -> None:
    assert bench.emit(("a", 0)).wait_first is None


async def test_plan_takes_only_what_it_matches(bench: Bench) -> None:
    bench.plan({"fault": "drop", "count": "always"}, match={"rtmpurl": "[a]*", "status": 3})
    await bench.tell(("a1", 0), ("a1", 3), ("b", 3))
    assert bench.sender.told() == [("a1", 0), ("b", 3)]
    await bench.tell(("a1", 3), appid=2)
    assert bench.states().count("dropped") == 2


async def test_error_while_one_is_told_of_keeps_no_lane() -> None:
    def fail(notification: Notification) -> None:
        if notification.number == 1:
            raise RuntimeError("a bug")

    bench = Bench()
    bench.delivery = Delivery(bench.clock, bench.ids, bench.sender, on_told=fail)
    await bench.tell(("a", 0), ("a", 3))
    assert bench.sender.told() == [("a", 0), ("a", 3)]
    assert bench.delivery.pending_count == 0


async def test_error_while_one_is_put_off_ends_it() -> None:
    def fail(notification: Notification) -> None:
        if notification.state == "pending":
            raise RuntimeError("a bug")

    bench = Bench()
    bench.delivery = Delivery(bench.clock, bench.ids, bench.sender, on_told=fail)
    bench.sender.answer = lambda post: BROKEN
    await bench.tell(("a", 0), ("a", 3))
    await bench.clock.advance(100)
    assert bench.sender.told() == [("a", 0), ("a", 3)]
    assert bench.states() == ["failed", "failed"]
