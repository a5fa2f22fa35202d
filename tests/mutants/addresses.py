"""Push addresses: which are well formed, and which are the same (contract, section 3)."""

import re
from typing import NamedTuple

from tests.mutants.conduct import Conduct, Refused

_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"((?P<user>[^/?#]*)@)?(?P<host>\[[^\]/?#]*\]|[^:/?#\[\]]*)(?P<port>:[^/?#]*)?(?P<rest>.*)",
    re.DOTALL,
)
_DEFAULT_PORTS = {"rtmp": "1935", "rtmps": "443"}


class Address(NamedTuple):
    """As it was spelled, and by what it is compared."""

    text: str
    key: str


def read_addresses(text: str, conduct: Conduct) -> tuple[Address, ...]:
    """Raises Refused for `invalid_parameter`; several that are the same are left to others."""
    parts = text.split(",") if text else []
    if conduct.has("empty-address-skipped"):
        parts = [part for part in parts if part]
    if not parts and not conduct.has("rtmpurl-empty-accepted"):
        raise _refuse("has no address")
    if len(parts) > 5 and not conduct.has("six-addresses-accepted"):
        raise _refuse("has more than five addresses")
    if len(parts) == 5 and conduct.has("five-addresses-refused"):
        raise _refuse("has more than four addresses")
    for part in parts:
        _check(part, conduct)
    return tuple(Address(part, compare_by(part, conduct)) for part in parts)


def compare_by(text: str, conduct: Conduct) -> str:
    """The key that equal addresses share; of what is none, the text itself."""
    parts = _PARTS.fullmatch(text)
    if parts is None or conduct.has("addresses-compared-as-text"):
        return text
    scheme, host, port, rest = (parts[name] or "" for name in ("scheme", "host", "port", "rest"))
    user = f"{parts['user']}@" if parts["user"] is not None else ""
    scheme = scheme.lower()
    if port == f":{_DEFAULT_PORTS.get(scheme)}" and not conduct.has("default-port-counts"):
        port = ""
    host = host if conduct.has("host-case-counts") else host.lower()
    if conduct.has("any-port-ignored"):
        port = ""
    if conduct.has("path-case-ignored"):
        rest = rest.lower()
    if conduct.has("query-ignored"):
        rest = rest.partition("?")[0]
    if conduct.has("trailing-slash-ignored"):
        rest = rest.rstrip("/")
    if conduct.has("user-information-ignored"):
        user = ""
    if conduct.has("scheme-ignored"):
        scheme = ""
    key = f"{scheme}://{user}{host}{port}{rest}"
    return key[:256] if conduct.has("address-cut-at-256") else key


def _check(text: str, conduct: Conduct) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > 512 and not conduct.has("address-513-accepted"):
        raise _refuse("is longer than 512 bytes")
    if (size == 512 and conduct.has("address-512-refused")) or (
        size > 256 and conduct.has("address-257-refused")
    ):
        raise _refuse("is too long")
    if any(ord(char) > 126 or ord(char) < 32 for char in text) and not conduct.has(
        "chinese-address-accepted"
    ):
        raise _refuse("is not printable ASCII")
    if " " in text and not conduct.has("address-space-accepted"):
        raise _refuse("has a space")
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise _refuse("is no address")
    _check_scheme(parts["scheme"].lower(), conduct)
    _check_authority(parts, conduct)


def _check_scheme(scheme: str, conduct: Conduct) -> None:
    taken = {"rtmp", "rtmps"}
    taken |= {"http", "https"} if conduct.has("http-address-accepted") else set()
    taken -= {"rtmps"} if conduct.has("rtmps-refused") else set()
    if scheme not in taken:
        raise _refuse("is not rtmp")


def _check_authority(parts: re.Match[str], conduct: Conduct) -> None:
    if not parts["host"] and not conduct.has("address-without-host-accepted"):
        raise _refuse("has no host")
    port = (parts["port"] or ":1")[1:]
    if not port and not conduct.has("empty-port-accepted"):
        raise _refuse("has an empty port")
    is_number = port.isascii() and port.isdigit()
    if port and not (is_number and 1 <= int(port) <= 65535) and not conduct.has("port-unchecked"):
        raise _refuse("has a port that is not 1 to 65535")
    if (
        (parts["host"].startswith("[") and conduct.has("ipv6-refused"))
        or (parts["user"] is not None and conduct.has("user-information-refused"))
        or (not parts["rest"] and conduct.has("address-without-path-refused"))
    ):
        raise _refuse("is not liked")


def _refuse(reason: str) -> Refused:
    return Refused("invalid_parameter", f"rtmpurl: {reason}")
