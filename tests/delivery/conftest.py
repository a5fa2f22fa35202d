import pytest

from tests.delivery.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
