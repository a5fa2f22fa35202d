"""How long something takes that does not always take the same: named distributions.

Pure: chance is told, as a number from 0 to 1; one is enough for each of them.
"""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, Final

MOST_SECONDS: Final = 86400.0
FIXED: Final = "fixed"
SPREAD: Final = frozenset(("uniform", "normal", "lognormal"))
"""The distributions that need a `spread_seconds`."""

_NORMAL: Final = NormalDist()
_LEAST_CHANCE: Final = 1e-12


def draw_delay(settings: Mapping[str, Any], chance: float) -> float:
    """Seconds, from 0 to a day, of `seconds`, `distribution` and `spread_seconds`.

    `seconds` is the least of `uniform`, the middle of `normal` and `lognormal`, the mean of
    `exponential`.
    """
    seconds, spread = settings["seconds"], settings.get("spread_seconds", 0.0)
    share = min(max(chance, _LEAST_CHANCE), 1 - _LEAST_CHANCE)
    match settings.get("distribution", FIXED):
        case "uniform":
            drawn = seconds + spread * chance
        case "normal":
            drawn = seconds + spread * _NORMAL.inv_cdf(share)
        case "lognormal":
            drawn = seconds * math.exp(min(spread * _NORMAL.inv_cdf(share), 100.0))
        case "exponential":
            drawn = -seconds * math.log(1 - share)
        case _:
            drawn = seconds
    return min(max(float(drawn), 0.0), MOST_SECONDS)
