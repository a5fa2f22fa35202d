"""What is missing, and what is told again: values in, values out."""

import pytest

from fakerelay.contract.callbacks.arrivals import Answer, Terms
from fakerelay.contract.callbacks.retries import conclude, due_at
from fakerelay.contract.operations import Start, Stop
from tests.contract.callbacks.stories import REFUSED, TAKEN, Story, rules

LATE = Answer(200, is_late=True)
DROPPED = Answer(None)
LONG_AFTER = 1000.0


def played(*attempts: tuple[float, Answer], terms: Terms | None = None) -> Story:
    """One start, told so many seconds after it was sent, and answered so."""
    story = Story() if terms is None else Story(terms=terms)
    story.do(Start(0, (0,)))
    (start,) = story.end()
    assert story.judge([story.tell(start, after, answer) for after, answer in attempts]) == []
    return story


SCHEDULES = {
    "taken": ([(0.0, TAKEN)], []),
    "taken at last": ([(0.0, REFUSED), (1.0, DROPPED), (3.0, TAKEN)], []),
    "never taken": ([(0.0, REFUSED), (1.0, REFUSED), (3.0, REFUSED)], []),
    "a little late": ([(0.0, REFUSED), (2.5, TAKEN)], []),
    "too late an answer": ([(0.0, LATE), (6.0, TAKEN)], []),
    "at once": ([(0.0, REFUSED), (0.1, TAKEN)], ["callback-at-least-once"]),
    "much later": ([(0.0, REFUSED), (9.0, TAKEN)], ["callback-at-least-once"]),
    "never again": ([(0.0, REFUSED)], ["callback-at-least-once"]),
    "given up too soon": ([(0.0, REFUSED), (1.0, REFUSED)], ["callback-given-up"]),
    "once too often": (
        [(0.0, REFUSED), (1.0, REFUSED), (3.0, REFUSED), (7.0, TAKEN)],
        ["callback-given-up"],
    ),
    "a late answer taken for one": ([(0.0, LATE)], ["callback-timeout"]),
    "no patience": ([(0.0, LATE), (1.0, TAKEN)], ["callback-timeout"]),
}


@pytest.mark.parametrize(("attempts", "broken"), SCHEDULES.values(), ids=SCHEDULES.keys())
def test_schedule(attempts: list[tuple[float, Answer]], broken: list[str]) -> None:
    assert rules(conclude(played(*attempts).book, LONG_AFTER)) == broken


def test_pauses_are_the_profiles() -> None:
    once = Terms(retry_delays_seconds=(20,), epoch=1_700_000_000.0)
    story = played((0.0, REFUSED), (20.0, REFUSED), terms=once)
    assert list(conclude(story.book, LONG_AFTER)) == []


def test_one_who_repeats_what_was_taken_may_also_do_so_with_what_was_not() -> None:
    story = Story()
    story.do(Start(0, (0, 1)))
    refused, taken = story.end()
    attempts = [story.tell(refused, after, REFUSED) for after in (0.0, 1.0, 3.0, 3.1)]
    assert story.judge([*attempts, story.tell(taken), story.tell(taken)]) == []
    assert list(conclude(story.book, LONG_AFTER)) == []


def test_missing_is_what_was_never_told() -> None:
    story = Story()
    story.do(Start(0, (0,)), Start(0, (1,)), Stop(0))
    story.end()
    found = list(conclude(story.book, LONG_AFTER))
    assert rules(found) == ["callback-start", "callback-update", "callback-update", "callback-stop"]
    assert found[0].finding.got == "nothing, nor of any other call: is it posted here?"


def test_missing_of_some_addresses_only() -> None:
    story = Story()
    story.do(Start(0, (0, 1)))
    first, _second = story.end()
    story.judge([story.tell(first)])
    assert rules(conclude(story.book, LONG_AFTER)) == ["callback-per-address"]


@pytest.mark.parametrize(
    ("attempts", "due"),
    [([], 105.11), ([(0.0, REFUSED)], 106.6), ([(0.0, LATE)], 111.6), ([(0.0, TAKEN)], None)],
    ids=["nothing", "to be tried again", "after a timeout", "all"],
)
def test_nothing_is_missing_before_its_time(
    attempts: list[tuple[float, Answer]], due: float | None
) -> None:
    book = played(*attempts).book
    assert due_at(book) == (None if due is None else pytest.approx(due))
    if due is not None:
        assert list(conclude(book, due - 0.01)) == []
        assert len(list(conclude(book, due + 0.01))) == 1


def test_later_status_is_due_after_the_retries_of_the_earlier() -> None:
    story = Story()
    story.do(Start(0, (0,)), Stop(0))
    start, _stop = story.end()
    story.judge([story.tell(start, 0.0, REFUSED)])
    assert due_at(story.book) == pytest.approx(100.1 + 1.5 + 5.0)


def test_nothing_is_asked_of_a_task_whose_calls_had_no_answer() -> None:
    story = Story()
    story.do(Start(0, (0,)), is_accepted=None)
    story.do(Stop(0))
    story.end()
    assert due_at(story.book) is None
    assert list(conclude(story.book, LONG_AFTER)) == []
