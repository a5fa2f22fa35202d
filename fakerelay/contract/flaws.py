"""What can be wrong with a request besides its token (`contract.md` sections 1 to 3 and 5)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from fakerelay.contract.drafts import Draft
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Kind, Level

_MISSING: Final = object()
_BOTH: Final = ("startrtmp", "stoprtmp")
_START: Final = ("startrtmp",)
_KINDS: Final[tuple[Kind, ...]] = ("mixed", "source")
_MIXED: Final[tuple[Kind, ...]] = ("mixed",)
_SOURCE: Final[tuple[Kind, ...]] = ("source",)


class Flaw(NamedTuple):
    """One thing wrong with a request of these operations and kinds of task."""

    fault: Fault
    spoil: Callable[[Draft], None]
    operations: tuple[str, ...] = _START
    kinds: tuple[Kind, ...] = _KINDS


def _put(path: str, value: Any) -> Callable[[Draft], None]:
    """Set a field, or take it away; a function makes the value of the one that stood there."""

    def spoil(draft: Draft) -> None:
        *parents, name = path.split(".")
        place: Any = draft.body
        for parent in parents:
            place = place[parent]
        if value is _MISSING:
            place.pop(name, None)
        else:
            place[name] = value(place[name]) if callable(value) else value

    return spoil


def _field(
    rule: str, path: str, values: Mapping[str, Any], level: Level, **where: Any
) -> Iterator[tuple[str, Flaw]]:
    for told, value in values.items():
        fault = Fault(rule, "invalid_parameter", level)
        yield f"{path} {told}", Flaw(fault, _put(path, value), **where)


def _raw(text: bytes) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.raw = text.replace(b"BODY", draft.encode()[1:-1])

    return spoil


def _header(name: str, value: str | None) -> Callable[[Draft], None]:
    return lambda draft: draft.set_header(name, value)


def _name_forms(field: str) -> Iterator[tuple[str, Flaw]]:
    kinds = _MIXED if field == "taskid" else _SOURCE if field == "uid" else _KINDS
    types = {"missing": _MISSING, "a number": 5, "null": None, "a list": ["a"], "true": True}
    forms = {
        "empty": "",
        "of 65 characters": lambda name: name.ljust(65, "a"),
        "with a space": lambda name: f"{name} a",
        "with a dot": lambda name: f"{name}.a",
        "not ASCII": lambda name: f"{name}\u00e9",
    }
    yield from _field(f"{field}-field", field, types, "documented", kinds=kinds)
    yield from _field(f"{field}-form", field, forms, "documented", kinds=kinds)


def _address_forms() -> Iterator[tuple[str, Flaw]]:
    types = {"missing": _MISSING, "a number": 5, "null": None, "a list": ["rtmp://h/a"]}
    yield from _field("rtmpurl-field", "rtmpurl", types, "documented")
    schemes = {
        "by http": lambda url: url.replace("rtmp://", "http://"),
        "by ftp": lambda url: url.replace("rtmp://", "ftp://"),
        "without a scheme": lambda url: url.replace("rtmp://", ""),
    }
    yield from _field("address-scheme", "rtmpurl", schemes, "documented")
    lengths = {"of 513 bytes": lambda url: url.split(",")[0].ljust(513, "a")}
    yield from _field("address-length", "rtmpurl", lengths, "documented")
    characters = {"in Chinese": lambda url: f"{url}\u4e2d\u6587"}
    yield from _field("address-characters", "rtmpurl", characters, "documented")
    blanks = {"with a space": lambda url: f"{url} a", "with a line break": lambda url: f"{url}\na"}
    yield from _field("address-characters", "rtmpurl", blanks, "assumed")
    hosts = {"without a host": lambda url: "rtmp:///live/a"}
    yield from _field("address-host", "rtmpurl", hosts, "assumed")
    ports = {
        "of port 0": lambda url: _with_port(url, "0"),
        "of port 65536": lambda url: _with_port(url, "65536"),
        "of an empty port": lambda url: _with_port(url, ""),
        "of a port in words": lambda url: _with_port(url, "rtmp"),
    }
    yield from _field("address-port", "rtmpurl", ports, "assumed")
    ends = {
        "with a comma behind": lambda url: f"{url},",
        "with a comma before": lambda url: f",{url}",
        "empty": "",
        "of commas alone": ",,",
    }
    yield from _field("rtmpurl-count", "rtmpurl", ends, "documented")


def _with_port(url: str, port: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.partition(':')[0]}:{port}{slash}{path}"


def _numbers() -> Iterator[tuple[str, Flaw]]:
    appids = {"missing": _MISSING, "a string": str, "null": None, "negative": -1, "half": 0.5}
    yield from _field("appid-field", "appid", appids, "documented")
    yield from _field("appid-field", "appid", {"of 65 bits": 2**64}, "documented")
    kinds = {"missing": _MISSING, "0": 0, "3": 3, "a string": str, "null": None, "true": True}
    yield from _field("streamtype-field", "streamtype", kinds, "documented")


def _mixing() -> Iterator[tuple[str, Flaw]]:
    where = {"kinds": _MIXED}
    objects = {"missing": _MISSING, "a string": "x", "null": None, "a list": []}
    yield from _field("mixconfig-field", "mixconfig", objects, "documented", **where)
    yield from _field("output-required", "mixconfig.output", objects, "documented", **where)
    templates = {"0": 0, "5": 5, "a string": "3", "negative": -1, "half": 1.5, "null": None}
    yield from _field("templateid-values", "mixconfig.templateid", templates, "documented", **where)
    neither = {"missing": _MISSING}
    yield from _field("input-required", "mixconfig.templateid", neither, "documented", **where)
    inputs = {"a string": "x", "an object": {}, "of numbers": [1]}
    yield from _field("input-required", "mixconfig.input", inputs, "documented", **where)
    user = {"uid": "u1"}
    tiles = {
        "without a uid": [{"x": 0}],
        "with a width of 0": [{**user, "width": 0}],
        "with a negative x": [{**user, "x": -1}],
        "with a zorder of 101": [{**user, "zorder": 101}],
        "with a crop of 2": [{**user, "crop": 2}],
        "with an alpha of 1.5": [{**user, "alpha": 1.5}],
    }
    yield from _field("input-fields", "mixconfig.input", tiles, "assumed", **where)
    wide = {"outside the canvas": [{**user, "x": 600, "width": 41, "height": 10}]}
    yield from _field("tile-in-canvas", "mixconfig.input", wide, "assumed", **where)
    twice = {"with a user twice": [user, user]}
    yield from _field("input-uid-once", "mixconfig.input", twice, "assumed", **where)
    outputs = {
        "of width 15": {"width": 15},
        "of width 641": {"width": 641},
        "of width 3842": {"width": 3842},
        "of height 14": {"height": 14},
        "of 0 fps": {"fps": 0},
        "of 61 fps": {"fps": 61},
        "of bitrate 0": {"bitrate": 0},
        "of width in words": {"width": "640"},
    }
    yield from _field("output-fields", "mixconfig.output", outputs, "assumed", **where)


def _bodies() -> Iterator[tuple[str, Flaw]]:
    texts = {
        "json-body": {
            "no JSON": b"{BODY",
            "empty": b"",
            "a list": b"[]",
            "a string": b'"BODY"',
            "null": b"null",
            "not UTF-8": b'{"a": "\xff", BODY}',
            "more behind it": b"{BODY} {}",
            "form data": b"appid=1&roomid=r",
        },
        "json-numbers": {
            "NaN in it": b'{BODY, "x": NaN}',
            "Infinity in it": b'{BODY, "x": -Infinity}',
        },
        "json-surrogates": {"a lone surrogate in it": b'{BODY, "x": "\\ud800"}'},
    }
    for rule, bodies in texts.items():
        for told, text in bodies.items():
            fault = Fault(rule, "malformed_json", "assumed")
            yield f"body: {told}", Flaw(fault, _raw(text), _BOTH)


def _transport() -> Iterator[tuple[str, Flaw]]:
    for told, value in {
        "text/plain": "text/plain",
        "a form": "application/x-www-form-urlencoded",
        "missing": None,
        "in Latin-1": "application/json; charset=latin-1",
    }.items():
        fault = Fault("content-type", "unsupported_content_type", "assumed")
        yield f"content type {told}", Flaw(fault, _header("Content-Type", value), _BOTH)

    def change_path(change: Callable[[str], str]) -> Callable[[Draft], None]:
        def spoil(draft: Draft) -> None:
            draft.path = change(draft.path)

        return spoil

    paths = {
        "unknown-path": {
            "of version 3": lambda path: path.replace("/v2/", "/v3/"),
            "with a slash behind": lambda path: path + "/",
            "of another call": lambda path: path.replace("rtmp", "rtsp", 2),
        },
    }
    for rule, changes in paths.items():
        for told, change in changes.items():
            fault = Fault(rule, "unknown_path", "assumed")
            yield f"path {told}", Flaw(fault, change_path(change), _BOTH)

    def change_method(method: str) -> Callable[[Draft], None]:
        def spoil(draft: Draft) -> None:
            draft.method = method

        return spoil

    for method in ("GET", "PUT", "DELETE"):
        fault = Fault("method-post", "method_not_allowed", "assumed")
        yield f"method {method}", Flaw(fault, change_method(method), _BOTH)
    large = Flaw(
        Fault("body-size", "body_too_large", "assumed"),
        _raw(b'{BODY, "x": "' + b"a" * 2**20 + b'"}'),
        _BOTH,
    )
    yield "body over 1 MiB", large
    mismatch = Fault("appid-matches-path", "appid_mismatch", "assumed")
    yield "appid of another", Flaw(mismatch, _put("appid", lambda appid: appid + 1), _BOTH)


def _all() -> Iterator[tuple[str, Flaw]]:
    for name in ("roomid", "taskid", "uid"):
        yield from _name_forms(name)
    yield from _address_forms()
    yield from _numbers()
    yield from _mixing()
    yield from _bodies()
    yield from _transport()


FLAWS: Final[Mapping[str, Flaw]] = dict(_all())
"""{name: what it breaks, and how}; each breaks one rule, and nothing else is wrong with it."""
