"""Which call a request's target names (`contract.md` section 1)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, unquote

from fakerelay.core.plain import clean_text
from fakerelay.core.requests import START, STOP

_PATH = re.compile(
    r"/app/(?P<appid>0|[1-9][0-9]{0,19})/"
    r"(?:v2/rtmpforward|(?P<legacy>v1/recordoss))/"
    rf"(?P<operation>{START}|{STOP})"
)
_APP_PATH = re.compile(r"/app/(?P<appid>0|[1-9][0-9]{0,19})(?=/|$)")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_MOST_BYTES: Final = 300  # with every character of the longest path percent-encoded
_MOST_APPID: Final = 2**64 - 1


@dataclass(slots=True)
class Route:
    """A call on an app; `is_legacy` where it came by the path that only some profiles answer."""

    appid: int
    operation: str
    is_legacy: bool


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request's target, which a proxy may have sent with its origin."""
    if not target.startswith("/"):
        target = _ORIGIN.sub("", target, count=1)
    path, _, query = target.partition("?")
    return path, query


def find_route(path: str) -> Route | None:
    """The call that a path names (rules `unknown-path`, `path-appid`, `legacy-paths`)."""
    return _read_path(path) if len(path) <= _MOST_BYTES else None


@lru_cache(maxsize=4096)
def _read_path(path: str) -> Route | None:
    if "%" in path and "%2f" not in path.lower():
        path = unquote(path)
    match = _PATH.fullmatch(path)
    if match is None or int(match["appid"]) > _MOST_APPID:
        return None
    return Route(int(match["appid"]), match["operation"], match["legacy"] is not None)


def find_appid(path: str) -> int | None:
    """The appid in what is no path of a call, so that its world can tell of the mistake."""
    path = path[:_MOST_BYTES]
    match = _APP_PATH.match(unquote(path) if "%" in path else path)
    if match is None or int(match["appid"]) > _MOST_APPID:
        return None
    return int(match["appid"])


def find_trace_id(query: str) -> str:
    """The first `traceId` of a query, decoded (rule `trace-id-first`); empty where none is."""
    is_plain = not ("&" in query or "%" in query or "+" in query) and query.isascii()
    if is_plain and query.startswith("traceId="):
        return query[8:]
    for name, value in parse_qsl(clean_text(query), keep_blank_values=True):
        if name == "traceId":
            return value
    return ""
