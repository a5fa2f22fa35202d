"""Servers for whoever asks, and how many examples Hypothesis tries (`HYPOTHESIS_PROFILE`)."""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import pytest
from hypothesis import HealthCheck, settings

from fakerelay.config import AppConfig, Config
from fakerelay.journal import Exchange
from fakerelay.server import Server

# A machine that is busy makes a slow example, not a wrong one.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _PATIENT, max_examples=50)
settings.register_profile("ci", _PATIENT, max_examples=300, derandomize=True, print_blob=True)
settings.register_profile("nightly", _PATIENT, max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

APPS = (AppConfig(7, "cert", "key"), AppConfig(8, "other-cert", "other-key"))

_PHASES: Final[tuple[Literal["setup", "call", "teardown"], ...]] = ("setup", "call", "teardown")


@pytest.fixture
async def open_server(
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Opens servers of the vendor API on plain HTTP; none of them may have anything to complain."""
    servers: list[Server] = []

    async def open_one(
        *, on_exchange: Callable[[Exchange], None] | None = None, **changes: Any
    ) -> Server:
        defaults = {"port": 0, "control_port": None, "no_tls": True, "apps": APPS}
        servers.append(Server(Config(**{**defaults, **changes}), on_exchange=on_exchange))
        await servers[-1].start()
        return servers[-1]

    yield open_one
    for server in servers:
        await server.close(grace_seconds=0)
    assert complaints(caplog) == []


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What has been logged as worth a look, in any phase: `caplog.records` has only this one's."""
    records = [record for phase in _PHASES for record in caplog.get_records(phase)]
    return [record.getMessage() for record in records if record.levelno >= logging.WARNING]


@contextmanager
def no_complaints() -> Iterator[None]:
    """The same for servers that no fixture opens: nothing worth a look is logged meanwhile."""
    listener = _Listener(logging.WARNING)
    logging.getLogger().addHandler(listener)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(listener)
    assert listener.heard == []


class _Listener(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())
