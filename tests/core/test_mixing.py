from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.mixing import Tile, check_layout, read_output, resolve_tiles
from fakerelay.core.problems import Problem

CANVAS = {"width": 640, "height": 360}
EVEN = st.integers(8, 1920).map(lambda half: half * 2)
TEMPLATES = {"horizontal": 1, "vertical": 2, "tiled": 3, "corner": 4}


def custom(*inputs: Mapping[str, Any], **output: int) -> dict[str, Any]:
    return {"input": list(inputs), "output": {**CANVAS, **output}}


def template(number: float, **output: int) -> dict[str, Any]:
    return {"templateid": number, "output": {**CANVAS, **output}}


def users(count: int) -> list[str]:
    return [f"u{number}" for number in range(count)]


def boxes(tiles: list[Tile]) -> list[tuple[int, int, int, int]]:
    return [(tile.x, tile.y, tile.width, tile.height) for tile in tiles]


def test_output_left_out_is_the_sdks() -> None:
    assert read_output({"output": {}}) == {
        "width": 640,
        "height": 360,
        "bitrate": 500,
        "fps": 15,
        "gop": 2,
        "audiobitrate": 128,
        "samplerate": 44100,
        "channels": 2,
    }


def test_output_given_stays_and_is_whole() -> None:
    output = read_output({"output": {"width": 1280.0, "height": 720, "gop": 4, "codec": "h264"}})
    assert output == {**read_output({"output": {}}), "width": 1280, "height": 720, "gop": 4}
    assert type(output["width"]) is int


INSIDE = {
    "the whole canvas by default": {"uid": "u"},
    "the whole canvas": {"uid": "u", "x": 0, "y": 0, "width": 640, "height": 360},
    "up to the right and lower edge": {"uid": "u", "x": 600, "y": 300, "width": 40, "height": 60},
    "the last pixel": {"uid": "u", "x": 639, "y": 359, "width": 1, "height": 1},
    "the rest from a corner": {"uid": "u", "x": 639, "y": 359},
    "whole floats": {"uid": "u", "x": 320.0, "y": 180.0, "width": 320.0, "height": 180.0},
}


@pytest.mark.parametrize("item", INSIDE.values(), ids=INSIDE.keys())
def test_tile_lies_inside(item: dict[str, Any]) -> None:
    assert check_layout(custom(item), "r") is None


OUTSIDE = {
    "too wide": {"uid": "u", "width": 641},
    "too high": {"uid": "u", "height": 361},
    "a pixel too far right": {"uid": "u", "x": 601, "width": 40},
    "a pixel too low": {"uid": "u", "y": 301, "height": 60},
    "begins at the right edge": {"uid": "u", "x": 640},
    "begins at the lower edge": {"uid": "u", "y": 360},
    "far away": {"uid": "u", "x": 10**400, "width": 1},
    "a float's limit": {"uid": "u", "width": 1.7976931348623157e308},
    "left of it": {"uid": "u", "x": -1, "width": 10},
    "above it": {"uid": "u", "y": -1, "height": 10},
}


