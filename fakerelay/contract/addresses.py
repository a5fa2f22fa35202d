"""Push addresses spelled otherwise: which are the same then, and which only look alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

Spelling = Callable[[str], str]


class _Parts(NamedTuple):
    scheme: str
    host: str
    port: str
    rest: str


def _split(url: str) -> _Parts:
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    host, colon, port = place.partition(":")
    return _Parts(scheme, host, colon + port, slash + path)


def _join(parts: _Parts) -> str:
    return f"{parts.scheme}://{parts.host}{parts.port}{parts.rest}"


def with_port(url: str, port: str) -> str:
    """In the place of any port that it has."""
    return _join(_split(url)._replace(port=f":{port}"))


def with_scheme(url: str, scheme: str) -> str:
    return _join(_split(url)._replace(scheme=scheme))


def with_user(url: str, user: str) -> str:
    parts = _split(url)
    return _join(parts._replace(host=f"{user}@{parts.host}"))


def on_ipv6(url: str) -> str:
    return _join(_split(url)._replace(host="[2001:db8::1]", port=""))


def without_path(url: str) -> str:
    """What tells it from others goes into the host."""
    parts = _split(url)
    name = parts.rest.rpartition("/")[2]
    return _join(parts._replace(host=f"{name}.{parts.host}", rest=""))


def with_default_port(url: str) -> str:
    """If it has none."""
    parts = _split(url)
    default = "443" if parts.scheme.lower() == "rtmps" else "1935"
    return _join(parts._replace(port=parts.port or f":{default}"))


def with_big_scheme(url: str) -> str:
    return with_scheme(url, _split(url).scheme.upper())


def with_big_host(url: str) -> str:
    parts = _split(url)
    return _join(parts._replace(host=parts.host.upper()))


def with_all(url: str) -> str:
    return with_default_port(with_big_host(with_big_scheme(url)))


SAME: Final[Mapping[str, Spelling]] = {
    "scheme in capitals": with_big_scheme,
    "host in capitals": with_big_host,
    "default port": with_default_port,
    "capitals and default port": with_all,
}
"""How one address can be spelled."""

_ALIKE: Final[Sequence[Spelling]] = (
    lambda url: f"{url}/a",
    lambda url: f"{url}/A",
    lambda url: f"{url}/%61",
    lambda url: f"{url}/a/",
    lambda url: f"{url}/a?b=c",
    lambda url: f"{url}/a?b=C",
    lambda url: f"{url}/a?b=c&d=e",
    lambda url: with_user(f"{url}/a", "user"),
    lambda url: with_user(f"{url}/a", "User"),
    lambda url: with_user(f"{url}/a", "user:word"),
    lambda url: with_scheme(f"{url}/a", "rtmps"),
    lambda url: with_port(f"{url}/a", "19350"),
    lambda url: with_port(f"{url}/a", "443"),
    lambda url: with_port(with_scheme(f"{url}/a", "rtmps"), "1935"),
    lambda url: f"{url}/".ljust(500, "a") + "b",
    lambda url: f"{url}/".ljust(500, "a") + "c",
)
LOOK_ALIKES: Final = len(_ALIKE)
"""So many addresses look alike and are different ones."""


def look_alike(url: str) -> str:
    """That one of them that the number at an address's end stands for."""
    stem, _, number = url.rpartition("-")
    return _ALIKE[int(number) % LOOK_ALIKES](stem)
