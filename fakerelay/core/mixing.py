"""Mixing: which user's picture goes where on the canvas (`contract.md` section 3, `mixconfig`).

Works on a `mixconfig` that its schema has found valid. Coordinates are pixels from the upper left.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, isqrt
from typing import Any, Final, NamedTuple

from fakerelay.core.problems import Problem, invalid_parameter

HORIZONTAL: Final = 1
VERTICAL: Final = 2
TILED: Final = 3
CORNER: Final = 4

MANY_INPUTS: Final = 9
_SIDES: Final = ("x", "y", "width", "height")
OUTPUT_DEFAULTS: Final[Mapping[str, int]] = {
    "width": 640,
    "height": 360,
    "bitrate": 500,
    "fps": 15,
    "gop": 2,
    "audiobitrate": 128,
    "samplerate": 44100,
    "channels": 2,
}


class Tile(NamedTuple):
    """One user's rectangle on the canvas; `zorder` 0 lies lowest."""

    uid: str
    roomid: str
    x: int
    y: int
    width: int
    height: int
    zorder: int = 0


def read_output(mixconfig: Mapping[str, Any]) -> dict[str, int]:
    """The output with its defaults filled in (rule `output-defaults`)."""
    output = mixconfig["output"]
    return {name: int(output.get(name, default)) for name, default in OUTPUT_DEFAULTS.items()}


def check_layout(mixconfig: Mapping[str, Any], room_id: str) -> Problem | None:
    """The first input that lies outside the canvas, or shows a user of a room again."""
    inputs = mixconfig.get("input")
    if not inputs:
        return None
    canvas = read_output(mixconfig)
    seen = set()
    size = f"{canvas['width']}x{canvas['height']}"
    for index, tile in enumerate(_place_inputs(inputs, canvas, room_id)):
        field = f"mixconfig.input[{index}]"
        if not _lies_inside(tile, canvas):
            return invalid_parameter(
                "tile-in-canvas",
                field,
                f"lies outside the canvas of {size}",
                {side: inputs[index][side] for side in _SIDES if side in inputs[index]},
                f"at least a pixel, all of it within {size} from the upper left corner",
            )
        if (tile.uid, tile.roomid) in seen:
            return invalid_parameter(
                "input-uid-once", f"{field}.uid", "a user of a room has one input", tile.uid
            )
        seen.add((tile.uid, tile.roomid))
    return None


def resolve_tiles(
    mixconfig: Mapping[str, Any], room_id: str, live_users: Sequence[str] = ()
) -> list[Tile]:
    """Where each user goes; a template places the inputs' users, else the live ones, in order."""
    inputs = mixconfig.get("input") or ()
    canvas = read_output(mixconfig)
    template = mixconfig.get("templateid")
    if template is None:
        return list(_place_inputs(inputs, canvas, room_id))
    users = [(item["uid"], item.get("roomid", room_id)) for item in inputs]
    users = users or [(uid, room_id) for uid in live_users]
    boxes = _TEMPLATES[int(template)](len(users), canvas["width"], canvas["height"])
    return [
        Tile(uid, roomid, *box, zorder=_corner_order(template, index))
        for index, ((uid, roomid), box) in enumerate(zip(users, boxes, strict=True))
    ]


Box = tuple[int, int, int, int]


def _place_inputs(
    inputs: Sequence[Mapping[str, Any]], canvas: Mapping[str, int], room_id: str
) -> Iterable[Tile]:
    for item in inputs:
        x, y = int(item.get("x", 0)), int(item.get("y", 0))
        yield Tile(
            item["uid"],
            item.get("roomid", room_id),
            x,
            y,
            int(item.get("width", canvas["width"] - x)),
            int(item.get("height", canvas["height"] - y)),
            int(item.get("zorder", 0)),
        )


def _lies_inside(tile: Tile, canvas: Mapping[str, int]) -> bool:
    return (
        0 <= tile.x < tile.x + tile.width <= canvas["width"]
        and 0 <= tile.y < tile.y + tile.height <= canvas["height"]
    )


def _horizontal(count: int, width: int, height: int) -> list[Box]:
    """The first user large above, the others in a row below."""
    if count < 2:
        return [(0, 0, width, height)] * count
    upper = height * 3 // 4
    small = _split(width, count - 1)
    return [(0, 0, width, upper), *((x, upper, size, height - upper) for x, size in small)]


def _vertical(count: int, width: int, height: int) -> list[Box]:
    """The first user large on the left, the others in a column on the right."""
    if count < 2:
        return [(0, 0, width, height)] * count
    left = width * 3 // 4
    small = _split(height, count - 1)
    return [(0, 0, left, height), *((left, y, width - left, size) for y, size in small)]


def _tiled(count: int, width: int, height: int) -> list[Box]:
    """A grid, as square as it can be, filled row by row."""
    if count == 0:
        return []
    columns = isqrt(count - 1) + 1
    rows = ceil(count / columns)
    boxes = [
        (x, y, tile_width, tile_height)
        for y, tile_height in _split(height, rows)
        for x, tile_width in _split(width, columns)
    ]
    return boxes[:count]


def _corner(count: int, width: int, height: int) -> list[Box]:
    """The first user fills the canvas, the others lie small along the bottom, from the right."""
    if count < 2:
        return [(0, 0, width, height)] * count
    small_width = width // max(4, count - 1)
    small_height = height // 4
    return [
        (0, 0, width, height),
        *(
            (width - (place + 1) * small_width, height - small_height, small_width, small_height)
            for place in range(count - 1)
        ),
    ]


def _corner_order(template: int, index: int) -> int:
    return 1 if template == CORNER and index > 0 else 0


def _split(length: int, parts: int) -> list[tuple[int, int]]:
    """Offsets and sizes of `parts` even pieces of a length; nothing is left over."""
    edges = [length * part // parts for part in range(parts + 1)]
    return [(start, end - start) for start, end in pairwise(edges)]


_TEMPLATES: Final = {HORIZONTAL: _horizontal, VERTICAL: _vertical, TILED: _tiled, CORNER: _corner}
