import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.errors import ConfigError
from fakerelay.schemas import (
    check_settings,
    compile_reference,
    compile_validator,
    list_names,
    load_schema,
    read_json,
    rule_of,
    rulebook,
)

START = "startrtmp.request"
STOP = "stoprtmp.request"
MOST_UINT64 = 2**64 - 1
SCHEMAS = [
    START,
    STOP,
    "reply",
    "callback",
    "config",
    "profile",
    "rulebook.schema",
    "report",
    "finding",
    "known",
]

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


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_valid_schema(name: str) -> None:
    schema = load_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema_rs.meta.is_valid(dict(schema))


def test_schemas_are_all_listed() -> None:
    assert set(list_names("")) == {
        *SCHEMAS,
        "rulebook",
        "faults",
        "magic_addresses",
        "snapshot",
        "scenarios",
    }


def test_unknown_schema_is_no_file() -> None:
    with pytest.raises(FileNotFoundError):
        read_json("startrtmp")


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


REPLY = {"code": 0, "message": "success", "traceId": "t"}
CALLBACK: dict[str, Any] = {
    "msgid": "m1",
    "product": 2,
    "msgtype": 1,
    "notifytime": 1_700_000_000_000,
    "context": {
        "msgname": "rtmptask_status",
        "appid": MOST_UINT64,
        "roomid": "room_1",
        "streamtype": 2,
        "uid": "anchor-1",
        "rtmpurl": "rtmp://cdn.example.com/live/one",
        "status": 0,
        "starttime": 1_700_000_000_000,
    },
}
CONFIG: dict[str, Any] = {
    "port": 0,
    "tls_name": ["relay.test"],
    "set": {"concurrent_pushes": 0},
    "ready_file_mode": "0640",
    "app": [
        {
            "appid": MOST_UINT64,
            "certificate_id": "c",
            "certificate_key": "k:k",
            "callback_url": "http://127.0.0.1:9000/",
            "live_rooms": {"room_1": ["anchor-1"], "room_2": []},
        }
    ],
}


@BOTH
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("reply", REPLY),
        ("reply", {**REPLY, "more": 1}),
        ("callback", CALLBACK),
        ("callback", change(CALLBACK, "context/traceId", "t")),
    ],
)
def test_message_schema_accepts(rules_of: RulesOf, name: str, data: Any) -> None:
    assert rules_of(name, data) == set()


@BOTH
@pytest.mark.parametrize(
    ("name", "body", "pointer", "value", "rule"),
    [
        ("reply", REPLY, "code", "0", "reply-envelope"),
        ("reply", REPLY, "message", GONE, "reply-envelope"),
        ("reply", REPLY, "traceId", GONE, "reply-trace-id"),
        ("reply", REPLY, "traceId", 1, "reply-trace-id"),
        ("callback", CALLBACK, "msgid", "", "callback-envelope"),
        ("callback", CALLBACK, "notifytime", 1.5, "callback-envelope"),
        ("callback", CALLBACK, "context/roomid", GONE, "callback-envelope"),
        ("callback", CALLBACK, "context/status", 4, "callback-statuses"),
        ("callback", CALLBACK, "context/uid", GONE, "callback-context"),
        ("callback", CALLBACK, "context/taskid", "t", "callback-context"),
        ("callback", CALLBACK, "context/starttime", GONE, "callback-context"),
        ("callback", CALLBACK, "context/traceId", None, "callback-context"),
    ],
)
def test_message_schema_rejects_naming_the_rule(
    rules_of: RulesOf, name: str, body: Mapping[str, Any], pointer: str, value: Any, rule: str
) -> None:
    assert rules_of(name, change(body, pointer, value)) == {rule}


def test_config_schema_accepts() -> None:
    check_settings("config", CONFIG, "test")
    check_settings("config", change(CONFIG, "ready_file_mode", 0o600), "test")
    check_settings("config", {}, "test")


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        ("prt", 1, "Unknown key /prt in 'f.toml' (did you mean 'port'?)"),
        ("app/0/appids", 1, "Unknown key /app/0/appids in 'f.toml' (did you mean 'appid'?)"),
        ("app/0/appid", GONE, "Missing /app/0/appid in 'f.toml': expected integer"),
        ("port", 65536, "Can't use 65536 at /port of 'f.toml': expected integer, at least 0"),
        ("log_format", "jsn", "'jsn' at /log_format of 'f.toml' (did you mean 'json'?)"),
        ("control_token", 12345, "Can't use a secret at /control_token of 'f.toml'"),
        ("app/0/certificate_key", "", "Can't use a secret at /app/0/certificate_key"),
        ("ready_file_mode", "0999", "matching ^(0o?)?[0-7]{3}$"),
        ("ready_file_mode", 600, "expected string or integer, at least 0, at most 511"),
        ("port", date(2020, 1, 1), "Can't use 'f.toml': Object of type date"),
        ("profile", "\ud800", "surrogates not allowed"),
        ("host", ["h" * 1000], "hhh... at /host of 'f.toml'"),
    ],
)
def test_check_settings_says_what_to_mend(pointer: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings("config", change(CONFIG, pointer, value), "'f.toml'")
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert "12345" not in text


def test_properties_of_settings_are_described() -> None:
    for name in ("config", "profile"):
        for key, node in load_schema(name)["properties"].items():
            assert key == "$schema" or node["description"].endswith("."), key


def test_fast_validator_refuses_to_explain_deep_nesting() -> None:
    """Who asks it for reasons has to expect this (`compile_validator`)."""
    deep: Any = 1
    for _ in range(256):
        deep = [deep]
    body = change(SOURCE, "uid", deep)
    assert not compile_validator(START).is_valid(body)
    with pytest.raises(ValueError, match="Recursion limit"):
        list(compile_validator(START).iter_errors(body))


def test_x_rules_are_in_the_book_at_their_level() -> None:
    for name in SCHEMAS:
        for node in find_nodes(load_schema(name)):
            if "x-rule" in node:
                assert rulebook()[node["x-rule"]].level == node["x-level"], node


def find_nodes(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in find_nodes(item)]
    if not isinstance(value, Mapping):
        return []
    return [value, *(node for item in value.values() for node in find_nodes(item))]


def test_data_files_end_with_a_line_feed() -> None:
    root = Path(__file__).parent.parent / "schemas"
    files = [root / f"{name}.json" for name in (*SCHEMAS, "rulebook")]
    assert all(file.read_text(encoding="utf-8").endswith("}\n") for file in files)
