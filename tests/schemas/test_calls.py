"""The schemas of calls: what they accept, and which rule they name for what they refuse."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.schemas import (
    compile_reference,
    compile_validator,
    load_schema,
    rule_of,
)

START = "startrtmp.request"
STOP = "stoprtmp.request"
MOST_UINT64 = 2**64 - 1

SOURCE: dict[str, Any] = {
    "appid": 123456789,
    "roomid": "room_1",
    "rtmpurl": "rtmp://cdn.example.com/live/one",
    "streamtype": 2,
    "uid": "anchor-1",
}
MIXED: dict[str, Any] = {
    "appid": 123456789,
    "roomid": "room_1",
    "rtmpurl": "rtmp://cdn.example.com/live/one",
    "streamtype": 1,
    "taskid": "task-1",
    "mixconfig": {
        "input": [{"uid": "anchor-1", "x": 0, "y": 0, "width": 320, "height": 360, "alpha": 0.5}],
        "output": {"width": 640, "height": 360, "fps": 15},
    },
}
STOP_SOURCE = {key: SOURCE[key] for key in ("appid", "roomid", "streamtype", "uid")}
STOP_MIXED = {key: MIXED[key] for key in ("appid", "roomid", "streamtype", "taskid")}
GONE = object()


def change(body: Mapping[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """A copy with one value set, or taken away where it is GONE; `a/0/b` leads to it."""
    changed = deepcopy(dict(body))
    *steps, last = [int(step) if step.isdigit() else step for step in pointer.split("/")]
    node: Any = changed
    for step in steps:
        node = node[step]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return changed


def fast_rules(name: str, body: Any) -> set[str]:
    errors = compile_validator(name).iter_errors(body)
    return {rule_of(load_schema(name), error.schema_path) for error in errors}


def slow_rules(name: str, body: Any) -> set[str]:
    errors = compile_reference(name).iter_errors(body)
    return {rule_of(load_schema(name), list(error.absolute_schema_path)) for error in errors}


BOTH = pytest.mark.parametrize("rules_of", [fast_rules, slow_rules], ids=["fast", "slow"])
RulesOf = Callable[[str, Any], set[str]]


START_ACCEPTED: dict[str, tuple[Mapping[str, Any], str, Any]] = {
    "least appid": (SOURCE, "appid", 0),
    "largest appid": (SOURCE, "appid", MOST_UINT64),
    "whole float as an appid": (SOURCE, "appid", 5.0),
    "whole float as a streamtype": (SOURCE, "streamtype", 2.0),
    "longest roomid": (SOURCE, "roomid", "r" * 64),
    "longest uid": (SOURCE, "uid", "_" * 64),
    "address of any syntax, which code checks": (SOURCE, "rtmpurl", "no address"),
    "unknown field": (SOURCE, "extra", {"any": ["thing"]}),
    "huge number in an unknown field": (SOURCE, "extra", 10**400),
    "infinite number in an unknown field": (SOURCE, "extra", float("inf")),
    "taskid of a source": (SOURCE, "taskid", 7),
    "mixconfig of a source": (SOURCE, "mixconfig", "ignored"),
    "uid of a mixed task": (MIXED, "uid", {}),
    "whole float as a mixed streamtype": (MIXED, "streamtype", 1.0),
    "template without input": (MIXED, "mixconfig", {"templateid": 1, "output": {}}),
    "template with empty input": (MIXED, "mixconfig", {"templateid": 4, "input": [], "output": {}}),
    "whole float as a template": (MIXED, "mixconfig", {"templateid": 3.0, "output": {}}),
    "output all by default": (MIXED, "mixconfig/output", {}),
    "smallest output": (MIXED, "mixconfig/output", {"width": 16, "height": 16}),
    "largest output": (MIXED, "mixconfig/output", {"width": 3840, "height": 3840}),
    "whole float as a width": (MIXED, "mixconfig/output/width", 640.0),
    "unknown field of output": (MIXED, "mixconfig/output/codec", "h264"),
    "unknown field of an input": (MIXED, "mixconfig/input/0/mirror", True),
    "input of a user only": (MIXED, "mixconfig/input/0", {"uid": "u"}),
    "whole number as an alpha": (MIXED, "mixconfig/input/0/alpha", 1),
    "lowest zorder": (MIXED, "mixconfig/input/0/zorder", 0),
    "highest zorder": (MIXED, "mixconfig/input/0/zorder", 100),
    "any crop rectangle": (MIXED, "mixconfig/input/0/cropx", -5),
    "more than nine inputs": (MIXED, "mixconfig/input", [{"uid": f"u{n}"} for n in range(10)]),
    "tile outside the canvas, which code checks": (MIXED, "mixconfig/input/0/x", 99_999),
}


@BOTH
@pytest.mark.parametrize(
    ("body", "pointer", "value"), START_ACCEPTED.values(), ids=START_ACCEPTED.keys()
)
def test_startrtmp_schema_accepts(
    rules_of: RulesOf, body: Mapping[str, Any], pointer: str, value: Any
) -> None:
    assert rules_of(START, change(body, pointer, value)) == set()


START_REJECTED: dict[str, tuple[Mapping[str, Any], str, Any, str]] = {
    "no appid": (SOURCE, "appid", GONE, "appid-field"),
    "negative appid": (SOURCE, "appid", -1, "appid-field"),
    "appid of 65 bits": (SOURCE, "appid", MOST_UINT64 + 1, "appid-field"),
    "appid of 400 digits": (SOURCE, "appid", 10**400, "appid-field"),
    "infinite appid": (SOURCE, "appid", float("inf"), "appid-field"),
    "appid with a fraction": (SOURCE, "appid", 5.5, "appid-field"),
    "appid in a string": (SOURCE, "appid", "123456789", "appid-field"),
    "true as an appid": (SOURCE, "appid", True, "appid-field"),
    "null as an appid": (SOURCE, "appid", None, "appid-field"),
    "no roomid": (SOURCE, "roomid", GONE, "roomid-field"),
    "roomid in a number": (SOURCE, "roomid", 1, "roomid-field"),
    "empty roomid": (SOURCE, "roomid", "", "roomid-form"),
    "roomid of 65 bytes": (SOURCE, "roomid", "r" * 65, "roomid-form"),
    "roomid with a line feed": (SOURCE, "roomid", "room\n", "roomid-form"),
    "roomid of other letters": (SOURCE, "roomid", "räume", "roomid-form"),
    "no rtmpurl": (SOURCE, "rtmpurl", GONE, "rtmpurl-field"),
    "empty rtmpurl": (SOURCE, "rtmpurl", "", "rtmpurl-field"),
    "rtmpurl in an array": (SOURCE, "rtmpurl", ["rtmp://a/b"], "rtmpurl-field"),
    "no streamtype": (SOURCE, "streamtype", GONE, "streamtype-field"),
    "streamtype 0": (SOURCE, "streamtype", 0, "streamtype-field"),
    "streamtype 3": (SOURCE, "streamtype", 3, "streamtype-field"),
    "streamtype in a string": (SOURCE, "streamtype", "2", "streamtype-field"),
    "true as a streamtype": (SOURCE, "streamtype", True, "streamtype-field"),
    "no uid": (SOURCE, "uid", GONE, "uid-field"),
    "uid in a number": (SOURCE, "uid", 42, "uid-field"),
    "uid with a dot": (SOURCE, "uid", "u.1", "uid-form"),
    "no taskid": (MIXED, "taskid", GONE, "taskid-field"),
    "null as a taskid": (MIXED, "taskid", None, "taskid-field"),
    "empty taskid": (MIXED, "taskid", "", "taskid-form"),
    "no mixconfig": (MIXED, "mixconfig", GONE, "mixconfig-field"),
    "mixconfig in a string": (MIXED, "mixconfig", "{}", "mixconfig-field"),
    "no output": (MIXED, "mixconfig/output", GONE, "output-required"),
    "output in an array": (MIXED, "mixconfig/output", [], "output-required"),
    "neither template nor input": (MIXED, "mixconfig/input", GONE, "input-required"),
    "empty input without template": (MIXED, "mixconfig/input", [], "input-empty"),
    "input in an object": (MIXED, "mixconfig/input", {"uid": "u"}, "input-required"),
    "input of a string": (MIXED, "mixconfig/input/0", "u", "input-required"),
    "template 0": (MIXED, "mixconfig/templateid", 0, "templateid-values"),
    "template 5": (MIXED, "mixconfig/templateid", 5, "templateid-values"),
    "null as a template": (MIXED, "mixconfig/templateid", None, "templateid-values"),
    "input without uid": (MIXED, "mixconfig/input/0/uid", GONE, "input-fields"),
    "empty uid of an input": (MIXED, "mixconfig/input/0/uid", "", "input-fields"),
    "empty roomid of an input": (MIXED, "mixconfig/input/0/roomid", "", "input-fields"),
    "input without width": (MIXED, "mixconfig/input/0/width", 0, "input-fields"),
    "input left of the canvas": (MIXED, "mixconfig/input/0/x", -1, "tile-in-canvas"),
    "input above the canvas": (MIXED, "mixconfig/input/0/y", -1, "tile-in-canvas"),
    "x in a string": (MIXED, "mixconfig/input/0/x", "0", "input-fields"),
    "zorder 101": (MIXED, "mixconfig/input/0/zorder", 101, "input-fields"),
    "crop 2": (MIXED, "mixconfig/input/0/crop", 2, "input-fields"),
    "cropwidth with a fraction": (MIXED, "mixconfig/input/0/cropwidth", 0.5, "input-fields"),
    "alpha above 1": (MIXED, "mixconfig/input/0/alpha", 1.01, "input-fields"),
    "alpha below 0": (MIXED, "mixconfig/input/0/alpha", -0.01, "input-fields"),
    "odd width": (MIXED, "mixconfig/output/width", 641, "output-fields"),
    "width of 14": (MIXED, "mixconfig/output/width", 14, "output-fields"),
    "height of 3842": (MIXED, "mixconfig/output/height", 3842, "output-fields"),
    "fps 61": (MIXED, "mixconfig/output/fps", 61, "output-fields"),
    "fps 0": (MIXED, "mixconfig/output/fps", 0, "output-fields"),
    **{
        f"{field} 0": (MIXED, f"mixconfig/output/{field}", 0, "output-fields")
        for field in ("bitrate", "gop", "audiobitrate", "samplerate", "channels")
    },
}


@BOTH
@pytest.mark.parametrize(
    ("body", "pointer", "value", "rule"), START_REJECTED.values(), ids=START_REJECTED.keys()
)
def test_startrtmp_schema_rejects_naming_the_rule(
    rules_of: RulesOf, body: Mapping[str, Any], pointer: str, value: Any, rule: str
) -> None:
    assert rules_of(START, change(body, pointer, value)) == {rule}


@BOTH
@pytest.mark.parametrize(
    ("body", "pointer", "value"),
    [
        (STOP_SOURCE, "extra", 1),
        (STOP_SOURCE, "rtmpurl", "rtmp://a/b"),
        (STOP_SOURCE, "taskid", 7),
        (STOP_MIXED, "uid", 7),
        (STOP_MIXED, "mixconfig", 7),
    ],
    ids=["unknown", "addresses", "taskid of a source", "uid of a mixed", "mixconfig"],
)
def test_stoprtmp_schema_accepts(
    rules_of: RulesOf, body: Mapping[str, Any], pointer: str, value: Any
) -> None:
    assert rules_of(STOP, change(body, pointer, value)) == set()


@BOTH
@pytest.mark.parametrize(
    ("body", "pointer", "value"),
    [
        *((STOP_SOURCE, field, GONE) for field in STOP_SOURCE),
        *((STOP_MIXED, field, GONE) for field in STOP_MIXED),
        (STOP_SOURCE, "appid", -1),
        (STOP_SOURCE, "roomid", "a b"),
        (STOP_SOURCE, "rtmpurl", ""),
        (STOP_SOURCE, "rtmpurl", None),
        (STOP_SOURCE, "streamtype", 3),
        (STOP_SOURCE, "uid", "u\n"),
        (STOP_MIXED, "taskid", 1),
    ],
)
def test_stoprtmp_schema_rejects_naming_the_rule(
    rules_of: RulesOf, body: Mapping[str, Any], pointer: str, value: Any
) -> None:
    assert rules_of(STOP, change(body, pointer, value)) == {"stop-fields"}


PLACES = [
    *((SOURCE, key) for key in SOURCE),
    *((MIXED, key) for key in (*MIXED, "uid", "mixconfig/templateid")),
    *((MIXED, f"mixconfig/{key}") for key in MIXED["mixconfig"]),
    *((MIXED, f"mixconfig/output/{key}") for key in MIXED["mixconfig"]["output"]),
    *((MIXED, f"mixconfig/input/0/{key}") for key in (*MIXED["mixconfig"]["input"][0], "zorder")),
]
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["uid", "output", "x"]), children)
    ),
    max_leaves=5,
)


@given(st.sampled_from(PLACES), ANY_JSON)
def test_both_validators_agree_on_any_value(
    place: tuple[Mapping[str, Any], str], value: Any
) -> None:
    changed = change(*place, value)
    assert fast_rules(START, changed) == slow_rules(START, changed)


def test_forms_of_a_name_are_one_pattern() -> None:
    texts = [json.dumps(load_schema(name)) for name in (START, STOP)]
    patterns = {part.split('"')[2] for text in texts for part in text.split('"pattern')[1:]}
    assert patterns == {"^[A-Za-z0-9_-]{1,64}$"}


def test_fast_validator_refuses_to_explain_deep_nesting() -> None:
    """Who asks it for reasons has to expect this (`compile_validator`)."""
    deep: Any = 1
    for _ in range(256):
        deep = [deep]
    body = change(SOURCE, "uid", deep)
    assert not compile_validator(START).is_valid(body)
    with pytest.raises(ValueError, match="Recursion limit"):
        list(compile_validator(START).iter_errors(body))
