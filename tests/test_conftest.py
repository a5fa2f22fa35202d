"""The guard that every test of a server relies on can fail itself."""

import logging
from collections.abc import Iterator

import pytest

from tests.conftest import complaints


@pytest.fixture
def seen_at_teardown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Looks when `open_server` does: once the test is over."""
    yield
    assert complaints(caplog) == ["the control plane failed"]


@pytest.mark.usefixtures("seen_at_teardown")
def test_guard_sees_what_was_logged_while_the_test_ran() -> None:
    logging.getLogger("fakerelay.http").warning("the control plane failed")
    logging.getLogger("fakerelay.http").info("nothing to worry about")
