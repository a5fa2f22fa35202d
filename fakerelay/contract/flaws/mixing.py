"""What can be wrong with the layout and the output of a mixed task (section 3)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from fakerelay.contract.drafts import OUTPUT, Draft
from fakerelay.contract.flaws.rows import MISSING, MIXED, Flaw, put, spoil_field
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Level

_OBJECTS: Final = {"missing": MISSING, "a string": "x", "null": None, "a list": []}
_OTHER: Final = {"uid": "u0", "width": 10, "height": 10}
_USER: Final = {"uid": "u1", "width": 10, "height": 10}
_WHOLE: Final = {"uid": "u1"}
_OUT_OF_BOUNDS: Final[Mapping[str, Sequence[Any]]] = {
    "x": ["0", 1.5],
    "y": ["0", 1.5],
    "width": [0, "10", 1.5],
    "height": [0, "10", 1.5],
    "zorder": [-1, 101, "0", 1.5],
    "crop": [-1, 2, "1"],
    "cropx": ["0"],
    "cropy": [1.5],
    "cropwidth": ["10"],
    "cropheight": [1.5],
    "alpha": [-0.01, 1.01, "1"],
}
_OUTSIDE: Final[Mapping[str, Mapping[str, Any]]] = {
    "outside the canvas": {**_USER, "x": 631},
    "below the canvas": {**_USER, "y": 351},
    "left of the canvas": {**_USER, "x": -1},
    "above the canvas": {**_USER, "y": -1},
    "wider than the canvas": {"uid": "u1", "width": 641, "height": 10},
    "higher than the canvas": {"uid": "u1", "width": 10, "height": 361},
    "that begins where the canvas ends": {**_WHOLE, "x": 640},
    "that begins below the canvas": {**_WHOLE, "y": 360},
}
_SIZES: Final = (14, 17, 3842, "640", 640.5)
_OUTPUTS: Final[Mapping[str, Sequence[Any]]] = {
    "width": _SIZES,
    "height": _SIZES,
    "fps": (0, 61, "15", 1.5),
    "bitrate": (0, "500", 1.5),
    "gop": (0, "2"),
    "audiobitrate": (0, 1.5),
    "samplerate": (0, "44100"),
    "channels": (0, 1.5),
}


def list_mixing_flaws() -> Iterator[tuple[str, Flaw]]:
    yield from _documented("mixconfig-field", "mixconfig", _OBJECTS)
    yield from _documented("output-required", "mixconfig.output", _OBJECTS)
    templates = {"0": 0, "5": 5, "a string": "3", "negative": -1, "half": 1.5, "null": None}
    yield from _documented("templateid-values", "mixconfig.templateid", templates)
    yield from _documented("input-required", "mixconfig.templateid", {"missing": MISSING}, "input")
    inputs = {
        "a string": "x",
        "an object": _USER,
        "of numbers": [1],
        "of a user and a number": [_USER, 1],
        "null": None,
    }
    yield from _documented("input-required", "mixconfig.input", inputs)
    yield from _documented("output-required", "mixconfig", {"empty": {}}, "output")
    bare = {"input": [_USER]}
    custom = {"without an output, of a custom layout": bare}
    yield from _documented("output-required", "mixconfig", custom, "output")
    yield _layout("input-empty", "empty", [])
    yield _layout("input-fields", "without a uid", [{"x": 0}])
    for field, values in _OUT_OF_BOUNDS.items():
        for number, value in enumerate(values):
            told = f"with a {field} of {value!r}"
            # By turns it is the second that is wrong.
            before = [_OTHER] * (number % 2)
            yield _layout("input-fields", told, [*before, {**_USER, field: value}])
    yield _layout("input-fields", "of which the second has no uid", [_OTHER, {"x": 20}])
    for number, (told, tile) in enumerate(_OUTSIDE.items()):
        yield _layout("tile-in-canvas", told, [*[_OTHER] * (number % 2), tile])
    twice = [_USER, _OTHER, {**_USER, "x": 20}]
    yield _layout("input-uid-once", "with a user twice", twice)
    roomed = [{**tile, "roomid": "r1"} for tile in twice]
    yield _layout("input-uid-once", "with a user twice in a room", roomed)
    yield _repeat_in_own_room()
    wide = {"input": [{"uid": "u1", "width": 641, "height": 10}], "output": {}}
    yield _flaw(
        "tile-in-canvas", "mixconfig.input wider than by default", lambda config: wide, ("input",)
    )
    for field, bad in _OUTPUTS.items():
        for value in bad:
            told = f"mixconfig.output of {field} {value!r}"
            yield _flaw("output-fields", told, _set_output(field, value), ("output", field))


def _documented(
    rule: str, path: str, values: Mapping[str, Any], *words: str
) -> Iterator[tuple[str, Flaw]]:
    level: Level = "documented"
    told = (*path.split("."), *words)
    yield from spoil_field(rule, path, values, level, kinds=MIXED, words=told)


def _layout(rule: str, told: str, tiles: Sequence[Mapping[str, Any]]) -> tuple[str, Flaw]:
    """A custom one, so that nobody can say that a template makes up for it."""

    def change(config: Mapping[str, Any]) -> Any:
        return {"input": tiles, "output": config["output"]}

    fields = {field for tile in tiles for field in tile}
    words = ("input", "templateid", "tile", *sorted(fields))
    return _flaw(rule, f"mixconfig.input {told}", change, words)


def _repeat_in_own_room() -> tuple[str, Flaw]:
    """An input that names no room is of the task's."""

    def spoil(draft: Draft) -> None:
        tiles = [_USER, _OTHER, {**_USER, "x": 20, "roomid": draft.body["roomid"]}]
        draft.body["mixconfig"] = {"input": tiles, "output": OUTPUT}

    fault = Fault("input-uid-once", "invalid_parameter", "assumed")
    words = ("mixconfig", "input", "uid", "roomid")
    return "mixconfig.input with a user twice, once by the task's room", Flaw(
        fault, spoil, kinds=MIXED, words=words
    )


def _set_output(field: str, value: Any) -> Callable[[Mapping[str, Any]], Any]:
    return lambda config: {**config, "output": {**config["output"], field: value}}


def _flaw(
    rule: str, told: str, change: Callable[[Mapping[str, Any]], Any], words: tuple[str, ...]
) -> tuple[str, Flaw]:
    fault = Fault(rule, "invalid_parameter", "assumed")
    return told, Flaw(fault, put("mixconfig", change), kinds=MIXED, words=("mixconfig", *words))
