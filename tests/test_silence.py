"""What is told of a callback that has not come."""

from typing import Any

import pytest

from fakerelay import FakeRelay
from fakerelay.silence import explain_silence

HELD = {"held": True, "next_attempt_at": None}
SOON = {"held": False, "next_attempt_at": 105.0}
LATE = {"held": False, "next_attempt_at": 130.0}
GOING = {"held": False, "next_attempt_at": None}
TEXTS: dict[str, tuple[list[dict[str, Any]], str, list[str]]] = {
    "nothing pending": ([], "real", []),
    "on its way": ([GOING], "real", []),
    "held": ([HELD, GOING], "real", ["1 callback is held: control('release_callbacks') lets"]),
    "later": ([LATE, SOON], "real", ["2 callbacks are to be posted, the next in 5 s"]),
    "frozen": (
        [SOON],
        "frozen",
        ["1 callback is to be posted, the next in 5 s; time stands"],
    ),
    "both": ([HELD, LATE], "real", ["1 callback is held", "1 callback is to be posted"]),
}


@pytest.mark.parametrize(("items", "mode", "told"), TEXTS.values(), ids=TEXTS.keys())
def test_silence_is_explained_by_what_is_pending(
    items: list[dict[str, Any]], mode: str, told: list[str]
) -> None:
    lines = list(explain_silence({"items": items}, {"mode": mode, "now": 100.0}))
    assert [line[: len(start)] for line, start in zip(lines, told, strict=True)] == told


def test_wait_in_vain_says_that_time_stands_still() -> None:
    settings = {"callback": {"delay_seconds": 5}}
    with FakeRelay(clock="frozen", settings=settings) as relay:
        relay.start("rtmp://h/a")
        with pytest.raises(AssertionError, match=r"next in 5 s; time stands still: clock\.advance"):
            relay.callbacks.wait_for(timeout_seconds=0)
        relay.clock.advance(5)
        assert relay.callbacks.wait_for(status="pushing")
