"""Bodies that are no JSON object, and calls that are none of the API's."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fakerelay.contract.drafts import Draft
from fakerelay.contract.flaws.rows import BOTH, Flaw, Spoil, put, set_header, write
from fakerelay.contract.model import Fault

NOBODYS_APP: Final = 918_273_645_546_372
_BODIES: Final[Mapping[str, Mapping[str, bytes]]] = {
    "json-body": {
        "no JSON": b"{BODY",
        "empty": b"",
        "a list": b"[{BODY}]",
        "null": b"null",
        "a number": b"5",
        "not UTF-8": b'{"a": "\xff", BODY}',
        "more behind it": b"{BODY} {}",
        "a comma too many": b"{BODY,}",
        "a line break in a string": b'{BODY, "x": "a\nb"}',
        "form data": b"appid=1&roomid=r",
    },
    "json-numbers": {
        "NaN in it": b'{BODY, "x": NaN}',
        "Infinity in it": b'{BODY, "x": Infinity}',
        "minus Infinity in it": b'{BODY, "x": [{"y": -Infinity}]}',
    },
    "json-surrogates": {
        "a lone surrogate in it": b'{BODY, "x": "\\ud800"}',
        "a lone low surrogate in it": b'{BODY, "x": ["a\\udc00b"]}',
        "a lone surrogate in a key": b'{BODY, "\\ud83d": 1}',
    },
}
_TYPES: Final = {
    "missing": None,
    "text/plain": "text/plain",
    "text/json": "text/json;charset=utf-8",
    "of a JSON patch": "application/json-patch+json",
    "of another charset": "application/json;charset=gbk",
    "a form": "application/x-www-form-urlencoded",
    "XML": "application/xml;charset=utf-8",
}
_PATHS: Final[Mapping[str, Callable[[str], str]]] = {
    "of version 1": lambda path: path.replace("/v2/", "/v1/"),
    "of version 3": lambda path: path.replace("/v2/", "/v3/"),
    "of another call": lambda path: path.replace("rtmp", "rtsp", 2),
    "with more behind": lambda path: f"{path}x",
    "with more before": lambda path: f"/x{path}",
    "with two slashes": lambda path: path.replace("/v2/", "//v2/"),
    "with a slash behind": lambda path: f"{path}/",
    "in capitals": lambda path: path.replace("rtmp", "Rtmp"),
}


def list_transport_flaws() -> Iterator[tuple[str, Flaw]]:
    for rule, bodies in _BODIES.items():
        for told, text in bodies.items():
            yield f"body: {told}", _flaw(rule, "malformed_json", write(text))
    yield "body: a string", _flaw("json-body", "malformed_json", _quote)
    for told, value in _TYPES.items():
        header = set_header("Content-Type", value)
        yield (
            f"content type {told}",
            _flaw("content-type", "unsupported_content_type", header),
        )
    for told, change in _PATHS.items():
        yield f"path {told}", _flaw("unknown-path", "unknown_path", _change_path(change))
    legacy = _change_path(lambda path: path.replace("/v2/rtmpforward/", "/v1/recordoss/"))
    yield "path of the recording API", _flaw("legacy-paths", "unknown_path", legacy)
    for method in ("GET", "PUT", "DELETE"):
        yield f"method {method}", _flaw("method-post", "method_not_allowed", _set_method(method))
    yield "body over 1 MiB", _flaw("body-size", "body_too_large", _grow)
    for told, other in (
        ("of another", lambda appid: appid + 1),
        ("of another in its upper half", lambda appid: (appid + 2**32) % 2**64),
        ("of 64 bits", 2**64 - 1),
    ):
        flaw = _flaw("appid-matches-path", "appid_mismatch", put("appid", other))
        yield f"appid {told}", flaw
    yield "app that is nobody's", _flaw("certificate-opens-app", "app_forbidden", _leave_app)


def _flaw(rule: str, problem: str, spoil: Spoil) -> Flaw:
    return Flaw(Fault(rule, problem, "assumed"), spoil, BOTH)


def _quote(draft: Draft) -> None:
    """The whole of it as the text of a JSON string."""
    draft.raw = json.dumps(draft.encode().decode()).encode()


def _grow(draft: Draft) -> None:
    """To one byte more than there may be."""
    draft.raw = draft.encode().ljust(2**20 + 1)


def _change_path(change: Callable[[str], str]) -> Spoil:
    def spoil(draft: Draft) -> None:
        draft.path = change(draft.path)

    return spoil


def _set_method(method: str) -> Spoil:
    def spoil(draft: Draft) -> None:
        draft.method = method

    return spoil


def _leave_app(draft: Draft) -> None:
    draft.path = draft.path.replace(f"/{draft.account.appid}/", f"/{NOBODYS_APP}/")
    draft.body["appid"] = NOBODYS_APP
