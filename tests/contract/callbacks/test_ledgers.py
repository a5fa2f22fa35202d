"""What calls should be told of: values in, values out."""

from collections.abc import Sequence

import pytest

from fakerelay.contract.operations import Operation, Start, Stop
from tests.contract.callbacks.stories import Story

START, STOP = Start(0, (0, 1)), Stop(0)
MIXED, MIXED_STOP = Start(0, (0,), "mixed"), Stop(0, kind="mixed")
ONE, UPDATE, END = "callback-start", "callback-update", "callback-stop"
FORESEEN: dict[str, tuple[Sequence[Operation], list[tuple[int, int, int, str]]]] = {
    "start": ([START], [(0, 0, 0, ONE), (0, 1, 0, ONE)]),
    "stop": ([MIXED, MIXED_STOP], [(0, 0, 0, ONE), (1, 0, 3, END)]),
    "update": (
        [START, Start(0, (1, 2))],
        [(0, 0, 0, ONE), (0, 1, 0, ONE), (1, 0, 3, UPDATE), (1, 2, 0, UPDATE)],
    ),
    "same again": ([MIXED, MIXED], [(0, 0, 0, ONE)]),
    "stopped in part": (
        [START, Stop(0, (1,)), STOP],
        [(0, 0, 0, ONE), (0, 1, 0, ONE), (1, 1, 3, END), (2, 0, 3, END)],
    ),
    "started anew": (
        [MIXED, MIXED_STOP, MIXED],
        [(0, 0, 0, ONE), (1, 0, 3, END), (2, 0, 0, ONE)],
    ),
}


@pytest.mark.parametrize(("operations", "foreseen"), FORESEEN.values(), ids=FORESEEN.keys())
def test_each_change_of_an_address_is_foreseen(
    operations: Sequence[Operation], foreseen: list[tuple[int, int, int, str]]
) -> None:
    story = Story()
    story.do(*operations)
    told = [(each.call.number, each.symbol, each.status, each.rule) for each in story.end()]
    assert told == foreseen


def test_refused_call_is_told_of_to_nobody() -> None:
    story = Story()
    story.do(START, is_accepted=False)
    assert story.end() == []
    assert story.ledger.calls[0].is_judged


def test_nothing_is_foreseen_of_a_task_once_an_answer_was_lost() -> None:
    story = Story()
    story.do(START)
    story.do(START, is_accepted=None)
    story.do(STOP, MIXED)
    judged = [call.is_judged for call in story.ledger.calls]
    assert judged == [True, False, False, True]


def test_app_of_the_other_account_is_not_judged() -> None:
    story = Story()
    story.do(Start(0, (0,), app=1))
    assert not story.ledger.calls[0].is_judged


def test_address_is_told_as_the_latest_request_spelled_it() -> None:
    story = Story()
    story.do(MIXED, Start(0, (0,), "mixed", style="host in capitals"), MIXED_STOP)
    *_start, stop = story.end()
    assert stop.texts == {"rtmp://PUSH.INVALID/live/run-1-0"}


def test_stop_of_an_address_may_count_as_its_latest_spelling_or_not() -> None:
    story = Story()
    story.do(Start(0, (0, 1), style="host in capitals"), Stop(0, (1,)))
    *_start, stop = story.end()
    assert stop.texts == {"rtmp://PUSH.INVALID/live/run-1-1", "rtmp://push.invalid/live/run-1-1"}
