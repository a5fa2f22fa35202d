import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from itertools import combinations
from typing import Any

import pytest

from fakerelay.config import AppConfig
from fakerelay.server import Server
from fakerelay.web.bodies import MOST_BODY_BYTES
from tests.web.wires import (
    APPID,
    JSON_TYPE,
    MIXED,
    OTHER_TOKEN,
    SOURCE,
    START,
    STOP,
    TOKEN,
    accept,
    ask,
    build,
    path_of,
    revision,
    running,
    wire,
)

OpenServer = Callable[..., Awaitable[Server]]
STOP_SOURCE = {key: SOURCE[key] for key in ("appid", "roomid", "streamtype", "uid")}
STOP_MIXED = {key: MIXED[key] for key in ("appid", "roomid", "streamtype", "taskid")}
BODY_TOO_LARGE = b" " * (MOST_BODY_BYTES + 1)


async def test_broadcast_is_started_updated_and_stopped(open_server: OpenServer) -> None:
    server = await open_server()
    for body, operation in (
        (SOURCE, START),
        (MIXED, START),
        ({**SOURCE, "rtmpurl": "rtmp://h/b,rtmp://h/c"}, START),
        ({**STOP_SOURCE, "rtmpurl": "rtmp://h/b"}, STOP),
        (STOP_SOURCE, STOP),
        (STOP_MIXED, STOP),
    ):
        reply = await ask(server, build(body, path_of(operation)))
        assert reply.status == 200
        assert reply.envelope == {"code": 0, "message": "success", "traceId": "t"}
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.rule is None
    assert running(server) == []


class Refusal:
    """How to bring one about, and what the contract has as its answer."""

    def __init__(
        self,
        code: int,
        message: str,
        rule: str,
        rest: int,
        request: bytes,
        *before: Mapping[str, Any],
        default: int = 200,
        **settings: object,
    ) -> None:
        self.code = code
        self.message = message
        self.rule = rule
        self.statuses = {"default": default, "rest": rest}
        self.request = request
        self.before = before
        self.settings = settings


TAKEN = {**SOURCE, "uid": "other"}
REFUSALS = {
    "unknown_path": Refusal(
        40403, "unknown path: /app", "unknown-path", 404, build(target="/app"), default=404
    ),
    "method_not_allowed": Refusal(
        40501,
        "method not allowed: PUT",
        "method-post",
        405,
        build(method="PUT"),
        default=405,
    ),
    "body_too_large": Refusal(
        41301,
        "body too large: more than 1048576 bytes",
        "body-size",
        413,
        build(BODY_TOO_LARGE),
        default=413,
    ),
    "token_missing": Refusal(40101, "token missing", "token-required", 401, build(token=None)),
    "token_malformed": Refusal(
        40102,
        "token malformed: the scheme is 'Basic' and one space",
        "token-scheme",
        401,
        build(token="Base " + TOKEN.split()[1]),
    ),
    "token_invalid": Refusal(
        40103,
        "token invalid",
        "certificate-known",
        401,
        build(token="Basic " + b64encode(b"cert:wrong").decode()),
    ),
    "app_forbidden": Refusal(
        40301, "app forbidden: 7", "certificate-opens-app", 403, build(token=OTHER_TOKEN)
    ),
    "rate_limited": Refusal(
        42903,
        "rate limited: more than 1 calls a second",
        "rate-limit",
        429,
        build(),
        TAKEN,
        rate_limit_per_second=1,
    ),
    "unsupported_content_type": Refusal(
        40003,
        "unsupported content type: text/plain",
        "content-type",
        415,
        build(content_type="text/plain"),
    ),
    "malformed_json": Refusal(
        40001, "malformed JSON: an object is expected, got list", "json-body", 400, build(b"[]")
    ),
    "invalid_parameter": Refusal(
        40002,
        "invalid parameter uid: is missing",
        "uid-field",
        400,
        build({key: SOURCE[key] for key in SOURCE if key != "uid"}),
    ),
    "appid_mismatch": Refusal(
        40004,
        "appid mismatch: 9 in the body, 7 in the path",
        "appid-matches-path",
        409,
        build({**SOURCE, "appid": 9}),
    ),
    "duplicate_address": Refusal(
        40005,
        "duplicate address: rtmp://H/a",
        "address-once",
        409,
        build({**SOURCE, "rtmpurl": "rtmp://h/a,rtmp://H/a"}),
    ),
    "room_not_live": Refusal(
        40404, "room not live: r", "room-live", 409, build(), requires_live_room=True
    ),
    "room_mismatch": Refusal(
        40902,
        "room mismatch: the task is not in room q",
        "room-fixed",
        409,
        build({**SOURCE, "roomid": "q"}),
        SOURCE,
    ),
    "address_in_use": Refusal(
        40901, "address in use: rtmp://h/a", "address-unique", 409, build(), TAKEN
    ),
    "quota_exceeded": Refusal(
        42901,
        "quota exceeded: 1 concurrent pushes",
        "concurrent-pushes",
        429,
        build(),
        MIXED,
        concurrent_pushes=1,
    ),
    "room_quota_exceeded": Refusal(
        42902,
        "room quota exceeded: 1 mixed tasks in room r",
        "mixed-tasks-per-room",
        429,
        build({**MIXED, "taskid": "t2", "rtmpurl": "rtmp://h/m2"}),
        MIXED,
        mixed_tasks_per_room=1,
    ),
    "task_not_found": Refusal(
        40401,
        "task not found: source u",
        "stop-running-task",
        404,
        build(STOP_SOURCE, path_of(STOP)),
    ),
    "address_not_in_task": Refusal(
        40402,
        "address not in task: rtmp://h/z",
        "stop-own-addresses",
        404,
        build({**STOP_SOURCE, "rtmpurl": "rtmp://h/z"}, path_of(STOP)),
        SOURCE,
    ),
}


