"""Where callbacks may go: near addresses always, public ones by name, some never.

Judged by the address that a connection is about to be made to, whatever the URL looked like.
"""

import ipaddress
from typing import Final

from yarl import URL

from fakerelay.errors import ConfigError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*networks: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks)


_NEAR: Final = _networks(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
# Clouds answer with credentials at link-local addresses, one also at an address of its own.
_NEVER: Final = {
    "link-local": _networks("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"),
    "unspecified": _networks("0.0.0.0/8", "::/128"),
    "multicast": _networks("224.0.0.0/4", "ff00::/8"),
    "broadcast": _networks("255.255.255.255/32"),
}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


def check_callback_url(url: str) -> str:
    """The URL, if callbacks can be posted to it; raises `ConfigError`, which never quotes it.

    A callback URL may hold a password or a secret, so a message names only what is wrong.
    """
    try:
        parsed = URL(url)
        scheme, host, port = parsed.scheme, parsed.raw_host, parsed.port
    except ValueError:
        raise _unusable("it can't be read as a URL") from None
    if any(character.isspace() or not character.isprintable() for character in url):
        raise _unusable("it holds spaces or control characters")
    if scheme not in ("http", "https"):
        raise _unusable(f"its scheme is {scheme!r}")
    if not host:
        raise _unusable("it names no host")
    if not port:
        raise _unusable(f"its port is {port!r}, not 1 to 65535")
    return url


def _unusable(reason: str) -> ConfigError:
    return ConfigError(
        f"Can't use the callback URL: {reason}; give one like http://127.0.0.1:9000/callbacks"
    )


def normalize_host(host: str) -> str:
    """A host as `--callback-allow` and URLs are compared by it."""
    return host.strip().strip("[]").rstrip(".").lower()


def find_refusal(address: str, *, is_allowed: bool) -> str | None:
    """Why no callback may go to an IP address, and the way out; None where it may.

    `is_allowed` says that the URL's host was named as one that may be public.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address!r} is not an IP address, so it is no target of callbacks"
    embedded = _embedded_address(ip)
    for each in (ip, embedded):
        for kind, networks in _NEVER.items():
            if each is not None and any(each in network for network in networks):
                return f"{address} is {kind}: callbacks never go there, use another callback URL"
    judged = embedded if embedded is not None and _is_mapped(ip) else ip
    if is_allowed or any(judged in network for network in _NEAR):
        return None
    return (
        f"{address} is public: callbacks go to loopback and private networks only, "
        "unless the URL's host is named by --callback-allow HOST"
    )


def _is_mapped(ip: _Address) -> bool:
    return isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None


def _embedded_address(ip: _Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for in mapping, 6to4, NAT64 or the old form."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64 or (ip in _IPV4_COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour
