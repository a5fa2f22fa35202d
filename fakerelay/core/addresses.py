"""Push addresses: reading `rtmpurl`, telling whether two are the same, hiding stream keys.

`contract.md` section 3; rules `address-*`, `rtmpurl-count`.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from fakerelay.core.model import PushAddress
from fakerelay.core.problems import Problem, invalid_parameter

MOST_ADDRESSES: Final = 5
MOST_BYTES: Final = 512
MANY_BYTES: Final = 256
DEFAULT_PORTS: Final = {"rtmp": 1935, "rtmps": 443}

_PLAIN = re.compile(r"rtmps?://[a-z0-9.-]+(?:/[!-+\--~]*)?")
_PRINTABLE = re.compile(r"[!-+\--~]*")
_SCHEME = re.compile(r"(rtmps?)://", re.IGNORECASE)
_AUTHORITY = re.compile(
    r"(?P<user>.*@)?(?P<host>\[[^\[\]@]*\]|[A-Za-z0-9._~%!$&'()*+;=-]*)(?P<port>:.*)?"
)
_PORT = re.compile(r":0*([0-9]{1,5})")
_PATTERN = re.compile(
    r"(?P<scheme>rtmps?)://(?P<user>[^/#]*@)?(?P<host>[^/#@]*?)(?P<port>:[0-9]+)?(?P<rest>[/#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_WILDCARD = re.compile(r"[*?[]")
_QUERY_VALUE = re.compile(r"=[^&#]*")
_PASSWORD = re.compile(r"^([^/?#]*//[^/?#@:]*:)[^/?#]*@")


def read_addresses(rtmpurl: str) -> tuple[PushAddress, ...] | Problem:
    """The one to five addresses of an `rtmpurl`, or the first thing wrong with it."""
    is_usual = len(rtmpurl) <= MOST_ADDRESSES * (MOST_BYTES + 1)
    return _read_known_list(rtmpurl) if is_usual else _read_list(rtmpurl)


def _read_list(rtmpurl: str) -> tuple[PushAddress, ...] | Problem:
    if "," not in rtmpurl:
        only = read_address(rtmpurl)
        return only if isinstance(only, Problem) else (only,)
    texts = rtmpurl.split(",")
    if len(texts) > MOST_ADDRESSES:
        return invalid_parameter(
            "rtmpurl-count",
            "rtmpurl",
            f"at most {MOST_ADDRESSES} addresses, got {len(texts)}",
            rtmpurl,
        )
    addresses = []
    for number, text in enumerate(texts, start=1):
        address = read_address(text)
        if isinstance(address, Problem):
            return _tell_which(address, number, text)
        addresses.append(address)
    return tuple(addresses)


# Few enough to stay in the processor's cache: where addresses never come back, more would cost.
_read_known_list = lru_cache(maxsize=512)(_read_list)


def read_address(text: str) -> PushAddress | Problem:
    """One address, or why it is none."""
    if len(text) <= MOST_BYTES and _PLAIN.fullmatch(text):
        return PushAddress(text, text)
    return _read_unusual(text)


def address_key(text: str) -> str:
    """What an address is compared by; of what is none, its text."""
    address = read_address(text)
    return address.key if isinstance(address, PushAddress) else text


def _tell_which(problem: Problem, number: int, text: str) -> Problem:
    """The problem of one address among several."""
    reason = f"address {number}: {problem.facts['reason']}"
    return invalid_parameter(problem.rule, "rtmpurl", reason, text, problem.explanation["expected"])


def _read_unusual(text: str) -> PushAddress | Problem:
    """An address with a port, capitals, credentials or a fault: what most have none of."""
    if _PRINTABLE.fullmatch(text) is None:
        return _refuse("address-characters", text, "only printable ASCII, no space or comma")
    if len(text) > MOST_BYTES:
        return _refuse("address-length", text, f"at most {MOST_BYTES} bytes, got {len(text)}")
    if not text:
        return _refuse("address-scheme", text, "is empty; a comma stands only between addresses")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _refuse("address-scheme", text, "an address begins with rtmp:// or rtmps://")
    end = _find_authority_end(text, scheme.end())
    authority = _AUTHORITY.fullmatch(text, scheme.end(), end)
    if authority is None or not _is_host(authority["host"]):
        return _refuse("address-host", text, "a host name, an IPv4 or a bracketed IPv6 address")
    port = _read_port(authority["port"])
    if port is None:
        return _refuse("address-port", text, "a port is 1 to 65535, or left out with its colon")
    name = scheme[1].lower()
    shown_port = f":{port}" if port and port != DEFAULT_PORTS[name] else ""
    key = f"{name}://{authority['user'] or ''}{authority['host'].lower()}{shown_port}{text[end:]}"
    return PushAddress(text, text if key == text else key)


@lru_cache(maxsize=512)
def normalize_pattern(pattern: str) -> str:
    """A pattern of addresses as their keys are: scheme and host small, no default port.

    What is no scheme, host and path, it leaves as it is.
    """
    match = _PATTERN.fullmatch(pattern)
    if match is None:
        return pattern
    scheme, port = match["scheme"].lower(), (match["port"] or ":").lstrip(":0")
    shown_port = f":{port}" if port and port != str(DEFAULT_PORTS.get(scheme)) else ""
    host = match["host"].lower()
    return f"{scheme}://{match['user'] or ''}{host}{shown_port}{match['rest'] or ''}"


def is_possible_pattern(pattern: str) -> bool:
    """Whether a pattern begins as an address does, or with a wildcard before that is told."""
    head = _WILDCARD.split(pattern, maxsplit=1)[0].lower()
    starts = [f"{scheme}://" for scheme in DEFAULT_PORTS]
    return any(start.startswith(head) or head.startswith(start) for start in starts)


def mask_address(text: str) -> str:
    """An address or list of them, fit for logs: query values and passwords are left out."""
    return ",".join(_mask_one(part) for part in text.split(","))


def _mask_one(text: str) -> str:
    head, mark, query = _PASSWORD.sub(r"\1***@", text).partition("?")
    return head + mark + _QUERY_VALUE.sub("=***", query)


def _find_authority_end(text: str, start: int) -> int:
    for index in range(start, len(text)):
        if text[index] in "/?#":
            return index
    return len(text)


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return bool(host)
    try:
        IPv6Address(host[1:-1])
    except AddressValueError:
        return False
    return True


def _read_port(text: str | None) -> int | None:
    """0 where there is none, None where it is no port."""
    if text is None:
        return 0
    match = _PORT.fullmatch(text)
    port = int(match[1]) if match else 0
    return port if 1 <= port <= 65535 else None


def _refuse(rule: str, text: str, reason: str) -> Problem:
    return invalid_parameter(rule, "rtmpurl", reason, text)
