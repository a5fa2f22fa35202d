import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fakerelay import FakeRelay

SERVICE = "import os, urllib.request; print(os.environ['FAKERELAY_URL'])"


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    with FakeRelay(settings={"concurrent_pushes": 1}) as relay:
        yield relay


def test_a_service_is_told_where_the_vendor_is(relay: FakeRelay) -> None:
    command = [sys.executable, "-c", SERVICE]  # your service
    ran = subprocess.run(command, env=os.environ | relay.env(), capture_output=True, text=True)
    assert ran.stdout.strip() == relay.url