@pytest.mark.parametrize("item", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_tile_lies_outside(item: dict[str, Any]) -> None:
    problem = check_layout(custom({"uid": "v"}, item), "r")
    assert isinstance(problem, Problem), problem
    assert (problem.name, problem.rule) == ("invalid_parameter", "tile-in-canvas")
    assert problem.facts["field"] == "mixconfig.input[1]"


def test_tile_is_held_against_the_canvas_it_names() -> None:
    item = {"uid": "u", "x": 640, "width": 640}
    assert check_layout(custom(item, width=1280), "r") is None
    assert check_layout(custom(item, width=1278), "r") is not None


def test_tile_is_held_against_the_default_canvas() -> None:
    assert check_layout({"input": [{"uid": "u", "width": 641}], "output": {}}, "r") is not None
    assert check_layout({"input": [{"uid": "u", "width": 640}], "output": {}}, "r") is None


def test_tile_outside_is_refused_with_a_template_too() -> None:
    assert check_layout({**custom({"uid": "u", "width": 641}), "templateid": 1}, "r") is not None


@pytest.mark.parametrize(
    "items",
    [
        [{"uid": "u"}, {"uid": "u"}],
        [{"uid": "u", "roomid": "r"}, {"uid": "u"}],
        [{"uid": "u", "roomid": "q"}, {"uid": "v"}, {"uid": "u", "roomid": "q"}],
    ],
    ids=["by default", "the task's room named", "another room"],
)
def test_user_of_a_room_stands_in_one_input(items: list[dict[str, Any]]) -> None:
    problem = check_layout(custom(*items), "r")
    assert isinstance(problem, Problem)
    assert (problem.name, problem.rule) == ("invalid_parameter", "input-uid-once")
    assert problem.facts["field"] == f"mixconfig.input[{len(items) - 1}].uid"


def test_users_of_one_name_in_several_rooms_are_several() -> None:
    items = [{"uid": "u"}, {"uid": "u", "roomid": "q"}, {"uid": "U"}]
    assert check_layout(custom(*items), "r") is None


def test_more_than_nine_inputs_are_no_problem() -> None:
    assert check_layout(custom(*({"uid": uid} for uid in users(100))), "r") is None


def test_template_without_inputs_is_no_problem() -> None:
    assert check_layout(template(1), "r") is None
    assert check_layout({**template(1), "input": []}, "r") is None


def test_custom_layout_places_each_user_as_it_says() -> None:
    mixconfig = custom(
        {"uid": "a"}, {"uid": "b", "roomid": "q", "x": 320, "y": 180.0, "width": 100, "zorder": 9}
    )
    assert resolve_tiles(mixconfig, "r") == [
        Tile("a", "r", 0, 0, 640, 360),
        Tile("b", "q", 320, 180, 100, 180, 9),
    ]


HORIZONTAL = [(0, 0, 640, 270), (0, 270, 320, 90), (320, 270, 320, 90)]
VERTICAL = [(0, 0, 480, 360), (480, 0, 160, 180), (480, 180, 160, 180)]
TILED = [(0, 0, 320, 180), (320, 0, 320, 180), (0, 180, 320, 180)]
CORNER = [(0, 0, 640, 360), (480, 270, 160, 90), (320, 270, 160, 90)]


@pytest.mark.parametrize(
    ("number", "expected"), [(1, HORIZONTAL), (2, VERTICAL), (3, TILED), (4, CORNER)], ids=TEMPLATES
)
def test_template_places_three_users(number: int, expected: list[tuple[int, ...]]) -> None:
    assert boxes(resolve_tiles(template(number), "r", users(3))) == expected


@pytest.mark.parametrize("number", TEMPLATES.values(), ids=TEMPLATES)
def test_template_gives_one_user_all_and_nobody_nothing(number: int) -> None:
    assert boxes(resolve_tiles(template(number), "r", ["u"])) == [(0, 0, 640, 360)]
    assert resolve_tiles(template(number), "r") == []


def test_template_places_the_inputs_users_before_the_live_ones() -> None:
    mixconfig = {**template(2.0), "input": [{"uid": "a", "x": 5}, {"uid": "b"}]}
    assert [tile.uid for tile in resolve_tiles(mixconfig, "r", ["live"])] == ["a", "b"]
    assert [tile.uid for tile in resolve_tiles(template(2.0), "r", ["live"])] == ["live"]


def test_corner_template_lays_the_small_ones_on_top() -> None:
    assert [tile.zorder for tile in resolve_tiles(template(4), "r", users(3))] == [0, 1, 1]


@pytest.mark.parametrize(
    ("count", "columns", "rows"),
    [(1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 2, 2), (5, 3, 2), (6, 3, 2), (7, 3, 3), (9, 3, 3)],
)
def test_tiled_template_is_as_square_as_it_can_be(count: int, columns: int, rows: int) -> None:
    tiles = resolve_tiles(template(3), "r", users(count))
    assert (len({tile.x for tile in tiles}), len({tile.y for tile in tiles})) == (columns, rows)


def overlap(one: Tile, other: Tile) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@given(st.sampled_from([1, 2, 3, 4]), st.integers(0, 9), EVEN, EVEN)
def test_template_keeps_nine_users_inside_the_canvas_and_apart(
    number: int, count: int, width: int, height: int
) -> None:
    tiles = resolve_tiles(template(number, width=width, height=height), "r", users(count))
    assert [tile.uid for tile in tiles] == users(count)
    for tile in tiles:
        assert 0 <= tile.x < tile.x + tile.width <= width
        assert 0 <= tile.y < tile.y + tile.height <= height
    for one, other in combinations(tiles, 2):
        assert one.zorder != other.zorder or not overlap(one, other)
