"""The control plane over HTTP: an aiohttp application made from the verb table."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from fakerelay.control.access import Access
from fakerelay.control.local import LocalControl
from fakerelay.control.values import read_body, read_parameter
from fakerelay.control.verbs import EVENT_STREAM, PREFIX, VERBS, Call, Verb
from fakerelay.core.plain import clean_text
from fakerelay.errors import ControlError
from fakerelay.snapshots import render_lines

_LOGGER = logging.getLogger("fakerelay")
_MOST_BODY_BYTES: Final = 1024 * 1024
_MOST_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_CHALLENGE: Final[Mapping[str, str]] = {hdrs.WWW_AUTHENTICATE: "Bearer"}
_WRITING: Final = frozenset((hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_DELETE))
_JSON = re.compile(r"\s*application/json\s*(;.*)?", re.IGNORECASE | re.DOTALL)
_ROOT = re.compile(r"^/(_fakerelay/?)?(v[0-9]+/?)?")

_RETRY_MILLISECONDS: Final = 2000
_STREAM_HEADERS: Final[Mapping[str, str]] = {
    hdrs.CONTENT_TYPE: EVENT_STREAM,
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_application(control: LocalControl, access: Access) -> web.Application:
    """An application that answers every verb under `PREFIX`, and all else with an error.

    Run it with `handler_cancellation`, or lists are waited for that nobody wants any more.
    """
    app = web.Application(middlewares=[_tell_errors])
    for verb in VERBS.values():
        app.router.add_route(
            verb.method, f"{PREFIX}/{verb.path}", _make_handler(verb, control, access)
        )
        if verb.method == hdrs.METH_GET:
            app.router.add_route(
                hdrs.METH_HEAD, f"{PREFIX}/{verb.path}", _make_handler(verb, control, access)
            )
    return app


def _make_handler(verb: Verb, control: LocalControl, access: Access) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not verb.is_open:
            access.check(request.headers)
        call = await _read_call(verb, request)
        if verb.streams:
            return await _send_stream(request, control, call)
        work = control.perform(call)
        # A client that goes away ends its wait, but nothing that has begun to change.
        answer = await (asyncio.shield(work) if verb.method in _WRITING else work)
        if verb.reply is None:
            return web.Response(text=answer, content_type=verb.media_type)
        dumps = render_lines if verb.name == "snapshot" else json.dumps
        return web.json_response(answer, status=verb.status, dumps=dumps)

    return handle


async def _send_stream(
    request: web.Request, control: LocalControl, call: Call
) -> web.StreamResponse:
    """Server-sent events, as long as somebody reads them."""
    _read_last_event_id(request, call)
    stream = control.open_stream(call)
    response = web.StreamResponse(headers=_STREAM_HEADERS)
    try:
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            await response.write(f"retry: {_RETRY_MILLISECONDS}\n\n".encode())
            async for told in stream:
                await response.write(_render_event(told))
            await response.write_eof()
    except ConnectionError:
        pass  # whoever listened has gone
    finally:
        stream.close()
    return response


def _read_last_event_id(request: web.Request, call: Call) -> None:
    """What a client that comes back has heard last says more than the URL it began with."""
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        return
    if not text.isascii() or not text.isdigit():
        detail = f"Can't use {clean_text(text)!r} as Last-Event-ID: expected an event's id"
        raise ControlError("invalid_header", detail, pointer="/header/Last-Event-ID")
    call.parameters["after_event"] = int(text)


def _render_event(told: Any) -> bytes:
    """One event, or the comment that keeps a quiet connection open."""
    if told is None:
        return b": nothing new\n\n"
    return f"id: {told['id']}\nevent: {told['event']}\ndata: {json.dumps(told)}\n\n".encode()


async def _read_call(verb: Verb, request: web.Request) -> Call:
    parameters = {
        name: read_parameter(verb, name, clean_text(text))
        for name, text in request.match_info.items()
    }
    for name, text in parse_qsl(
        clean_text(request.rel_url.raw_query_string), keep_blank_values=True
    ):
        if name in parameters:
            detail = f"Parameter {name!r} stands twice: give it once"
            raise ControlError("repeated_parameter", detail, pointer=f"/query/{name}")
        if name not in verb.query:
            read_parameter(verb, name, text)
        parameters[name] = read_parameter(verb, name, text)
    if verb.body is None:
        return Call(verb, parameters, None)
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    if not _JSON.fullmatch(content_type):
        detail = (
            "Send the header 'Content-Type: application/json' and a JSON object as the body,"
            f" '{{}}' where there is nothing to say (got Content-Type {content_type!r})"
        )
        raise ControlError("unsupported_media_type", detail, status=415)
    return Call(verb, parameters, read_body(await _read_raw(verb, request)))


async def _read_raw(verb: Verb, request: web.Request) -> bytes:
    most = _MOST_DOCUMENT_BYTES if verb.replaces else _MOST_BODY_BYTES
    try:
        return await request.clone(client_max_size=most).read()
    except web.HTTPRequestEntityTooLarge:
        detail = f"The body is larger than {most} bytes"
        raise ControlError("body_too_large", detail, status=413) from None


@web.middleware
async def _tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error in the one envelope."""
    try:
        return await handler(request)
    except ControlError as error:
        return _render(error, _CHALLENGE if error.status == 401 else None)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.path} can't be asked by {request.method}, but by {allowed}"
        return _render(
            ControlError("method_not_allowed", detail, status=405), {hdrs.ALLOW: allowed}
        )
    except web.HTTPNotFound:
        return _render(ControlError("unknown_path", _find_hint(request.path), status=404))
    except web.HTTPException as error:
        return _render(ControlError("http_error", error.reason, status=error.status))
    except Exception:
        _LOGGER.exception("The control plane failed at %s %s", request.method, request.path)
        detail = "A bug of fakerelay; its log has the details"
        return _render(ControlError("internal_error", detail, status=500))


def _render(error: ControlError, headers: Mapping[str, str] | None = None) -> web.Response:
    told: dict[str, Any] = {
        "code": error.code,
        "pointer": error.pointer,
        "title": error.code.replace("_", " ").capitalize(),
        "detail": error.detail,
    }
    return web.json_response({"errors": [told]}, status=error.status, headers=headers)


def _find_hint(path: str) -> str:
    known = sorted({verb.path for verb in VERBS.values()})
    matches = get_close_matches(_ROOT.sub("", path), known, n=1) or ["openapi.json"]
    return f"Unknown path {clean_text(path)!r} (did you mean '{PREFIX}/{matches[0]}'?)"