@pytest.mark.parametrize("profile", ["default", "rest"])
@pytest.mark.parametrize("name", REFUSALS)
async def test_refusal_bears_the_contracts_code(
    open_server: OpenServer, name: str, profile: str
) -> None:
    refusal = REFUSALS[name]
    server = await open_server(profile=profile, settings=refusal.settings)
    for body in refusal.before:
        await accept(server, body)
    before = revision(server)
    reply = await ask(server, refusal.request)
    assert reply.status == refusal.statuses[profile]
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.rule == refusal.rule
    trace_id = "t" if b"?traceId=t" in refusal.request else reply.envelope["traceId"]
    expected = {"code": refusal.code, "message": refusal.message, "traceId": trace_id}
    assert reply.envelope == expected
    assert trace_id
    assert revision(server) == before, "a refused call changes nothing"
    assert reply.headers.get("allow") == ("POST" if name == "method_not_allowed" else None)


def test_every_refusal_is_in_the_table() -> None:
    from fakerelay.profiles import open_profile

    assert set(REFUSALS) == set(open_profile().errors) - {"internal_error"}


@pytest.mark.parametrize("operation", [START, STOP])
async def test_legacy_path_is_answered_where_the_profile_says_so(
    open_server: OpenServer, operation: str
) -> None:
    target = f"/app/{APPID}/v1/recordoss/{operation}?traceId=t"
    body = SOURCE if operation == START else STOP_SOURCE
    for is_on, code in ((False, 40403), (True, 0)):
        server = await open_server(settings={"legacy_paths": is_on})
        await accept(server, SOURCE)
        assert (await ask(server, build(body, target))).code == code
        assert (await ask(server, build(SOURCE))).code == 0, "the documented one is answered too"


async def test_rule_is_kept_to_oneself_without_explain(open_server: OpenServer) -> None:
    server = await open_server(explain=False)
    assert (await ask(server, build(token=None))).rule is None


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


async def test_foreign_and_unknown_app_are_told_apart_by_nobody(open_server: OpenServer) -> None:
    server = await open_server()
    replies = [
        await ask(server, build({**SOURCE, "appid": appid}, path_of(appid=appid)))
        for appid in (8, 999)
    ]
    assert {reply.code for reply in replies} == {40301}
    assert {reply.rule for reply in replies} == {"certificate-opens-app"}
    assert [reply.envelope["message"] for reply in replies] == [
        "app forbidden: 8",
        "app forbidden: 999",
    ]


