"""Holding what callers give against the schemas of a verb; what doesn't fit is a ControlError."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from fakerelay.control.callback_urls import explain_url
from fakerelay.control.components import compile_component, components, find_component
from fakerelay.control.verbs import TARGETS, Call, Verb, parameter_schemas
from fakerelay.errors import ControlError, nearest
from fakerelay.schemas import describe

if TYPE_CHECKING:
    import jsonschema_rs

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,30})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_BOOLEANS = {"true": True, "false": False}
_MOST_SHOWN = 80
_HEAD = ("format", "version")
"""What says what the rest of a body is: where that is wrong, nothing is to be told of the rest."""


def check_call(call: Call) -> dict[str, Any]:
    """The parameters with their defaults, once they and the body have been found in order."""
    for name, value in call.parameters.items():
        _check_parameter(call.verb, name, value)
    for name in call.verb.path_parameters:
        if name not in call.parameters:
            raise ControlError("missing_parameter", f"{call.verb.name} needs {name!r}")
    if call.verb.body is not None:
        _check_body(call.verb.body, call.body or {})
    if call.verb.needs_target and not any(name in call.parameters for name in TARGETS):
        raise ControlError(
            "missing_target",
            "This destroys: say of what, one app, one world or all (?appid=, ?world= or ?all=true"
            " over HTTP; --appid, --world or --all on the command line; appid=, world= or all=True"
            " in Python)",
            pointer="/query",
        )
    schemas = parameter_schemas()
    defaults = {name: schemas[name].get("default") for name in call.verb.parameters}
    return {**defaults, **call.parameters}


def read_parameter(verb: Verb, name: str, text: str) -> Any:
    """The value of a parameter that came as text."""
    if name not in verb.parameters:
        hint = nearest(name, verb.parameters)
        detail = f"Unknown parameter {name!r} of {verb.method} {verb.path}{hint}"
        raise ControlError("unknown_parameter", detail, pointer=f"/query/{name}")
    kind = parameter_schemas()[name]["type"]
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return _BOOLEANS.get(text, text) if kind == "boolean" else text


def read_body(raw: bytes) -> dict[str, Any]:
    """The object in a body; no body at all is an empty one."""
    try:
        value = json.loads(raw.decode(), parse_constant=_refuse_constant) if raw else {}
        if _SURROGATE_ESCAPE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()  # no lone surrogates
    except (ValueError, RecursionError) as error:
        detail = f"The body is not JSON: {error or 'nested too deeply'}"
        raise ControlError("malformed_json", detail) from None
    if not isinstance(value, dict):
        detail = f"The body must be a JSON object, got {type(value).__name__}"
        raise ControlError("malformed_json", detail)
    return value


def _check_parameter(verb: Verb, name: str, value: Any) -> None:
    schema = parameter_schemas()[name]
    if _compile_parameter(name).is_valid(value):
        return
    place = "path" if name in verb.path_parameters else "query"
    hint = _find_hint(schema, value)
    raise ControlError(
        "invalid_parameter",
        f"Can't use {_show(value)} as {name!r}{hint}:"
        f" expected {describe(_leave_told(schema, hint))}",
        pointer=f"/{place}/{name}",
    )


def _check_body(name: str, body: Mapping[str, Any]) -> None:
    import jsonschema_rs  # slow to load, and needed where something is served

    try:
        compile_component(name).validate(body)  # ends with the first error: there may be millions
    except jsonschema_rs.ValidationError as error:
        schema = components()[name]
        pointer, detail = _explain_head(schema, body) or _explain(schema, error, body)
        raise ControlError("invalid_body", detail, pointer=pointer) from None
    except ValueError as cause:  # deeper than the validator goes, and than anything needs
        raise ControlError("malformed_json", f"The body can't be read: {cause}") from None


def _explain_head(schema: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str] | None:
    """What makes a body another one than the schema is for, if that can be told."""
    for key in _HEAD:
        node = schema.get("properties", {}).get(key, {})
        if key in schema.get("required", ()) and key in body and body[key] not in node["enum"]:
            return _point([key]), _tell_value(node, body[key])
    return None


def _explain(
    schema: Mapping[str, Any], error: "jsonschema_rs.ValidationError", body: Mapping[str, Any]
) -> tuple[str, str]:
    """Where the culprit is, and what is wrong with it."""
    path = list(error.instance_path)
    node, value = _walk(schema, body, path)
    kind = error.kind.as_dict()
    if error.kind.name == "additionalProperties":
        key = kind["unexpected"][0]
        return _point([*path, key]), f"Unknown key {key!r}{nearest(key, node['properties'])}"
    if error.kind.name == "required":
        key = kind["property"]
        expected = describe(_resolve(node["properties"][key]))
        return _point([*path, key]), f"Missing key {key!r}: expected {expected}"
    if error.kind.name == "oneOf" or error.kind.name == "oneOfMultipleValid":
        keys = [option["required"][0] for option in node["oneOf"] if "required" in option]
        if keys:
            return _point(path), f"Give exactly one of {' and '.join(map(repr, keys))}"
    if path == ["callback_url"] and isinstance(value, str):
        return _point(path), explain_url(value)
    return _point(path), _tell_value(node, value)


def _tell_value(node: Mapping[str, Any], value: Any) -> str:
    shown = "This" if node.get("writeOnly") or node.get("x-secret") else _show(value)
    hint = _find_hint(node, value)
    return f"{shown} doesn't do{hint}: expected {describe(_leave_told(node, hint))}"


def _walk(
    schema: Mapping[str, Any], value: Any, path: Sequence[str | int]
) -> tuple[Mapping[str, Any], Any]:
    """The schema of what lies at a path, as far as it has one of its own, and that value."""
    node = _resolve(schema)
    for step in path:
        value = value[_find_key(value, step)] if isinstance(value, Mapping) else value[int(step)]
        inner = node.get("properties", {}).get(step)
        if inner is None:
            inner = node.get("items") or node.get("additionalProperties") or {}
        node = _resolve(inner)
    return node, value


def _find_key(value: Mapping[str, Any], step: str | int) -> str:
    """The validator takes a key like "0" or "007" for an index."""
    if isinstance(step, str):
        return step
    return next(key for key in value if key.isdecimal() and int(key) == step)


def _resolve(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**find_component(node["$ref"]), **node} if "$ref" in node else node


def _leave_told(node: Mapping[str, Any], hint: str) -> Mapping[str, Any]:
    """A schema without the choices that a hint tells of already."""
    return {key: value for key, value in node.items() if not (hint and key == "enum")}


def _find_hint(node: Mapping[str, Any], value: Any) -> str:
    choices = [choice for choice in node.get("enum", ()) if isinstance(choice, str)]
    # Of two, both are told: which is nearer in spelling may be the one that wasn't meant.
    return nearest(value, choices) if len(choices) > 2 and isinstance(value, str) else ""


def _point(path: Sequence[str | int]) -> str:
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "".join(f"/{step}" for step in steps)


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


@cache
def _compile_parameter(name: str) -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs  # slow to load, and needed where something is served

    return jsonschema_rs.Draft202012Validator(dict(parameter_schemas()[name]))
