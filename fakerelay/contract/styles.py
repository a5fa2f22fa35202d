"""What is unusual in a request, and fine (`contract.md` sections 1 to 3, 6), by name."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fakerelay.contract.drafts import Draft
from fakerelay.contract.operations import Kind, Level

_BOTH: Final = ("startrtmp", "stoprtmp")
_START: Final = ("startrtmp",)
_KINDS: Final[tuple[Kind, ...]] = ("mixed", "source")
_MIXED: Final[tuple[Kind, ...]] = ("mixed",)
_SOURCE: Final[tuple[Kind, ...]] = ("source",)
_SIZES: Final = (
    (320, 180, 150, 15),
    (640, 480, 500, 15),
    (1280, 720, 1600, 24),
    (720, 1280, 1600, 24),
)


class Style(NamedTuple):
    """A way to say the same: a server that refuses it breaks `rule`."""

    rule: str
    level: Level
    change: Callable[[Draft], None]
    operations: tuple[str, ...] = _START
    kinds: tuple[Kind, ...] = _KINDS


def _mixconfig(**parts: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.body.update(mixconfig=dict(parts))


def _place(room: str, x: int, width: int) -> dict[str, Any]:
    """An input with all that the SDK lets one say of its place."""
    place = {"x": x, "y": 0, "width": width, "height": 360, "zorder": 0}
    return {"uid": "u1", "roomid": room, **place}


def _names(field: str, change: Callable[[str], str]) -> Callable[[Draft], None]:
    def spell(draft: Draft) -> None:
        if field in draft.body:
            draft.body[field] = change(draft.body[field])

    return spell


def _addresses(change: Callable[[str], str]) -> Callable[[Draft], None]:
    def spell(draft: Draft) -> None:
        if "rtmpurl" in draft.body:
            draft.body["rtmpurl"] = ",".join(map(change, draft.body["rtmpurl"].split(",")))

    return spell


def _raw(text: Callable[[str], str]) -> Callable[[Draft], None]:
    def spell(draft: Draft) -> None:
        draft.raw = text(json.dumps(draft.body)).encode()

    return spell


def _trace(trace_id: str | None) -> Callable[[Draft], None]:
    def spell(draft: Draft) -> None:
        draft.trace_id = trace_id

    return spell


def _with_default_port(url: str) -> str:
    host, slash, path = url.removeprefix("rtmp://").partition("/")
    return f"rtmp://{host.partition(':')[0]}:1935{slash}{path}" if ":" not in host else url


def _in_capitals(url: str) -> str:
    host, slash, path = url.removeprefix("rtmp://").partition("/")
    return f"RTMP://{host.upper()}{slash}{path}"


_OUTPUT: Final = {"width": 640, "height": 360, "bitrate": 500, "fps": 15}
STYLES: Final[Mapping[str, Style]] = {
    "plain": Style("start-path", "documented", lambda draft: None, _BOTH),
    **{
        f"template {number}": Style(
            "templateid-values",
            "documented",
            _mixconfig(
                templateid=number,
                output={"width": 960, "height": 544, "bitrate": 1000, "fps": 24},
            ),
            kinds=_MIXED,
        )
        for number in (1, 2, 3, 4)
    },
    "custom layout": Style(
        "input-required",
        "documented",
        _mixconfig(input=[_place("r1", 0, 640)], output=_OUTPUT),
        kinds=_MIXED,
    ),
    "layout across rooms": Style(
        "template-one-room",
        "documented",
        _mixconfig(
            input=[
                _place("r1", 0, 320),
                _place("r2", 320, 320),
            ],
            output=_OUTPUT,
        ),
        kinds=_MIXED,
    ),
    **{
        f"output of {width}x{height}": Style(
            "output-known-sizes",
            "documented",
            _mixconfig(
                templateid=3,
                output={"width": width, "height": height, "bitrate": bitrate, "fps": fps},
            ),
            kinds=_MIXED,
        )
        for width, height, bitrate, fps in _SIZES
    },
    "empty output": Style(
        "output-defaults", "assumed", _mixconfig(templateid=3, output={}), kinds=_MIXED
    ),
    "ten inputs": Style(
        "inputs-over-nine",
        "assumed",
        _mixconfig(
            input=[{"uid": f"u{n}", "width": 8, "height": 8} for n in range(10)], output=_OUTPUT
        ),
        kinds=_MIXED,
    ),
    "room of 64 characters": Style(
        "roomid-form", "documented", _names("roomid", lambda name: name.ljust(64, "-")), _BOTH
    ),
    "task of 64 characters": Style(
        "taskid-form",
        "documented",
        _names("taskid", lambda name: name.ljust(64, "_")),
        _BOTH,
        _MIXED,
    ),
    "user of 64 characters": Style(
        "uid-form", "documented", _names("uid", lambda name: name.ljust(64, "_")), _BOTH, _SOURCE
    ),
    "address of 257 bytes": Style(
        "address-over-256", "documented", _addresses(lambda url: url.ljust(257, "a"))
    ),
    "address of 512 bytes": Style(
        "address-length", "documented", _addresses(lambda url: url.ljust(512, "a"))
    ),
    "address with a query": Style(
        "address-characters", "documented", _addresses(lambda url: f"{url}?a=~!$%26*()'b")
    ),
    "Authorization beside": Style(
        "no-authorization-header",
        "documented",
        lambda draft: draft.set_header("Authorization", "Basic bm9ib2R5Ondyb25n"),
        _BOTH,
    ),
    "rtmps": Style(
        "address-rtmps", "assumed", _addresses(lambda url: url.replace("rtmp://", "rtmps://"))
    ),
    "host in capitals": Style("address-comparison", "assumed", _addresses(_in_capitals)),
    "default port": Style("address-comparison", "assumed", _addresses(_with_default_port)),
    "unknown fields": Style(
        "field-unknown", "assumed", lambda draft: draft.body.update(x={"y": [1]}), _BOTH
    ),
    "fields of the other kind": Style(
        "field-ignored",
        "assumed",
        lambda draft: draft.body.update(taskid=5, mixconfig="x"),
        kinds=_SOURCE,
    ),
    "a user beside the task": Style(
        "field-ignored", "assumed", lambda draft: draft.body.update(uid=5), kinds=_MIXED
    ),
    "whole floats": Style(
        "json-whole-floats",
        "assumed",
        lambda draft: draft.body.update(streamtype=float(draft.body["streamtype"])),
        _BOTH,
    ),
    "a key twice": Style(
        "json-last-key", "assumed", _raw(lambda text: '{"streamtype": 7, ' + text[1:]), _BOTH
    ),
    "white space": Style("json-body", "assumed", _raw(lambda text: f"\n {text}\t"), _BOTH),
    "no trace id": Style("trace-id-missing", "assumed", _trace(None), _BOTH),
    "empty trace id": Style("trace-id-missing", "assumed", _trace(""), _BOTH),
}
"""{name: how it is said}; names of rooms and tasks come out the same in both operations."""
