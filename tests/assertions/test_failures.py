"""What assertions say when they fail, word for word."""

import pytest

from tests.assertions.failures import FAILURES, GOLDEN, golden_file, tell


@pytest.mark.parametrize("name", FAILURES)
def test_failure_reads_as_ever(name: str) -> None:
    assert tell(name) == golden_file(name).read_text(encoding="utf-8")


def test_each_golden_text_is_a_failure() -> None:
    assert set(GOLDEN.iterdir()) == {golden_file(name) for name in FAILURES}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_shows_no_key(name: str) -> None:
    assert "s3cret" not in tell(name)
