"""Proofs of the faults of what is answered."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.mutants.calls import (
    Call,
    mixed,
    no,
    other,
    source,
    stop,
    urls,
)
from tests.mutants.proofs.wordings import (
    DUPLICATE,
    FIVE,
    TEXT,
    TWO,
    bad,
    bad_key,
    fill_room,
    full,
    same,
    taken,
)

WRONG_PATH: Final = no("unknown_path", source())._replace(operation="pausertmp")
WRONG_METHOD: Final = no("method_not_allowed", source())._replace(method="PUT")

LEGACY: Final = no("unknown_path", source())._replace(prefix="v1/recordoss")

PROOFS: Final[Mapping[str, Sequence[Call]]] = {
    "code-of-address-in-use-wrong": same("a", "a"),
    "code-of-address-not-in-task-wrong": [
        source("a"),
        no("address_not_in_task", stop(rtmpurl=urls("b"))),
    ],
    "code-of-app-forbidden-wrong": [no("app_forbidden", source().by(TWO.token))],
    "code-of-appid-mismatch-wrong": [no("appid_mismatch", source(appid=TWO.appid))],
    "code-of-duplicate-address-wrong": [DUPLICATE],
    "code-of-invalid-parameter-wrong": [bad(source(roomid=None))],
    "code-of-malformed-json-wrong": [no("malformed_json", source()._replace(body=b"{"))],
    "code-of-quota-exceeded-wrong": [*FIVE, full(source())],
    "code-of-room-mismatch-wrong": [source(), no("room_mismatch", stop(room="elsewhere"))],
    "code-of-room-quota-exceeded-wrong": [*fill_room(5), no("room_quota_exceeded", mixed())],
    "code-of-task-not-found-wrong": [no("task_not_found", stop())],
    "code-of-token-invalid-wrong": [bad_key("wrong", source())],
    "code-of-token-malformed-wrong": [no("token_malformed", source().by("Basic ?"))],
    "code-of-token-missing-wrong": [no("token_missing", source().by())],
    "code-of-unsupported-content-type-wrong": [
        no("unsupported_content_type", source()._replace(headers=TEXT))
    ],
    "refusal-bears-code-0": [bad(source(roomid=None))],
    "refusal-called-success": [bad(source(roomid=None))],
    "success-called-ok": [source()],
    "reply-code-a-string": [source()],
    "reply-code-missing": [source()],
    "reply-message-missing": [source()],
    "reply-traceid-missing": [source()],
    "trace-id-not-echoed": [source()],
    "trace-id-of-previous-call": [source()],
    "refusal-no-json": [bad(source(roomid=None))],
    "invalid-parameter-breaks-down": [bad(source(roomid=None))],
    "address-in-use-breaks-down": same("a", "a"),
    "refusal-status-400": [bad(source(roomid=None))],
    "field-not-told": [bad(source(roomid=None))],
    "holder-told": [source("a"), taken(other(source("a", "v")))],
    "address-not-told": same("a", "a"),
    "missing-trace-id-refused": [source()._replace(has_trace=False)],
    "unknown-path-status-200": [WRONG_PATH],
    "unknown-path-no-json": [WRONG_PATH],
    "get-accepted": [WRONG_METHOD],
    "allow-missing": [WRONG_METHOD],
    "legacy-path-answered": [LEGACY],
}
