"""Who may use the control plane: the `Host` it was called by, and its token."""

import ipaddress
from collections.abc import Collection, Mapping
from hmac import compare_digest

from fakerelay.errors import ConfigError, ControlError

_SCHEME = "bearer "


class Access:
    """The checks before a verb; `token` None asks for none."""

    def __init__(self, allow_hosts: Collection[str] = (), token: str | None = None) -> None:
        self._hosts = {"localhost", *map(_plain, allow_hosts)}
        self._token = None if token is None else token.encode()

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises ControlError for a name that may have been rebound, or without the token."""
        host = _host_name(headers.get("Host", ""))
        if host not in self._hosts and not _is_address(host):
            detail = (
                f"The Host header {host!r} is no IP address, localhost or allowed name;"
                " if it is meant to reach this server, start it with --allow-host"
            )
            raise ControlError("host_not_allowed", detail, status=403)
        if self._token is not None and not self._is_token(headers.get("Authorization", "")):
            detail = "The header Authorization: Bearer TOKEN is missing or wrong (--control-token)"
            raise ControlError("unauthorized", detail, status=401)

    def _is_token(self, value: str) -> bool:
        given = value[len(_SCHEME) :].strip().encode("utf-8", "surrogateescape")
        is_right = compare_digest(given, self._token or b"")
        return is_right and value[: len(_SCHEME)].lower() == _SCHEME


def check_binding(host: str, token: str | None) -> None:
    """Raises ConfigError for a control plane that others than this machine could use freely."""
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"The control plane can't listen on {host!r} for everybody:"
            " give --control-token, or leave --control-host at 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is bound to a host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return _plain(host) == "localhost"


def _host_name(header: str) -> str:
    """A Host header without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return _plain(header.rpartition(":")[0] if ":" in header else header)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")
