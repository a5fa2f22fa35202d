from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.web.bodies import BODY_SCHEMAS, BodySchema
from tests.web.calls import STOP_SOURCE
from tests.web.wires import MIXED, SOURCE, START, STOP

SCHEMAS = {operation: BodySchema(name) for operation, name in BODY_SCHEMAS.items()}
INPUT: Mapping[str, Any] = {"uid": "u"}
CUSTOM: Mapping[str, Any] = {**MIXED, "mixconfig": {"input": [INPUT], "output": {}}}
GONE = object()


def change(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    merged = {**body, **changes}
    return {key: value for key, value in merged.items() if value is not GONE}


def mix(**changes: Any) -> dict[str, Any]:
    return {**CUSTOM, "mixconfig": change(CUSTOM["mixconfig"], **changes)}


WRONG: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "nothing": ({}, "appid-field", "appid: is missing"),
    "no roomid": (change(SOURCE, roomid=GONE), "roomid-field", "roomid: is missing"),
    "no rtmpurl": (change(SOURCE, rtmpurl=GONE), "rtmpurl-field", "rtmpurl: is missing"),
    "no streamtype": (
        change(SOURCE, streamtype=GONE),
        "streamtype-field",
        "streamtype: is missing",
    ),
    "no uid": (change(SOURCE, uid=GONE), "uid-field", "uid: is missing"),
    "no taskid": (change(MIXED, taskid=GONE), "taskid-field", "taskid: is missing"),
    "no mixconfig": (change(MIXED, mixconfig=GONE), "mixconfig-field", "mixconfig: is missing"),
    "no output": (mix(output=GONE), "output-required", "mixconfig.output: is missing"),
    "no input": (mix(input=GONE), "input-required", "mixconfig.input: is missing"),
    "empty input": (mix(input=[]), "input-empty", "mixconfig.input: is empty"),
    "no uid of an input": (
        mix(input=[INPUT, {}]),
        "input-fields",
        "mixconfig.input[1].uid: is missing",
    ),
    "appid null": (change(SOURCE, appid=None), "appid-field", "appid: must be an integer"),
    "appid true": (change(SOURCE, appid=True), "appid-field", "appid: must be an integer"),
    "appid a string": (change(SOURCE, appid="7"), "appid-field", "appid: must be an integer"),
    "appid broken": (change(SOURCE, appid=7.5), "appid-field", "appid: must be an integer"),
    "appid negative": (change(SOURCE, appid=-1), "appid-field", "appid: is less than 0"),
    "appid of 65 bits": (
        change(SOURCE, appid=2**64),
        "appid-field",
        "appid: is greater than 18446744073709551615",
    ),
    "appid of 400 digits": (
        change(SOURCE, appid=10**399),
        "appid-field",
        "appid: is greater than 18446744073709551615",
    ),
    "roomid empty": (
        change(SOURCE, roomid=""),
        "roomid-form",
        "roomid: does not match ^[A-Za-z0-9_-]{1,64}$",
    ),
    "roomid of 65 bytes": (
        change(SOURCE, roomid="r" * 65),
        "roomid-form",
        "roomid: does not match ^[A-Za-z0-9_-]{1,64}$",
    ),
    "roomid with a line feed": (
        change(SOURCE, roomid="r\n"),
        "roomid-form",
        "roomid: does not match ^[A-Za-z0-9_-]{1,64}$",
    ),
    "roomid a number": (change(SOURCE, roomid=1), "roomid-field", "roomid: must be a string"),
    "rtmpurl empty": (change(SOURCE, rtmpurl=""), "rtmpurl-field", "rtmpurl: is empty"),
    "rtmpurl a list": (
        change(SOURCE, rtmpurl=["rtmp://h"]),
        "rtmpurl-field",
        "rtmpurl: must be a string",
    ),
    "streamtype 0": (
        change(SOURCE, streamtype=0),
        "streamtype-field",
        "streamtype: is none of [1, 2]",
    ),
    "streamtype a string": (
        change(SOURCE, streamtype="2"),
        "streamtype-field",
        "streamtype: must be an integer",
    ),
    "uid in Chinese": (
        change(SOURCE, uid="主播"),
        "uid-form",
        "uid: does not match ^[A-Za-z0-9_-]{1,64}$",
    ),
    "taskid with a dot": (
        change(MIXED, taskid="a.b"),
        "taskid-form",
        "taskid: does not match ^[A-Za-z0-9_-]{1,64}$",
    ),
    "mixconfig a string": (
        change(MIXED, mixconfig="{}"),
        "mixconfig-field",
        "mixconfig: must be an object",
    ),
    "input an object": (
        mix(input={}),
        "input-required",
        "mixconfig.input: must be an array",
    ),
    "templateid 5": (
        mix(templateid=5),
        "templateid-values",
        "mixconfig.templateid: is none of [1, 2, 3, 4]",
    ),
    "odd width": (
        mix(output={"width": 641}),
        "output-fields",
        "mixconfig.output.width: is not a multiple of 2",
    ),
    "fps 61": (
        mix(output={"fps": 61}),
        "output-fields",
        "mixconfig.output.fps: is greater than 60",
    ),
    "zorder 101": (
        mix(input=[{"uid": "u", "zorder": 101}]),
        "input-fields",
        "mixconfig.input[0].zorder: is greater than 100",
    ),
    "x below the canvas": (
        mix(input=[{"uid": "u", "x": -1}]),
        "tile-in-canvas",
        "mixconfig.input[0].x: is less than 0",
    ),
}


