"""The contract as data: where it lies, how it is read, and which rule stands behind an error.

The only module that knows the place; the contract kit reads the same data through it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from fakerelay.errors import ConfigError, nearest

if TYPE_CHECKING:
    import jsonschema.protocols
    import jsonschema_rs

_INSTALLED = Path(__file__).parent / "_schemas"
_CHECKOUT = Path(__file__).parent.parent / "schemas"
_MOST_SHOWN = 80


class Rule(NamedTuple):
    """A row of the rulebook: what the vendor does, and how anybody knows.

    `level` is D (documented), S (SDK manual), B (borrowed from a sibling API) or A (assumed).
    """

    id: str
    section: int
    level: Literal["D", "S", "B", "A"]
    source: str
    text: str
    enforced: Literal["refuses", "warns", "behaves", "not_checkable"]
    problem: str | None = None
    warning: bool = False
    switch: str | None = None
    reason: str | None = None


def read_json(name: str) -> Any:
    """Parse `schemas/<name>.json` anew; the caller may change what it gets."""
    return json.loads(_find(name).read_text(encoding="utf-8"))


def list_names(folder: str) -> list[str]:
    """The names, without `.json`, of what lies in a folder of the data."""
    return sorted(path.stem for path in (_root() / folder).glob("*.json"))


@cache
def load_schema(name: str) -> Mapping[str, Any]:
    """A JSON Schema by its file's name without `.json`; shared, so not to be changed."""
    schema: dict[str, Any] = read_json(name)
    return schema


@cache
def rulebook() -> Mapping[str, Rule]:
    """Every rule by its id, in the order of the contract."""
    rows = read_json("rulebook")["rules"]
    return MappingProxyType({row["id"]: Rule(**row) for row in rows})


@cache
def compile_validator(name: str) -> "jsonschema_rs.Draft202012Validator":
    """The server's fast validator of a schema.

    It raises ValueError for lone surrogates in checked strings and, while explaining, for values
    nested more than 255 levels; it takes a float beyond JSON (inf, nan) for null.
    """
    import jsonschema_rs  # the contract kit gets by without it

    return jsonschema_rs.Draft202012Validator(dict(load_schema(name)))


