"""What is installed of the programs that clients are written for."""

import os
import shutil

import pytest


def need(*programs: str) -> None:
    """Skip the test where one isn't installed; where nothing may be skipped, fail it."""
    for program in programs:
        if shutil.which(program):
            continue
        if os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
            pytest.fail(f"{program!r} is not installed, and all clients are required")
        pytest.skip(f"{program!r} is not installed")
