"""The few steps that a finding takes."""

from fakerelay.contract.callbacks.slices import slice_steps
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Operation, Start, Stop
from tests.contract.callbacks.stories import Story


def sliced(needed: list[int], *operations: Operation) -> list[Operation]:
    story = Story()
    story.do(*operations)
    return [step.operation for step in slice_steps(story.ledger.steps, needed, Policy())]


def test_what_others_do_is_left_out() -> None:
    start, update, stop = Start(0, (0,)), Start(0, (1,)), Stop(0)
    others: list[Operation] = [Start(1, (4,)), Stop(1)]
    assert sliced([4], start, *others, update, stop, Start(2, (6,))) == [start, update, stop]


def test_what_it_takes_to_be_refused_is_kept() -> None:
    holder, refused = Start(0, (0,)), Start(1, (0,))
    assert sliced([2], holder, Start(2, (2,)), refused) == [holder, refused]


def test_over_quota_takes_all_of_it() -> None:
    starts = [Start(number, (number,)) for number in range(6)]
    assert sliced([5], *starts) == starts


def test_each_of_the_calls_that_are_shown_is_kept() -> None:
    start, stop, again = Start(0, (0,)), Stop(0), Start(0, (0,))
    assert sliced([0, 1], start, stop, again) == [start, stop]
