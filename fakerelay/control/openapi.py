"""The control plane as an OpenAPI 3.1 document, made from the verb table."""

from collections.abc import Mapping
from typing import Any

from fakerelay.control.components import components
from fakerelay.control.verbs import PREFIX, VERBS, Verb, parameter_schemas

Json = dict[str, Any]


def build_control_document(version: str, *, is_guarded: bool) -> Json:
    """The document; `is_guarded` where callers must present the control token."""
    paths: dict[str, Json] = {}
    for verb in VERBS.values():
        operation = _describe(verb, is_guarded=is_guarded)
        paths.setdefault(f"{PREFIX}/{verb.path}", {})[verb.method.lower()] = operation
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "fakerelay control plane", "version": version},
        "paths": paths,
        "components": {"schemas": components()},
    }
    if is_guarded:
        document["components"]["securitySchemes"] = {
            "control_token": {"type": "http", "scheme": "bearer"}
        }
    return document


def _describe(verb: Verb, *, is_guarded: bool) -> Json:
    operation: Json = {
        "operationId": verb.name,
        "tags": [verb.path.partition("/")[0]],
        "summary": verb.doc,
        "parameters": _list_parameters(verb),
        "responses": {
            str(verb.status): _describe_success(verb),
            "4XX": _answer("The call was refused.", _reference("errors")),
        },
    }
    if verb.waits:
        operation["description"] = _WAITING
    if verb.streams:
        operation["description"] = _STREAMING
    if verb.body is not None:
        content = {"application/json": {"schema": _reference(verb.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if is_guarded and not verb.is_open:
        operation["security"] = [{"control_token": []}]
    return operation


_UNLISTED = ("wait_seconds", "count")
_WAITING = (
    "Waits: with `wait_seconds` (real time, at most 600) and `count` (1 by default) in the query"
    " the answer comes as soon as that many match, or when the time is over. These two are not"
    " among the parameters below, so that tools which try out every parameter don't spend their"
    " time waiting."
)

_STREAMING = (
    "Server-sent events, without an end unless `for_seconds` or `most` are given. The `data` of"
    " each is one line of JSON, as in the component `event`. Tools which try out every operation"
    " have to leave this one out."
)


def _list_parameters(verb: Verb) -> list[Json]:
    listed = [_parameter(name, "path") for name in verb.path_parameters]
    if verb.needs_target:
        return [*listed, _target_parameter(verb)]
    return listed + [_parameter(name, "query") for name in verb.query if name not in _UNLISTED]


def _parameter(name: str, place: str) -> Json:
    schema = dict(parameter_schemas()[name])
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": schema.pop("description"),
        "schema": schema,
    }


def _target_parameter(verb: Verb) -> Json:
    """At least one of several: a form-exploded object is how OpenAPI can say that."""
    schemas = parameter_schemas()
    return {
        "name": "target",
        "in": "query",
        "required": True,
        "style": "form",
        "explode": True,
        "description": "What to destroy: one at least of appid=, world= and all=true.",
        "schema": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {name: dict(schemas[name]) for name in verb.query},
        },
    }


def _describe_success(verb: Verb) -> Json:
    if verb.reply is not None:
        return _answer("Done.", _reference(verb.reply))
    media_type = verb.media_type.partition(";")[0]
    return {"description": "Done.", "content": {media_type: {"schema": {"type": "string"}}}}


def _answer(description: str, schema: Mapping[str, Any]) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
