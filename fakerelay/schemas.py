"""The contract as data: where it lies, how it is read, and which rule stands behind an error.

The only module that knows the place; the contract kit reads the same data through it.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from fakerelay.errors import ConfigError, nearest

if TYPE_CHECKING:
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

    return jsonschema_rs.Draft202012Validator(load_schema(name))


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


def check_settings(name: str, data: Any, origin: str) -> None:
    """Hold what a user wrote against a schema; the ConfigError says what to mend and where.

    `origin` names the file or option in the message. Values marked `writeOnly` are never shown.
    """
    try:
        error = next(iter(compile_validator(name).iter_errors(data)), None)
    except ValueError as cause:
        raise ConfigError(f"Can't use {origin}: {cause}; write plain JSON values") from cause
    if error is not None:
        raise ConfigError(_explain(load_schema(name), error, origin))


def _explain(
    schema: Mapping[str, Any], error: "jsonschema_rs.ValidationError", origin: str
) -> str:
    node = _walk(schema, error.schema_path[:-1])
    pointer = _point(error.instance_path)
    kind = error.kind.as_dict() if error.kind.name == "required" else {}
    if error.kind.name == "additionalProperties":
        key = error.kind.unexpected[0]
        hint = nearest(key, node["properties"])
        return f"Unknown key {key!r} at {_point([*error.instance_path, key])} of {origin}{hint}"
    if kind:
        missing = _point([*error.instance_path, kind["property"]])
        return f"Missing {missing} in {origin}: {_describe(node['properties'][kind['property']])}"
    value = "a secret" if node.get("writeOnly") else _shorten(error.instance)
    hint = nearest(error.instance, node["enum"]) if _is_misspelled(node, error.instance) else ""
    return f"Can't use {value} at {pointer} of {origin}{hint}: expected {_describe(node)}"


def _is_misspelled(node: Mapping[str, Any], value: Any) -> bool:
    return "enum" in node and isinstance(value, str)


def _describe(node: Mapping[str, Any]) -> str:
    """What a value must be, from its schema: its type and bounds, then what it is for."""
    parts = [str(node["type"])] if "type" in node else []
    for keyword, words in _BOUNDS.items():
        if keyword in node:
            parts.append(words.format(node[keyword]))
    about = node.get("description", "").rstrip(".")
    return ", ".join(parts) + (f" ({about})" if about else "")


_BOUNDS = {
    "enum": "one of {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "of {} or more characters",
    "maxLength": "of at most {} characters",
    "maxItems": "of at most {} items",
    "pattern": "matching {}",
    "not": "not {}",
}


def _walk(schema: Mapping[str, Any], path: Sequence[str | int]) -> Mapping[str, Any]:
    node: Any = schema
    for step in path:
        node = node[step]
    return node if isinstance(node, Mapping) else {}


def _point(path: Sequence[str | int]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path) or "/"


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _find(name: str) -> Path:
    return _root() / f"{name}.json"


@cache
def _root() -> Path:
    """An editable install leaves the data in the checkout, a wheel brings it along."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
