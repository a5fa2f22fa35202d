"""The vendor API as an OpenAPI 3.1 document: what this server takes now, and what it answers.

It tells less than is taken where OpenAPI can't tell all (addresses of a plain form, layouts by
template), but nothing that isn't so.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fakerelay import schemas
from fakerelay.core.model import MIXED, SOURCE
from fakerelay.core.profile import Profile

Json = dict[str, Any]

_ADDRESS = r"rtmps?://[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?(:[1-9][0-9]{0,3})?(/[!-+\x2D-~]{0,100})?"
_ADDRESSES: Final = f"^{_ADDRESS}(,{_ADDRESS}){{0,4}}$"
_SHORT_TASKID: Final = "^[A-Za-z0-9]{1,20}$"
_PREFIXES: Final = ("v2/rtmpforward", "v1/recordoss")
_SUMMARIES: Final = {
    "startrtmp": "Start a relay, or update the one that runs under the same name.",
    "stoprtmp": "Stop a relay, or only its pushes to some addresses.",
}
_ONLY: Final = {
    "startrtmp": {"room_not_live", "address_in_use", "quota_exceeded", "room_quota_exceeded"},
    "stoprtmp": {"task_not_found", "address_not_in_task"},
}
_LAYOUT: Final = (
    "A layout by template. In place of `templateid` a layout of one's own may be given in `input`,"
    " an array of `input` objects (see the component): each inside the canvas, a user of a room"
    " only once."
)


def build_vendor_document(profile: Profile, appids: Sequence[int], urls: Sequence[str]) -> Json:
    """The document of a world: `appids` are its apps, `urls` lead to the server."""
    start, stop = _read_schema("startrtmp.request"), _read_schema("stoprtmp.request")
    mixconfig = start["then"]["properties"]["mixconfig"]
    components = {
        "input": mixconfig["properties"].pop("input")["items"],
        "reply": _read_schema("reply"),
        "startrtmp": _describe_body(_narrow_layout(start, mixconfig), profile, appids),
        "stoprtmp": _describe_body(stop, profile, appids),
    }
    prefixes = _PREFIXES if profile.legacy_paths else _PREFIXES[:1]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Relayed Live Broadcasting, as fakerelay serves it",
            "version": f"{profile.name}@{profile.version} ({profile.hash})",
        },
        "servers": [{"url": url} for url in urls],
        "security": [{"token": []}],
        "paths": {
            f"/app/{{appid}}/{prefix}/{operation}": {
                "post": _describe_operation(operation, prefix, profile, appids)
            }
            for prefix in prefixes
            for operation in _SUMMARIES
        },
        "components": {"schemas": components, "securitySchemes": {"token": _TOKEN}},
    }


_TOKEN: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "token",
    "description": "`Basic ` and the base64 of `certificateId:certificateKey`.",
}


def _describe_operation(
    operation: str, prefix: str, profile: Profile, appids: Sequence[int]
) -> Json:
    is_legacy = prefix != _PREFIXES[0]
    schema = {"$ref": f"#/components/schemas/{operation}"}
    content = {"schema": schema, "examples": _list_examples(operation, appids)}
    return {
        "operationId": f"{operation}_legacy" if is_legacy else operation,
        "summary": _SUMMARIES[operation],
        "parameters": [
            {
                "name": "appid",
                "in": "path",
                "required": True,
                "description": "The app; one that the certificate opens.",
                "schema": _describe_appid(appids),
            },
            {
                "name": "traceId",
                "in": "query",
                "description": "Identifies the call; made up where it is missing.",
                "schema": {"type": "string"},
            },
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": _describe_replies(operation, profile),
    }


def _describe_body(schema: Json, profile: Profile, appids: Sequence[int]) -> Json:
    """`if` the stream is mixed `then` this, `else` that, as the two bodies that there are."""
    mixed, source = schema.pop("then"), schema.pop("else")["then"]
    del schema["if"]
    properties = schema["properties"]
    properties["appid"] = _describe_appid(appids)
    properties["rtmpurl"] |= {"pattern": _ADDRESSES}
    if profile.taskid_style != "sdk":
        mixed["properties"]["taskid"]["pattern"] = _SHORT_TASKID
    return {
        "description": schema["description"],
        "oneOf": [
            _join(schema, MIXED, mixed, "mixed"),
            _join(schema, SOURCE, source, "source"),
        ],
    }


def _join(schema: Json, streamtype: int, branch: Json, title: str) -> Json:
    kind = {"description": "1 mixed, 2 source.", "type": "integer", "enum": [streamtype]}
    return {
        "title": f"{schema['title']}, {title}",
        "type": "object",
        "required": schema["required"] + branch["required"],
        "properties": {**schema["properties"], "streamtype": kind, **branch["properties"]},
    }


def _narrow_layout(start: Json, mixconfig: Json) -> Json:
    for key in ("if", "then"):
        del mixconfig[key]
    mixconfig["required"].append("templateid")
    mixconfig["description"] = _LAYOUT
    return start


def _describe_appid(appids: Sequence[int]) -> Json:
    if appids:
        return {"type": "integer", "enum": list(appids)}
    return {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}


def _describe_replies(operation: str, profile: Profile) -> Json:
    """Each HTTP status with the codes that come in it."""
    (other,) = _ONLY.keys() - {operation}
    replies: dict[int, list[tuple[int, str]]] = {200: [(0, "success")]}
    for name, reply in profile.errors.items():
        if name not in _ONLY[other]:
            replies.setdefault(reply.http_status, []).append((reply.code, name))
    return {str(status): _describe_reply(codes) for status, codes in sorted(replies.items())}


def _describe_reply(codes: Sequence[tuple[int, str]]) -> Json:
    told = ", ".join(f"{code} {name}" for code, name in codes)
    code = {"enum": sorted({code for code, _ in codes})}
    schema = {"$ref": "#/components/schemas/reply", "properties": {"code": code}}
    return {
        "description": told,
        "headers": {
            "X-Fakerelay-Rule": {
                "description": "The rule that refused the call; fakerelay's own.",
                "schema": {"type": "string"},
            }
        },
        "content": {"application/json": {"schema": schema}},
    }


def _list_examples(operation: str, appids: Sequence[int]) -> Json:
    appid = appids[0] if appids else 1
    common = {"appid": appid, "roomid": "room-1", "rtmpurl": "rtmp://cdn.example.com/live/a"}
    mixed = {**common, "streamtype": 1, "taskid": "task-1"}
    if operation == "startrtmp":
        mixed["mixconfig"] = {"templateid": 1, "output": {"width": 640, "height": 360}}
    source = {**common, "streamtype": 2, "uid": "user-1"}
    return {"mixed": {"value": mixed}, "source": {"value": source}}


def _read_schema(name: str) -> Json:
    plain: Json = _flatten(schemas.read_json(name))
    return plain


def _flatten(node: Any) -> Any:
    """Without our own keywords, and with each `allOf` laid over what it stands in."""
    if isinstance(node, list):
        return [_flatten(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    flat = {
        key: _flatten(value)
        for key, value in node.items()
        if not (key.startswith(("x-", "$")) or key == "allOf")
    }
    for part in _flatten(node.get("allOf", [])):
        if "required" in part:
            part["required"] = flat.get("required", []) + part["required"]
        flat |= part
    return flat
