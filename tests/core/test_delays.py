from collections.abc import Mapping
from statistics import mean, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.delays import FIXED, MOST_SECONDS, SPREAD, draw_delay

CHANCES = [(number + 0.5) / 1000 for number in range(1000)]
KINDS = [FIXED, *sorted(SPREAD), "exponential"]


def draw(kind: str, spread: float = 1.0) -> list[float]:
    settings = {"seconds": 4, "distribution": kind, "spread_seconds": spread}
    return [draw_delay(settings, chance) for chance in CHANCES]


def test_delay_is_fixed_where_nothing_else_is_said() -> None:
    assert draw_delay({"seconds": 3}, 0.9) == 3.0


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (min(draw("uniform", 2)), 4.0),
        (max(draw("uniform", 2)), 6.0),
        (median(draw("normal", 0.5)), 4.0),
        (median(draw("lognormal", 0.5)), 4.0),
        (mean(draw("exponential")), 4.0),
    ],
    ids=["least", "most", "normal", "lognormal", "exponential"],
)
def test_distribution_is_what_its_settings_say(drawn: float, expected: float) -> None:
    assert drawn == pytest.approx(expected, rel=0.01)


@given(
    st.fixed_dictionaries(
        {
            "seconds": st.floats(0, MOST_SECONDS),
            "distribution": st.sampled_from(KINDS),
            "spread_seconds": st.floats(0, MOST_SECONDS),
        }
    ),
    st.floats(0, 1),
)
def test_delay_is_never_negative_nor_longer_than_a_day(
    settings: Mapping[str, Any], chance: float
) -> None:
    assert 0 <= draw_delay(settings, chance) <= MOST_SECONDS
