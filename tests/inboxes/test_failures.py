"""What a failed wait or assertion says, word for word.

Where it changes on purpose: `python -m tests.inboxes.test_failures` writes tests/golden/inboxes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakerelay.inboxes.failures import tell_disorder, tell_miscount, tell_timeout, tell_unwanted
from fakerelay.inboxes.patterns import Pattern
from fakerelay.inboxes.received import Received, read_received
from tests.inboxes.hosts import body

GOLDEN = Path(__file__).parent.parent / "golden" / "inboxes"

A, B = "rtmp://cdn/live/a", "rtmp://cdn/live/b"
HINT = ["The clock is frozen: 2 callbacks are due in 5 s"]


def came(*bodies: bytes) -> list[Received]:
    arrived = [read_received(0, raw, {}) for raw in bodies]
    for received in arrived:
        received.answered = 200
    return arrived


def a_life() -> list[Received]:
    """One push that failed and recovered, and another."""
    return came(
        body(1, rtmpurl=A, status=1),
        body(1, rtmpurl=B, msgid="m-2"),
        body(3, rtmpurl=A, traceId=None),
        body(4, rtmpurl=A, status=3),
    )


def answered_oddly() -> list[Received]:
    arrived = came(*[body(number) for number in range(1, 5)], b'{"msgid":"m-5","con')
    arrived[0].answered, arrived[0].note = 500, "fail"
    arrived[1].answered, arrived[1].note = None, "hang"
    arrived[2].note = "delay of 0.5 s"
    app = "forwarded to http://127.0.0.1:9000/cb"
    arrived[3].answered, arrived[3].note, arrived[3].is_forwarding = None, app, True
    return arrived


def pattern(**fields: object) -> Pattern:
    return Pattern(fields)


CASES: dict[str, Callable[[], str]] = {
    "nothing": lambda: tell_timeout([], pattern(), 1, 5, is_closed=False),
    "nothing_yet": lambda: tell_timeout(
        [], pattern(status="pushing", rtmpurl=A), 2, 0.5, is_closed=False, hints=HINT
    ),
    "closed": lambda: tell_timeout([], pattern(status=0), 1, 5, is_closed=True),
    "other_status": lambda: tell_timeout(
        a_life(), pattern(status="internal_failed", rtmpurl=A), 1, 5, is_closed=False
    ),
    "too_few": lambda: tell_timeout(a_life(), pattern(rtmpurl=A), 4, 5, is_closed=False),
    "several_differences": lambda: tell_timeout(
        a_life(), pattern(status=2, uid="anna", rtmpurl=B), 1, 5, is_closed=False
    ),
    "answered_oddly": lambda: tell_timeout(
        answered_oddly(), pattern(taskid="main"), 5, 5, is_closed=False
    ),
    "many": lambda: tell_timeout(
        came(*[body(number, rtmpurl=f"{A}{number}", status=1) for number in range(1, 41)]),
        pattern(status="pushing", rtmpurl=f"{A}7"),
        1,
        5,
        is_closed=False,
    ),
    "none_received": lambda: tell_miscount(a_life(), pattern(taskid="side"), None, HINT),
    "too_many": lambda: tell_miscount(a_life(), pattern(rtmpurl=A), 1),
    "unwanted": lambda: tell_unwanted(a_life(), pattern(status="cdn_failed")),
    "unwanted_any": lambda: tell_unwanted(a_life()[:1], pattern()),
    "disorder": lambda: tell_disorder(
        a_life(), [pattern(status=0), pattern(status=1), pattern()], [1], HINT
    ),
    "disorder_at_once": lambda: tell_disorder(a_life(), [pattern(status=2)], []),
}


@pytest.mark.parametrize("name", CASES)
def test_failure_is_told_by_the_golden_text(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert CASES[name]() + "\n" == golden


def test_every_golden_text_is_told() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == CASES.keys()


if __name__ == "__main__":
    for case, tell in CASES.items():
        (GOLDEN / f"{case}.txt").write_text(tell() + "\n", encoding="utf-8")
