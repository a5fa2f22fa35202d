"""The vendor API over HTTP: a life of a broadcast, and each refusal."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.web.bodies import MOST_BODY_BYTES
from tests.web.calls import STOP_SOURCE, OpenServer
from tests.web.wires import (
    APPID,
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


async def test_no_reply_names_another_apps_task(open_server: OpenServer) -> None:
    server = await open_server()
    await accept(server, {**SOURCE, "uid": "secret-user", "roomid": "secret-room"})
    theirs = build({**SOURCE, "appid": 8}, path_of(appid=8), token=OTHER_TOKEN)
    reply = await ask(server, theirs)
    assert reply.code == 40901
    assert b"secret" not in reply.body + repr(reply.headers).encode()


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


async def test_connection_is_kept_for_the_next_request(open_server: OpenServer) -> None:
    server = await open_server()
    async with wire(server) as opened:
        for operation, body in ((START, SOURCE), (STOP, STOP_SOURCE), (STOP, STOP_SOURCE)):
            await opened.send(build(body, path_of(operation)))
            reply = await opened.answer()
        assert reply.code == 40401
