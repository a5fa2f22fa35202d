"""A frozen clock, and a diary of it."""

import pytest

from fakerelay.clock import WorldClock
from tests.clock.diaries import Diary


@pytest.fixture
def clock() -> WorldClock:
    return WorldClock("frozen", 100)


@pytest.fixture
def diary(clock: WorldClock) -> Diary:
    return Diary(clock)
