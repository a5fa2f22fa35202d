"""Whether a body keeps to its operation's schema, and which rule it breaks where it doesn't."""

from collections.abc import Mapping
from typing import Any, Final

from fakerelay.core.problems import Problem, invalid_parameter
from fakerelay.core.requests import START, STOP
from fakerelay.schemas import compile_validator, describe_field, load_schema, rule_of

MOST_BODY_BYTES: Final = 1024 * 1024
_FIELD_ORDER: Final = ("appid", "roomid", "rtmpurl", "streamtype", "taskid", "mixconfig", "uid")
_MANY_INPUTS: Final = 50
_REASONS: Final = {
    "required": "is missing",
    "minimum": "is less than {limit}",
    "maximum": "is greater than {limit}",
    "minLength": "is empty",
    "minItems": "is empty",
    "maxLength": "is longer than {limit} characters",
    "multipleOf": "is not a multiple of {multiple_of}",
    "pattern": "does not match {pattern}",
    "enum": "is none of {options}",
}
_ARTICLES: Final = {"integer": "an integer", "object": "an object", "array": "an array"}


class BodySchema:
    """One operation's schema: a fast yes; a reason is worked out only for a no."""

    def __init__(self, name: str) -> None:
        self._schema = load_schema(name)
        self._validator = compile_validator(name)

    def check(self, body: Mapping[str, Any]) -> Problem | None:
        return None if self._validator.is_valid(body) else self._explain(body)

    def _explain(self, body: Mapping[str, Any]) -> Problem:
        """What is wrong with the first wrong field, in the order of the contract's table."""
        first, part = self._narrow(body)
        error = min(self._validator.iter_errors(part), key=_rank)
        path = _find_path(error)
        if len(path) > 2 and isinstance(path[2], int):
            path[2] += first
        is_missing = error.kind.name == "required"
        return invalid_parameter(
            rule_of(self._schema, error.schema_path),
            _name_field(path),
            _find_reason(error),
            None if is_missing else error.instance,
            describe_field(self._schema, path),
        )

    def _narrow(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """A body with the first inputs that are wrong, and the number of the first of them.

        The validator makes all its errors before it tells one: a body may have a million.
        """
        mixconfig: Any = body.get("mixconfig")
        inputs = mixconfig.get("input") if isinstance(mixconfig, dict) else None
        if not isinstance(inputs, list) or len(inputs) <= _MANY_INPUTS:
            return 0, body
        for first in range(0, len(inputs), _MANY_INPUTS):
            some = {**mixconfig, "input": inputs[first : first + _MANY_INPUTS]}
            part = {**body, "mixconfig": some}
            if not self._validator.is_valid(part):
                return first, part
        return 0, body


BODY_SCHEMAS: Final = {START: "startrtmp.request", STOP: "stoprtmp.request"}


def _find_path(error: Any) -> list[str | int]:
    path = list(error.instance_path)
    return [*path, error.kind.property] if error.kind.name == "required" else path


def _rank(error: Any) -> tuple[int, int]:
    """By the contract's table; what is missing comes before what is wrong inside."""
    path = _find_path(error)
    top = path[0] if path else ""
    rank = _FIELD_ORDER.index(top) if top in _FIELD_ORDER else -1
    return rank, len(path)


def _name_field(path: list[str | int]) -> str:
    """`mixconfig.input[0].uid`."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}"
    return name.lstrip(".")


def _find_reason(error: Any) -> str:
    kind = error.kind
    if kind.name == "type":
        return "must be " + " or ".join(_ARTICLES.get(t, f"a {t}") for t in kind.types)
    reason = _REASONS.get(kind.name)
    return reason.format(**kind.as_dict()) if reason else str(error.message)
