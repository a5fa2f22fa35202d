"""How a reply leaves: as bytes written at once where the connection goes on, else by aiohttp.

aiohttp's own response objects would cost a fifth of a whole call.
"""

from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter

_LAST_SECOND: Final = 253402300799  # of the year 9999: a world's clock may go on, dates can't
_CONTENT_TYPE: Final = "application/json; charset=utf-8"


@dataclass(slots=True)
class Reply:
    """A reply in parts; `at` (seconds since 1970) becomes its `Date`."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    at: float


class _Written(web.StreamResponse):
    """Stands for a reply that is on its way already; does its connection go on?"""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self._goes_on = goes_on

    @property
    def keep_alive(self) -> bool:
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        transport = request.transport
        if transport is None or transport.is_closing():  # of TLS, one that was aborted has no size
            return None
        if transport.get_write_buffer_size():
            with suppress(ConnectionError):
                await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


_WRITTEN: Final = _Written(goes_on=True)
CLOSED: Final = _Written(goes_on=False)
"""What a handler answers once the connection is of no more use."""


def went_out(request: web.BaseRequest) -> web.StreamResponse:
    """What a handler answers when it has written a reply out itself."""
    return _WRITTEN if request.keep_alive else CLOSED


def render_reply_head(request: web.BaseRequest, reply: Reply, *, goes_on: bool) -> bytes:
    """A head with whatever headers a reply has, which may replace the usual ones."""
    usual = {hdrs.CONTENT_TYPE: _CONTENT_TYPE, hdrs.DATE: _format_date(int(reply.at))}
    if reply.status not in (204, 304):
        usual[hdrs.CONTENT_LENGTH] = str(len(reply.body))
    if not goes_on:
        usual[hdrs.CONNECTION] = "close"
    elif request.version != HttpVersion11:
        usual[hdrs.CONNECTION] = "keep-alive"
    given = {name.lower() for name, _ in reply.headers}
    lines = [f"{name}: {value}" for name, value in usual.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    first = f"HTTP/1.1 {_STATUS_LINES.get(reply.status, f'{reply.status} ')}"
    return "\r\n".join([first, *lines, "\r\n"]).encode("ascii")


def write_at_once(request: web.BaseRequest, reply: Reply) -> web.StreamResponse | None:
    """Write out a reply whose connection goes on, and return what aiohttp wants of a handler.

    Whether its reader is still there makes no difference: what was decided stands.
    None where the connection ends with the reply: that is for `write_reply`.
    """
    goes_on = (
        request.method == hdrs.METH_POST and request.version == HttpVersion11 and request.keep_alive
    )
    if not goes_on:
        return None
    transport = request.transport
    if transport is not None and not transport.is_closing():
        head = _render_head(reply.status, len(reply.body), reply.headers, int(reply.at))
        transport.write(head + reply.body)
    return _WRITTEN


async def write_reply(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Write any reply out, by aiohttp's own means."""
    response = _make_response(reply)
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write_eof()
    return response


def _make_response(reply: Reply) -> web.Response:
    headers: dict[str, str] = dict(reply.headers)
    headers[hdrs.CONTENT_TYPE] = _CONTENT_TYPE
    headers[hdrs.DATE] = _format_date(int(reply.at))
    return web.Response(status=reply.status, body=reply.body, headers=headers)


@lru_cache(maxsize=256)
def _render_head(
    status: int, length: int, headers: tuple[tuple[str, str], ...], second: int
) -> bytes:
    extra = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return (
        f"HTTP/1.1 {_STATUS_LINES.get(status, f'{status} ')}\r\n"
        f"Content-Type: {_CONTENT_TYPE}\r\n"
        f"Content-Length: {length}\r\n"
        f"Date: {_format_date(second)}\r\n"
        f"{extra}\r\n"
    ).encode("ascii")


@lru_cache(maxsize=4)
def _format_date(second: int) -> str:
    return formatdate(min(second, _LAST_SECOND), usegmt=True)


_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