def said(operation: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    problem = SCHEMAS[operation].check(body)
    if problem is None:
        return None
    assert problem.name == "invalid_parameter"
    return problem.rule, f"{problem.facts['field']}: {problem.facts['reason']}"


@pytest.mark.parametrize(("body", "rule", "message"), WRONG.values(), ids=WRONG.keys())
def test_problem_names_the_field_and_why(body: Mapping[str, Any], rule: str, message: str) -> None:
    assert said(START, body) == (rule, message)


@pytest.mark.parametrize("body", [SOURCE, MIXED, CUSTOM], ids=["source", "mixed", "custom"])
def test_body_is_fine(body: Mapping[str, Any]) -> None:
    assert said(START, body) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"appid": "7", "roomid": 1, "uid": 1}, "appid"),
        ({"roomid": 1, "uid": GONE}, "roomid"),
        ({"rtmpurl": "", "streamtype": 9}, "rtmpurl"),
        ({"streamtype": GONE, "uid": 1}, "streamtype"),
        ({"streamtype": 1, "taskid": "", "mixconfig": {}}, "taskid"),
        ({"roomid": "", "streamtype": 1, "taskid": "t", "mixconfig": 1}, "roomid"),
    ],
)
def test_first_wrong_field_of_the_contracts_table_is_named(
    changes: dict[str, Any], field: str
) -> None:
    body = change(SOURCE, **changes)
    for sorted_body in (body, dict(sorted(body.items())), dict(reversed(body.items()))):
        problem = SCHEMAS[START].check(sorted_body)
        assert problem is not None
        assert problem.facts["field"] == field


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (STOP_SOURCE, None),
        (change(STOP_SOURCE, rtmpurl="rtmp://h/a"), None),
        (change(STOP_SOURCE, rtmpurl=""), "rtmpurl: is empty"),
        (change(STOP_SOURCE, rtmpurl=None), "rtmpurl: must be a string"),
        (change(STOP_SOURCE, uid=GONE), "uid: is missing"),
        (change(STOP_SOURCE, streamtype=1), "taskid: is missing"),
        (change(STOP_SOURCE, streamtype=3), "streamtype: is none of [1, 2]"),
        (change(STOP_SOURCE, roomid=GONE), "roomid: is missing"),
        ({}, "appid: is missing"),
    ],
)
def test_stop_is_held_against_its_own_schema(body: Mapping[str, Any], message: str | None) -> None:
    expected = None if message is None else ("stop-fields", message)
    assert said(STOP, body) == expected


def nest(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [100, 199])
def test_nested_value_of_an_unknown_field_is_fine(levels: int) -> None:
    assert said(START, change(SOURCE, extra=nest(levels))) is None


@pytest.mark.parametrize("levels", [100, 199])
@pytest.mark.parametrize("field", ["uid", "extra"])
def test_nested_value_beside_a_wrong_field_is_refused(levels: int, field: str) -> None:
    body = change(SOURCE, **{"roomid": "", field: nest(levels)})
    problem = SCHEMAS[START].check(body)
    assert problem is not None
    assert (problem.name, problem.rule) == ("invalid_parameter", "roomid-form")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {},
            "integer, at least 0, at most 18446744073709551615 (The app; the same as in the path)",
        ),
        (
            change(SOURCE, roomid="r r"),
            "string, matching ^[A-Za-z0-9_-]{1,64}$ (The room whose users are relayed)",
        ),
        (mix(input=[{}]), "string, matching ^[A-Za-z0-9_-]{1,64}$ (The user)"),
        (
            mix(output={"width": 5}),
            "integer, at least 16, at most 3840 (In pixels; 640 by default)",
        ),
    ],
    ids=["missing", "form", "inside an input", "bound"],
)
def test_refusal_explains_what_would_have_passed(body: Mapping[str, Any], expected: str) -> None:
    problem = SCHEMAS[START].check(body)
    assert problem is not None
    assert problem.explanation["expected"] == expected


def test_first_of_very_many_wrong_inputs_is_named() -> None:
    inputs = [{"uid": f"u{number}"} for number in range(120)] + [1] * 100_000
    problem = SCHEMAS[START].check(mix(input=inputs))
    assert problem is not None
    assert problem.facts == {"field": "mixconfig.input[120]", "reason": "must be an object"}


def test_error_before_very_many_inputs_is_named_first() -> None:
    problem = SCHEMAS[START].check({**mix(input=[1] * 1_000), "roomid": ""})
    assert problem is not None
    assert problem.facts["field"] == "roomid"


def test_explaining_looks_at_few_of_very_many_wrong_inputs() -> None:
    class Counting:
        """The validator, noting how many inputs it is asked to explain."""

        asked = 0

        def __init__(self, validator: Any) -> None:
            self.is_valid = validator.is_valid
            self._validator = validator

        def iter_errors(self, body: Any) -> Any:
            self.asked += len(body["mixconfig"]["input"])
            return self._validator.iter_errors(body)

    schema = BodySchema(BODY_SCHEMAS[START])
    counting = Counting(schema._validator)
    schema._validator = counting  # type: ignore[assignment]  # stands in for the compiled one
    assert schema.check(mix(input=[1] * 100_000)) is not None
    assert counting.asked <= 50
