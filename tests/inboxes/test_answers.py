"""How callbacks are told to be answered, and for how many."""

import math
from collections.abc import Callable

import pytest

from fakerelay.errors import ConfigError, FakerelayError
from fakerelay.inboxes.answers import Answers


def take(answers: Answers, count: int) -> list[tuple[str | None, int | None, str | None]]:
    taken = [answers.take() for _ in range(count)]
    return [(spell.note, spell.status, url) for spell, url in taken]


USUAL = (None, None, None)
FAIL = ("fail", 500, None)


def test_spell_holds_as_often_as_told() -> None:
    answers = Answers()
    assert take(answers, 1) == [USUAL]
    answers.fail(times=2)
    assert take(answers, 4) == [FAIL, FAIL, USUAL, USUAL]


def test_spell_holds_until_another_or_none_is_told() -> None:
    answers = Answers()
    answers.fail(503)
    assert take(answers, 2) == [("fail", 503, None)] * 2
    answers.hang(times=1)
    assert take(answers, 2) == [("hang", None, None), USUAL]
    answers.delay(1.5)
    assert take(answers, 1) == [("delay of 1.5 s", None, None)]
    answers.accept()
    assert take(answers, 1) == [USUAL]


def test_only_what_the_app_could_answer_is_forwarded() -> None:
    answers, app = Answers(), "http://127.0.0.1:9000/cb"
    answers.forward_to(app)
    answers.fail(times=1)
    assert take(answers, 2) == [FAIL, (None, None, app)]
    answers.hang(times=1)
    assert take(answers, 2) == [("hang", None, None), (None, None, app)]
    answers.delay(1, times=1)
    assert take(answers, 2) == [("delay of 1 s", None, app), (None, None, app)]
    answers.accept()
    assert take(answers, 1) == [(None, None, app)]
    answers.forward_to(None)
    assert take(answers, 1) == [USUAL]


REFUSED: dict[str, tuple[Callable[[Answers], None], str]] = {
    "status that is none": (lambda one: one.fail(600), "status 600: give one from 300 to 599"),
    "success": (lambda one: one.fail(200), "2xx is accept()"),
    "status of no kind": (lambda one: one.fail("500"), "status '500'"),  # type: ignore[arg-type]
    "never": (lambda one: one.fail(times=0), "times is 0: give how many callbacks"),
    "half": (lambda one: one.hang(times=0.5), "times is 0.5"),  # type: ignore[arg-type]
    "back in time": (lambda one: one.delay(-1), "delay by -1 seconds: give a number from 0"),
    "forever": (lambda one: one.delay(math.inf), "hang() never answers"),
    "delay of no kind": (lambda one: one.delay("1"), "delay by '1'"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("tell", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_done_is_refused(tell: Callable[[Answers], None], message: str) -> None:
    answers = Answers()
    answers.fail(503)
    with pytest.raises(FakerelayError) as caught:
        tell(answers)
    assert message in str(caught.value)
    assert take(answers, 1) == [("fail", 503, None)]


def test_url_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="scheme is ''"):
        Answers().forward_to("127.0.0.1")
