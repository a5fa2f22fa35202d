"""What is told of a callback that has not come."""

from typing import Any

import pytest

from fakerelay import FakeRelay
from fakerelay.silence import explain_silence

BEHIND = {
    "state": "pending",
    "held": False,
    "in_flight": False,
    "next_attempt_at": None,
    "attempts": [],
}
HELD = BEHIND | {"held": True}
SOON = BEHIND | {"next_attempt_at": 105.0}
LATE = BEHIND | {"next_attempt_at": 130.0}
AGAIN = SOON | {"attempts": [{"status": 500, "error": None}]}
CUT_OFF = SOON | {"attempts": [{"status": None, "error": "No connection to app:80"}]}
GOING = BEHIND | {"in_flight": True}
GIVEN_UP = {"state": "failed", "reason": "no attempt is left"}
DROPPED = {"state": "dropped", "reason": None}
TEXTS: dict[str, tuple[list[dict[str, Any]], str, list[str]]] = {
    "nothing pending": ([], "real", []),
    "on its way": ([GOING], "real", ["1 callback is being posted: not answered"]),
    "behind": (
        [GOING, BEHIND],
        "real",
        ["1 callback is being posted", "1 callback is waiting for its turn, behind an earlier"],
    ),
    "refused": ([AGAIN], "real", ["1 callback is to be posted, the next in 5 s, after HTTP 500"]),
    "not connected": (
        [CUT_OFF],
        "frozen",
        ["1 callback is to be posted, the next in 5 s, after No connection to app:80; time"],
    ),
    "held": ([HELD], "real", ["1 callback is held: control('release_callbacks') lets"]),
    "later": ([LATE, SOON], "real", ["2 callbacks are to be posted, the next in 5 s"]),
    "frozen": (
        [SOON],
        "frozen",
        ["1 callback is to be posted, the next in 5 s; time stands"],
    ),
    "both": ([HELD, LATE], "real", ["1 callback is held", "1 callback is to be posted"]),
    "given up": (
        [GIVEN_UP, GIVEN_UP],
        "real",
        ["2 callbacks are given up, the last for: no attempt is left; notifications(state='failed"],
    ),
    "dropped": ([DROPPED], "real", ["1 callback is dropped; notifications(state='dropped')"]),
}


@pytest.mark.parametrize(("items", "mode", "told"), TEXTS.values(), ids=TEXTS.keys())
def test_silence_is_explained_by_what_became_of_callbacks(
    items: list[dict[str, Any]], mode: str, told: list[str]
) -> None:
    def control(verb: str, *, state: str = "", order: str = "oldest") -> dict[str, Any]:
        if verb == "clock":
            return {"mode": mode, "now": 100.0}
        return {"items": [each for each in items if each["state"] == state]}

    lines = list(explain_silence(control))
    assert [line[: len(start)] for line, start in zip(lines, told, strict=True)] == told


def test_wait_in_vain_tells_of_what_was_given_up() -> None:
    with FakeRelay(clock="frozen") as relay:
        relay.callbacks.fail()
        relay.start("rtmp://h/a")
        relay.clock.advance(3600)
        with pytest.raises(AssertionError, match=r"1 callback is given up"):
            relay.callbacks.wait_for(status="stopped", timeout_seconds=0)


def test_wait_in_vain_tells_of_what_hangs() -> None:
    with FakeRelay() as relay:
        relay.callbacks.hang()
        relay.start("rtmp://h/a")
        relay.callbacks.wait_for()
        with pytest.raises(AssertionError, match=r"1 callback is being posted"):
            relay.callbacks.wait_for(status="stopped", timeout_seconds=0)


def test_wait_in_vain_says_that_time_stands_still() -> None:
    settings = {"callback": {"delay_seconds": 5}}
    with FakeRelay(clock="frozen", settings=settings) as relay:
        relay.start("rtmp://h/a")
        with pytest.raises(AssertionError, match=r"next in 5 s; time stands still: clock\.advance"):
            relay.callbacks.wait_for(timeout_seconds=0)
        relay.clock.advance(5)
        assert relay.callbacks.wait_for(status="pushing")
