"""Of several faults in a request the first check in order answers."""

import json
from collections.abc import Callable
from itertools import combinations

import pytest

from fakerelay.web.bodies import MOST_BODY_BYTES
from tests.web.calls import OpenServer
from tests.web.wires import (
    JSON_TYPE,
    OTHER_TOKEN,
    SOURCE,
    TOKEN,
    accept,
    ask,
    build,
    path_of,
)


class Request:
    """A request to break, one check at a time."""

    def __init__(self) -> None:
        self.body = dict(SOURCE)
        self.ending = b""
        self.target = path_of()
        self.method = "POST"
        self.token: str | None = TOKEN
        self.content_type = JSON_TYPE

    def render(self) -> bytes:
        return build(
            json.dumps(self.body).encode() + self.ending,
            self.target,
            method=self.method,
            token=self.token,
            content_type=self.content_type,
        )


def break_path(request: Request) -> None:
    request.target = "/elsewhere?traceId=t"


def break_method(request: Request) -> None:
    request.method = "PUT"


def break_size(request: Request) -> None:
    request.ending += b" " * MOST_BODY_BYTES


def break_token(request: Request) -> None:
    request.token = None


def break_content_type(request: Request) -> None:
    request.content_type = "text/plain"


def break_json(request: Request) -> None:
    request.ending = b"}" + request.ending


def break_schema(request: Request) -> None:
    request.body["uid"] = ""


def break_address(request: Request) -> None:
    request.body["rtmpurl"] = "rtmp://h/a,rtmp://h/a,rtmp://"


def break_appid(request: Request) -> None:
    request.body["appid"] = 9


def break_uniqueness(request: Request) -> None:
    request.body["rtmpurl"] = "rtmp://h/a,rtmp://h/a"


def break_room(request: Request) -> None:
    request.body["roomid"] = "q"


CHECKS: dict[Callable[[Request], None], int] = {
    break_path: 40403,
    break_method: 40501,
    break_size: 41301,
    break_token: 40101,
    break_content_type: 40003,
    break_json: 40001,
    break_schema: 40002,
    break_appid: 40004,
    break_uniqueness: 40005,
    break_room: 40902,
}


@pytest.mark.parametrize(
    ("first", "second"),
    list(combinations(CHECKS, 2)),
    ids=lambda breaks: breaks.__name__.removeprefix("break_"),
)
async def test_earlier_check_answers(
    open_server: OpenServer,
    first: Callable[[Request], None],
    second: Callable[[Request], None],
) -> None:
    server = await open_server()
    await accept(server, SOURCE)
    request = Request()
    first(request)
    second(request)
    assert (await ask(server, request.render())).code == CHECKS[first]


@pytest.mark.parametrize("later", [break_appid, break_room])
async def test_address_syntax_belongs_to_the_schema_check(
    open_server: OpenServer, later: Callable[[Request], None]
) -> None:
    server = await open_server()
    await accept(server, SOURCE)
    request = Request()
    break_address(request)
    later(request)
    reply = await ask(server, request.render())
    assert (reply.code, reply.rule) == (40002, "address-host")


async def test_rate_limit_comes_after_the_token_and_before_the_content_type(
    open_server: OpenServer,
) -> None:
    server = await open_server(settings={"rate_limit_per_second": 1})
    await accept(server, SOURCE)
    assert (await ask(server, build(token=OTHER_TOKEN))).code == 40301
    assert (await ask(server, build(token=None))).code == 40101
    assert (await ask(server, build(b"", content_type="text/plain"))).code == 42903
