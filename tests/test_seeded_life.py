"""The same seed, the same life: to the byte, in another process too."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


def live(seed: int, hash_seed: str) -> bytes:
    command = [sys.executable, "-m", "tests.seeded_life", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, check=True
    ).stdout


@pytest.mark.parametrize("seed", [7, 2**32])
def test_seed_repeats_a_life_to_the_byte(seed: int) -> None:
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(live, (seed, seed), ("1", "2"))
    assert first.count(b'"traceId"') > 20
    assert first == second


def test_another_seed_is_another_life() -> None:
    assert live(7, "1") != live(8, "1")
