"""Arguments as the values that a JSON Schema asks for."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    Type = click.ParamType[Any]
else:
    Type = click.ParamType  # not generic in older releases

_MOST_CHOICES = 6
_MOST_SHOWN = 80


class Value(Type):
    """One value: a number, a text, or JSON where the schema wants an object or an array.

    Whether it is within bounds is for the server to say.
    """

    name = "value"

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._types = _types(schema)
        self._choices = schema.get("enum", ())
        if self._is_json:
            self.name = "json"
        elif len(self._types) == 1 and self._types[0] != "string":
            self.name = self._types[0]
        else:
            self.name = "text"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        if len(self._choices) in range(1, _MOST_CHOICES + 1):
            return f"[{'|'.join(map(str, self._choices))}]"
        return None

    @property
    def _is_json(self) -> bool:
        return not {"object", "array"}.isdisjoint(self._types)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if self._is_json and not ("string" in self._types and value.isidentifier()):
            return _read_json(self, value, param, ctx)
        for kind, read in (("integer", int), ("number", float)):
            if kind in self._types:
                try:
                    return read(value)
                except ValueError:
                    if "string" not in self._types:
                        self.fail(f"{value!r} is no {kind}", param, ctx)
        return value


class _JsonObject(Type):
    """An object, or where one is: `@FILE`, or `-` for stdin."""

    name = "json|@file|-"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str):
            text = _read_source(self, value, param, ctx)
            read = _read_json(self, text, param, ctx)
        else:
            read = value
        if not isinstance(read, dict):
            self.fail(f"{_shorten(value)} is no JSON object", param, ctx)
        return read


JSON_OBJECT = _JsonObject()


def _types(schema: Mapping[str, Any]) -> list[str]:
    """The JSON types of a schema, from its values where it doesn't say."""
    if "$ref" in schema:
        return ["object"]
    declared = schema.get("type")
    if declared is None:
        kinds = {type(value) for value in schema.get("enum", ("",))}
        return [name for kind, name in ((int, "integer"), (str, "string")) if kind in kinds]
    return [declared] if isinstance(declared, str) else list(declared)


def _read_json(
    kind: Type, text: str, param: click.Parameter | None, ctx: click.Context | None
) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        kind.fail(f"{_shorten(text)} is no JSON: {error}", param, ctx)


def _read_source(
    kind: Type, value: str, param: click.Parameter | None, ctx: click.Context | None
) -> str:
    if value == "-":
        if sys.stdin.isatty():
            kind.fail("nothing comes on stdin: give it as @FILE, or by < FILE", param, ctx)
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        kind.fail(f"can't read {value[1:]!r}: {error}", param, ctx)


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
