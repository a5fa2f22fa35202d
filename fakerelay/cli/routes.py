"""How `fakerelay verify` hears what a server tells."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fakerelay.errors import ConfigError

if TYPE_CHECKING:
    from fakerelay.contract.callbacks.routes import Route

_SOONER: Final = 10


@contextmanager
def open_route(options: Mapping[str, Any], callback: Mapping[str, Any]) -> "Iterator[Route | None]":
    """Where push statuses come in; None where nobody would be told, or where none is judged.

    `callback` is that part of the profile. Raises ConfigError.
    """
    from fakerelay.contract.callbacks.arrivals import Terms
    from fakerelay.contract.callbacks.routes import Route

    listen = options["callback_listen"]
    is_missing = options["target"] is not None and listen is None
    if is_missing or options["level"] == "documented":
        yield None
        return
    host, port = ("127.0.0.1", 0) if listen is None else _read_address(listen)
    with Route(Terms.from_profile(callback), host, port) as route:
        yield route


def hurry(profile: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of a fake of its own: it tries again sooner, unless the settings say when."""
    callback = dict(profile["callback"])
    if "retry_delays_seconds" not in settings.get("callback", {}):
        delays = callback["retry_delays_seconds"]
        callback["retry_delays_seconds"] = [delay / _SOONER for delay in delays]
    return {**profile, "callback": callback}


def _read_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ConfigError(
            f"Can't use --callback-listen {text!r}: write HOST:PORT, as in 127.0.0.1:8482"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
