"""Layouts and outputs that are fine: each bound, each default, all that is known by name."""

from collections.abc import Iterator
from typing import Any, Final

from fakerelay.contract.drafts import OUTPUT
from fakerelay.contract.operations import Level
from fakerelay.contract.styles.rows import MIXED, Style, set_mixconfig

_SIZES: Final = (
    (320, 180, 150, 15),
    (640, 480, 500, 15),
    (1280, 720, 1600, 24),
    (720, 1280, 1600, 24),
)
_SMALLEST: Final = {
    **{"width": 16, "height": 16, "fps": 1, "bitrate": 1, "gop": 1},
    **{"audiobitrate": 1, "samplerate": 1, "channels": 1},
}
_LARGEST: Final = {
    **{"width": 3840, "height": 3840, "fps": 60, "bitrate": 50_000, "gop": 60},
    **{"audiobitrate": 512, "samplerate": 48_000, "channels": 8},
}
_AT_BOUNDS: Final = [
    {"uid": "u1", "x": 0, "y": 0, "width": 640, "height": 360, "zorder": 0, "crop": 0, "alpha": 0},
    {"uid": "u2", "x": 639, "y": 359, "zorder": 100, "crop": 1, "alpha": 1.0},
    {"uid": "u3", "x": 639, "width": 1, "height": 360, "alpha": 0.5},
    {"uid": "u4", "y": 359, "width": 640, "height": 1, "alpha": 1},
    {"uid": "u5", "crop": 1, "cropx": 1, "cropy": 1, "cropwidth": 8, "cropheight": 8},
]


def list_layouts() -> Iterator[tuple[str, Style]]:
    for number in (1, 2, 3, 4):
        large = {**OUTPUT, "width": 960, "height": 544, "bitrate": 1000, "fps": 24}
        yield _layout(
            "documented", "templateid-values", f"template {number}", templateid=number, output=large
        )
    one, two = [_place("r1", 0, 640)], [_place("r1", 0, 320), _place("r2", 320, 320)]
    yield _layout("documented", "input-required", "custom layout", input=one, output=OUTPUT)
    yield _layout(
        "documented", "template-one-room", "layout across rooms", input=two, output=OUTPUT
    )
    nine = [{**_place("r1", 0, 64), "uid": f"u{n}"} for n in range(9)]
    yield _layout("documented", "input-required", "nine inputs", input=nine, output=OUTPUT)
    for width, height, bitrate, fps in _SIZES:
        size = {"width": width, "height": height, "bitrate": bitrate, "fps": fps}
        output = {**OUTPUT, **size}
        name = f"output of {width}x{height}"
        yield _layout("documented", "output-known-sizes", name, templateid=3, output=output)
    yield from _list_assumed()


def _list_assumed() -> Iterator[tuple[str, Style]]:
    for rule, name, output in (
        ("output-defaults", "empty output", {}),
        ("output-fields", "smallest output", _SMALLEST),
        ("output-fields", "largest output", _LARGEST),
        ("output-fields", "sizes that two alone divides", {"width": 642, "height": 358}),
    ):
        yield _layout("assumed", rule, name, templateid=3, output=output)
    ten = [{"uid": f"u{n}", "width": 8, "height": 8} for n in range(10)]
    rooms = [{"uid": "u1", "roomid": room} for room in ("r1", "r2")]
    canvas = {"uid": "u1", "width": 640, "height": 360}
    for rule, name, inputs in (
        ("inputs-over-nine", "ten inputs", ten),
        ("input-defaults", "input of a user alone", [{"uid": "u1"}]),
        ("input-fields", "inputs at their bounds", _AT_BOUNDS),
        ("input-uid-once", "a user in two rooms", rooms),
    ):
        yield _layout("assumed", rule, name, input=inputs, output=OUTPUT)
    yield _layout("assumed", "output-defaults", "canvas by default", input=[canvas], output={})
    yield _layout(
        "assumed", "template-over-input", "template and a layout",
        templateid=2, input=[_place("r1", 0, 640)], output=OUTPUT,
    )  # fmt: skip
    yield _layout(
        "assumed", "input-empty", "template with an empty input",
        templateid=2, input=[], output=OUTPUT,
    )  # fmt: skip


def _place(room: str, x: int, width: int) -> dict[str, Any]:
    """An input with all that the SDK lets one say of its place."""
    place = {"x": x, "y": 0, "width": width, "height": 360, "zorder": 0}
    return {"uid": "u1", "roomid": room, **place}


def _layout(level: Level, rule: str, name: str, **parts: Any) -> tuple[str, Style]:
    return name, Style(rule, level, set_mixconfig(**parts), kinds=MIXED)
