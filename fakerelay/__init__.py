"""A faithful, stateful stand-in for the Jocloud Relayed Live Broadcasting REST API.

Names are loaded when they are first used, so that a part never pays for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakerelay.client import RelayClient, RelayUnreachable, Reply
    from fakerelay.config import AppConfig, Config
    from fakerelay.errors import ConfigError, FakerelayError
    from fakerelay.hosts import Host
    from fakerelay.inboxes import Callbacks, Received
    from fakerelay.relay import FakeRelay

__all__ = [
    "AppConfig",
    "Callbacks",
    "Config",
    "ConfigError",
    "FakeRelay",
    "FakerelayError",
    "Host",
    "Received",
    "RelayClient",
    "RelayUnreachable",
    "Reply",
    "__version__",
]

_HOMES = {
    "AppConfig": "config",
    "Callbacks": "inboxes",
    "Config": "config",
    "ConfigError": "errors",
    "FakeRelay": "relay",
    "FakerelayError": "errors",
    "Host": "hosts",
    "Received": "inboxes",
    "RelayClient": "client",
    "RelayUnreachable": "client",
    "Reply": "client",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("fakerelay")
    if name not in _HOMES:
        raise AttributeError(f"module 'fakerelay' has no attribute {name!r}")
    return getattr(import_module(f"fakerelay.{_HOMES[name]}"), name)