@cache
def compile_reference(name: str) -> "jsonschema.protocols.Validator":
    """The slow, independent validator of the same schema, which the contract kit judges by."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def check_pattern(
        _validator: Any, pattern: str, value: Any, _schema: Any
    ) -> Iterator[ValidationError]:
        # Python's `$` also matches before a last line feed, that of JSON Schema doesn't.
        if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
            yield ValidationError(f"{value!r} does not match {pattern!r}")

    judge = extend(Draft202012Validator, {"pattern": check_pattern})  # type: ignore[no-untyped-call]
    validator: jsonschema.protocols.Validator = judge(load_schema(name))
    return validator


def rule_of(schema: Mapping[str, Any], error_schema_path: Sequence[str | int]) -> str:
    """The rule that a failed keyword belongs to: the nearest `x-rule` on the way to it.

    Takes the `schema_path` of an error of either validator; our request schemas have no `$ref`.
    """
    node: Any = schema
    rule: str = schema["x-rule"]
    for step in error_schema_path:
        node = node[step]
        if isinstance(node, Mapping) and isinstance(node.get("x-rule"), str):
            rule = node["x-rule"]
    return rule


def describe_field(schema: Mapping[str, Any], path: Sequence[str | int]) -> str:
    """What the field at `path` of a body must be: `string, matching ... (Names the task)`."""
    nodes = [schema]
    for step in path:
        steps = (_step_into(node, step) for node in _spread(nodes))
        nodes = [found for found in steps if found is not None]
    merged: dict[str, Any] = {}
    for node in reversed(list(_spread(nodes))):
        merged |= node
    return describe(merged)


def check_settings(name: str, data: Any, origin: str, place: Sequence[str | int] = ()) -> None:
    """Hold what a user wrote against a schema; the ConfigError says what to mend and where.

    `origin` names the file or option in the message, `place` where in it the data stands. Values
    marked `writeOnly` are never shown.
    """
    try:
        json.dumps(data, ensure_ascii=False).encode()  # no dates, no lone surrogates
        error = next(iter(compile_validator(name).iter_errors(data)), None)
    except (TypeError, ValueError, RecursionError) as cause:
        raise ConfigError(f"Can't use {origin}: {cause}; write plain JSON values") from cause
    if error is not None:
        node = _walk(load_schema(name), error.schema_path[:-1])
        raise ConfigError(_explain(node, error, data, origin, place))


def _explain(
    node: Mapping[str, Any],
    error: "jsonschema_rs.ValidationError",
    data: Any,
    origin: str,
    place: Sequence[str | int],
) -> str:
    kind, path = error.kind.as_dict(), [*place, *error.instance_path]
    if error.kind.name == "additionalProperties":
        key = kind["unexpected"][0]
        return f"Unknown key {_point([*path, key])} in {origin}{nearest(key, node['properties'])}"
    if error.kind.name == "required":
        key = kind["property"]
        wanted = describe(node["properties"][key])
        return f"Missing {_point([*path, key])} in {origin}: expected {wanted}"
    value = _walk(data, error.instance_path)
    hint = nearest(value, node["enum"]) if "enum" in node and isinstance(value, str) else ""
    shown = "a secret" if node.get("writeOnly") else _shorten(value)
    return f"Can't use {shown} at {_point(path)} of {origin}{hint}: expected {describe(node)}"


_BOUNDS = {
    "type": "{}",
    "const": "{!r}",
    "enum": "one of {}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "of {} or more characters",
    "maxLength": "of at most {} characters",
    "pattern": "matching {}",
    "minItems": "of {} or more items",
    "maxItems": "of at most {} items",
    "minProperties": "of {} or more keys",
    "maxProperties": "of at most {} keys",
}
_MOST_CHOICES = 12


def describe(node: Mapping[str, Any]) -> str:
    """What a value must be, from its schema: its type and bounds, then what it is for."""
    bounds = ", ".join(_list_bounds(node))
    about = node.get("description", "").rstrip(".")
    if not bounds:
        return about or "something else"
    return bounds + (f" ({about})" if about else "")


def _list_bounds(node: Mapping[str, Any]) -> list[str]:
    bounds = {
        key: text.format(_join(key, node[key]))
        for key, text in _BOUNDS.items()
        if key in node
        and not (key == "enum" and len(node[key]) > _MOST_CHOICES)
        and not (key == "pattern" and len(node[key]) > _MOST_SHOWN)
    }
    kind = [bounds.pop("type")] if "type" in bounds else []
    return [*kind, *_list_alternatives(node), *bounds.values()]


def _list_alternatives(node: Mapping[str, Any]) -> list[str]:
    """One text, where a value may be the one or the other; none where any can't be described."""
    options = node.get("oneOf") or node.get("anyOf") or ()
    texts = [", ".join(_list_bounds(option)) for option in options]
    if not texts or not all(texts):
        return []
    return [(", or " if any("," in text for text in texts) else " or ").join(texts)]


def _spread(nodes: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Schemas, and what they ask for besides, whatever the condition."""
    for node in nodes:
        yield node
        branches = [*node.get("allOf", ()), node.get("then"), node.get("else")]
        yield from _spread([branch for branch in branches if branch])


def _step_into(node: Mapping[str, Any], step: str | int) -> Mapping[str, Any] | None:
    inside = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
    found: Mapping[str, Any] | None = inside
    return found


def _join(key: str, bound: Any) -> Any:
    if not isinstance(bound, list):
        return bound
    return (" or " if key == "type" else ", ").join(map(str, bound))


def _walk(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _point(path: Sequence[str | int]) -> str:
    """The JSON pointer."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "".join(f"/{step}" for step in steps) or "the top"


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _find(name: str) -> Path:
    return _root() / f"{name}.json"


@cache
def _root() -> Path:
    """An editable install leaves the data in the checkout, a wheel brings it along."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