async def test_unknown_certificate_and_wrong_key_get_the_same_reply(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    tokens = ["Basic " + b64encode(raw).decode() for raw in (b"cert:no", b"nobody:key", b":")]
    replies = [await ask(server, build(token=token)) for token in tokens]
    assert len({(reply.status, reply.body, reply.rule) for reply in replies}) == 1


async def test_no_reply_names_another_apps_task(open_server: OpenServer) -> None:
    server = await open_server()
    await accept(server, {**SOURCE, "uid": "secret-user", "roomid": "secret-room"})
    theirs = build({**SOURCE, "appid": 8}, path_of(appid=8), token=OTHER_TOKEN)
    reply = await ask(server, theirs)
    assert reply.code == 40901
    assert b"secret" not in reply.body + repr(reply.headers).encode()


TOKENS_MALFORMED = {
    "empty": "",
    "scheme alone": "Basic",
    "lower case": TOKEN.replace("Basic", "basic"),
    "two spaces": TOKEN.replace(" ", "  "),
    "tab": TOKEN.replace(" ", "\t"),
    "no base64": "Basic cert:key",
    "no padding": TOKEN.rstrip("="),
    "no colon": "Basic " + b64encode(b"cert").decode(),
    "not UTF-8": "Basic " + b64encode(b"cert:\xff").decode(),
    "bytes of Latin-1": b"Basic \xe9\xe9",
    "twice in one": f"{TOKEN}, {TOKEN}",
    "64 KiB less a little": "Basic " + "QUFB" * 16000,
}


@pytest.mark.parametrize("token", TOKENS_MALFORMED.values(), ids=TOKENS_MALFORMED.keys())
async def test_garbled_token_is_malformed(open_server: OpenServer, token: str | bytes) -> None:
    server = await open_server()
    reply = await ask(server, build(token=None, headers=[("token", token)]))
    assert reply.code == 40102
    assert running(server) == []


@pytest.mark.parametrize("second", [TOKEN, "Basic x", ""], ids=["equal", "garbled", "empty"])
async def test_several_token_headers_are_malformed(open_server: OpenServer, second: str) -> None:
    server = await open_server()
    assert (await ask(server, build(headers=[("token", second)]))).code == 40102


@pytest.mark.parametrize("name", ["Token", "TOKEN", "token"])
async def test_token_header_has_any_case(open_server: OpenServer, name: str) -> None:
    server = await open_server()
    assert (await ask(server, build(token=None, headers=[(name, TOKEN)]))).code == 0


async def test_authorization_header_neither_replaces_the_token_nor_disturbs_it(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    header = ("Authorization", TOKEN)
    assert (await ask(server, build(token=None, headers=[header]))).code == 40101
    assert (await ask(server, build(headers=[("Authorization", "Bearer x")]))).code == 0


TRACE_IDS = {
    "plain": ("traceId=10.0.0.1-1700000000000-1-99", "10.0.0.1-1700000000000-1-99"),
    "after another": ("x=1&traceId=b", "b"),
    "before another": ("traceId=b&x=1", "b"),
    "the first of two": ("traceId=a&traceId=b", "a"),
    "encoded": ("traceId=%E4%B8%AD%22%0a", '中"\n'),
    "a space as a plus": ("traceId=a+b", "a b"),
    "quotation marks": ('traceId="\\', '"\\'),
    "NUL": ("traceId=%00", "\0"),
    "not UTF-8": ("traceId=%ff", "\ufffd"),
    "a surrogate": ("traceId=%ed%a0%80", "\ufffd\ufffd\ufffd"),
    "an equals sign": ("traceId=a=b", "a=b"),
    "long": ("traceId=" + "x" * 20_000, "x" * 20_000),
    "encoded name": ("trace%49d=a", "a"),
}


@pytest.mark.parametrize(("query", "trace_id"), TRACE_IDS.values(), ids=TRACE_IDS.keys())
async def test_trace_id_is_echoed(open_server: OpenServer, query: str, trace_id: str) -> None:
    server = await open_server()
    for token in (TOKEN, None):
        reply = await ask(server, build(target=path_of(query=query), token=token))
        assert reply.envelope["traceId"] == trace_id


@pytest.mark.parametrize(
    "query", ["", "traceId=", "traceId", "traceid=a", "x=traceId=a", "traceId=&traceId=b"]
)
async def test_trace_id_left_out_is_made_up(open_server: OpenServer, query: str) -> None:
    server = await open_server()
    replies = [await ask(server, build(target=path_of(query=query))) for _ in range(2)]
    assert [reply.code for reply in replies] == [0, 0]
    made_up = {reply.envelope["traceId"] for reply in replies}
    assert len(made_up) == 2
    assert all(made_up)
    for exchange in server.tenants.default.journal:
        assert [warning.rule for warning in exchange.warnings] == ["trace-id-missing"]


async def test_repeated_trace_id_is_worth_a_warning(open_server: OpenServer) -> None:
    server = await open_server()
    for _ in range(2):
        await accept(server, SOURCE)
    rules = [[one.rule for one in exchange.warnings] for exchange in server.tenants.default.journal]
    assert rules == [[], ["trace-id-repeated"]]


async def test_warnings_are_for_the_journal_not_for_the_reply(open_server: OpenServer) -> None:
    server = await open_server()
    body = {**SOURCE, "extra": 1, "taskid": 1, "rtmpurl": "rtmp://h/".ljust(300, "a")}
    reply = await ask(server, build(body))
    assert reply.envelope == {"code": 0, "message": "success", "traceId": "t"}
    (exchange,) = server.tenants.default.journal
    assert sorted(warning.rule for warning in exchange.warnings) == [
        "address-over-256",
        "field-ignored",
        "field-unknown",
    ]


async def test_journal_holds_neither_token_nor_key(open_server: OpenServer) -> None:
    server = await open_server(apps=(AppConfig(APPID, "cert", "s3cret-key"),))
    token = "Basic " + b64encode(b"cert:s3cret-key").decode()
    await ask(server, build(token=token))
    await ask(server, build(token=f"{token}x"))
    for exchange in server.tenants.default.journal:
        held = repr([getattr(exchange, name) for name in exchange.__slots__])
        assert "s3cret" not in held
        assert token.split()[1] not in held


async def test_revoked_certificate_opens_nothing(open_server: OpenServer) -> None:
    from fakerelay.core.commands import PutCertificate
    from fakerelay.core.model import Certificate

    server = await open_server()
    service = server.tenants.default.service
    await service.apply(PutCertificate(Certificate("cert", "key", "cert", revoked_at=0.0)))
    assert (await ask(server, build())).code == 40103


async def test_connection_is_kept_for_the_next_request(open_server: OpenServer) -> None:
    server = await open_server()
    async with wire(server) as opened:
        for operation, body in ((START, SOURCE), (STOP, STOP_SOURCE), (STOP, STOP_SOURCE)):
            await opened.send(build(body, path_of(operation)))
            reply = await opened.answer()
        assert reply.code == 40401
