"""For each fault the calls that show it, with what a correct server answers to them."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.mutants.calls import (
    FULL,
    Call,
    Race,
    layout,
    mixed,
    no,
    other,
    output,
    source,
    stop,
    stop_mixed,
    tile,
    urls,
)
from tests.mutants.faults import FAULTS
from tests.mutants.tokens import ACCOUNTS

ONE, TWO = ACCOUNTS


def token(key: str = ONE.certificate_key, name: str = ONE.certificate_id) -> str:
    return "Basic " + b64encode(f"{name}:{key}".encode()).decode()


def bad_key(key: str, call: Call) -> Call:
    return no("token_invalid", call.by(token(key)))


def bad(call: Call) -> Call:
    return no("invalid_parameter", call)


def taken(call: Call) -> Call:
    return no("address_in_use", call)


def of_name(field: str) -> Mapping[str, Sequence[Call]]:
    """The proofs of a field that bears a name."""

    def call(value: Any) -> Call:
        return (mixed() if field == "taskid" else source()).but(**{field: value})

    return {
        f"{field}-missing-accepted": [bad(call(None))],
        f"{field}-number-accepted": [bad(call(5))],
        f"{field}-empty-accepted": [bad(call(""))],
        f"{field}-65-accepted": [bad(call("x" * 65))],
        f"{field}-characters-accepted": [bad(call("x y"))],
        f"{field}-64-refused": [call("x" * 64)],
        f"{field}-dash-refused": [call("x-y_Z9")],
    }


def at_length(size: int) -> str:
    return "rtmp://h/".ljust(size, "x")


def fill(times: int, room: str = "") -> list[Call]:
    """Source tasks, each in a room of its own unless one is given."""
    return [source(f"f{i}", f"f{i}", room or f"room{i}") for i in range(times)]


def fill_room(times: int) -> list[Call]:
    return [mixed(f"m{i}", f"m{i}") for i in range(times)]


def full(call: Call) -> Call:
    return no("quota_exceeded", call)


UNCLAIMED: Final = source("b", "v")
TEXT: Final = {"Content-Type": "text/plain"}
DUPLICATE: Final = no("duplicate_address", source("a a"))

TOKENS: Final[Mapping[str, Sequence[Call]]] = {
    "no-token-accepted": [no("token_missing", source().by())],
    "stop-token-unchecked": [source(), no("token_missing", stop().by())],
    "authorization-header-accepted": [
        no("token_missing", source().by())._replace(
            headers={"Content-Type": "application/json", "Authorization": ONE.token}
        )
    ],
    "base-scheme-accepted": [no("token_malformed", source().by(token().replace("Basic", "Base")))],
    "any-scheme-accepted": [no("token_malformed", source().by(token().replace("Basic", "Bearer")))],
    "wrong-key-accepted": [bad_key("wrong", source())],
    "stop-key-unchecked": [source(), bad_key("wrong", stop())],
    "key-prefix-accepted": [bad_key(ONE.certificate_key[:-1], source())],
    "longer-key-accepted": [bad_key(ONE.certificate_key + "x", source())],
    "key-case-ignored": [bad_key(ONE.certificate_key.lower(), source())],
    "key-trimmed": [bad_key(ONE.certificate_key + " ", source())],
    "empty-key-accepted": [bad_key("", source())],
    "any-certificates-key-accepted": [bad_key(TWO.certificate_key, source())],
    "unknown-certificate-accepted": [no("token_invalid", source().by(token(name="nobody")))],
    "certificate-case-ignored": [
        no("token_invalid", source().by(token(name=ONE.certificate_id.upper())))
    ],
    "refused-start-done-anyway": [bad_key("wrong", source("b")), UNCLAIMED],
    "refused-stop-done-anyway": [source("b"), bad_key("wrong", stop()), taken(UNCLAIMED)],
    "foreign-app-accepted": [no("app_forbidden", source().by(TWO.token))],
    "scheme-case-ignored": [no("token_malformed", source().by(token().replace("B", "b", 1)))],
    "token-spaces-accepted": [no("token_malformed", source().by(token().replace(" ", "  ")))],
    "token-padding-optional": [no("token_malformed", source().by(token().rstrip("=")))],
    "several-tokens-accepted": [no("token_malformed", source().by(token(), token()))],
    "fields-before-token": [no("token_missing", source(roomid=None).by())],
    "content-type-before-token": [no("token_missing", source().by()._replace(headers=TEXT))],
    "json-before-content-type": [
        no("unsupported_content_type", source())._replace(body=b"{", headers=TEXT)
    ],
    "appid-before-fields": [bad(source(appid=TWO.appid, roomid=None))],
}

FIELDS: Final[Mapping[str, Sequence[Call]]] = {
    "appid-missing-accepted": [bad(source(appid=None))],
    "appid-string-accepted": [bad(source(appid=str(ONE.appid)))],
    "other-appid-accepted": [no("appid_mismatch", source(appid=TWO.appid))],
    **of_name("roomid"),
    **of_name("taskid"),
    **of_name("uid"),
    "streamtype-missing-accepted": [bad(source(streamtype=None))],
    "streamtype-string-accepted": [bad(source(streamtype="2"))],
    "streamtype-boolean-accepted": [bad(mixed(streamtype=True))],
    "streamtype-0-accepted": [bad(source(streamtype=0))],
    "streamtype-3-accepted": [bad(source(streamtype=3))],
    "rtmpurl-missing-accepted": [bad(source(rtmpurl=None))],
    "rtmpurl-list-accepted": [bad(source(rtmpurl=[urls("a")]))],
    "rtmpurl-empty-accepted": [bad(source(rtmpurl=""))],
    "six-addresses-accepted": [bad(source("a b c d e f"))],
    "five-addresses-refused": [source("a b c d e")],
    "mixconfig-missing-accepted": [bad(mixed(mixconfig=None))],
    "mixconfig-string-accepted": [bad(mixed(mixconfig="{}"))],
    "templateid-0-accepted": [bad(layout(templateid=0))],
    "templateid-5-accepted": [bad(layout(templateid=5))],
    "templateid-string-accepted": [bad(layout(templateid="1"))],
    "template-1-refused": [layout(templateid=1)],
    "template-4-refused": [layout(templateid=4)],
    "template-needs-input": [layout(templateid=2)],
    "input-missing-accepted": [bad(layout())],
    "input-object-accepted": [bad(layout(input={"uid": "u"}))],
    "input-items-unchecked": [bad(layout(input=[5]))],
    "input-empty-accepted": [bad(layout(input=[]))],
    "input-uid-unchecked": [bad(tile(uid=5))],
    "input-width-unchecked": [bad(tile(width=0))],
    "input-zorder-unchecked": [bad(tile(zorder=101))],
    "input-crop-unchecked": [bad(tile(crop=2))],
    "input-alpha-unchecked": [bad(tile(alpha=1.5))],
    "input-uid-twice-accepted": [bad(layout(input=[{"uid": "u"}, {"uid": "u"}]))],
    "tile-outside-accepted": [bad(tile(x=400))],
    "output-missing-accepted": [bad(mixed(mixconfig={"templateid": 1}))],
    "output-list-accepted": [bad(mixed(mixconfig={"templateid": 1, "output": [FULL]}))],
    "output-width-unchecked": [bad(output(width=641))],
    "output-height-unchecked": [bad(output(height=3842))],
    "output-fps-unchecked": [bad(output(fps=61))],
    "output-bitrate-unchecked": [bad(output(bitrate=0))],
    "output-channels-unchecked": [bad(output(channels="2"))],
    "fps-60-refused": [output(fps=60)],
    "ignored-fields-checked": [source(taskid=5)],
    "unknown-field-refused": [source(region="eu")],
    "nan-accepted": [no("malformed_json", source().but(more=1).raw(('"more": 1', '"more": NaN')))],
    "first-key-wins": [source().raw(('"roomid": "r"', '"roomid": 5, "roomid": "r"'))],
    "whole-float-refused": [source(streamtype=2.0)],
    "surrogates-accepted": [
        no("malformed_json", source(more="x").raw(('"more": "x"', '"more": "\\ud800"')))
    ],
    "content-type-unchecked": [no("unsupported_content_type", source()._replace(headers=TEXT))],
    "charset-needed": [source()._replace(headers={"Content-Type": "application/json"})],
    "stop-roomid-missing-accepted": [source(), bad(stop(roomid=None))],
    "stop-streamtype-3-accepted": [source(), bad(stop(streamtype=3))],
    "stop-appid-missing-accepted": [source(), bad(stop(appid=None))],
}


def same(one: str, two: str) -> list[Call]:
    return [source(one), taken(source(two, "v"))]


def apart(one: str, two: str) -> list[Call]:
    return [source(one), source(two, "v")]


ADDRESSES: Final[Mapping[str, Sequence[Call | Race]]] = {
    "http-address-accepted": [bad(source("http://h/a"))],
    "empty-address-skipped": [bad(source(rtmpurl=urls("a") + ","))],
    "rtmps-refused": [source("rtmps://h/a")],
    "address-513-accepted": [bad(source(at_length(513)))],
    "address-512-refused": [source(at_length(512))],
    "address-257-refused": [source(at_length(257))],
    "chinese-address-accepted": [bad(source("rtmp://h/\u76f4\u64ad"))],
    "address-space-accepted": [bad(source(rtmpurl="rtmp://h/a b"))],
    "address-without-host-accepted": [bad(source("rtmp:///a"))],
    "ipv6-refused": [source("rtmp://[::1]/a")],
    "user-information-refused": [source("rtmp://me:secret@h/a")],
    "empty-port-accepted": [bad(source("rtmp://h:/a"))],
    "port-unchecked": [bad(source("rtmp://h:65536/a"))],
    "address-without-path-refused": [source("rtmp://h")],
    "address-twice-accepted": [DUPLICATE],
    "addresses-compared-as-text": same("RTMP://H:1935/a", "rtmp://h/a"),
    "host-case-counts": same("rtmp://H/a", "rtmp://h/a"),
    "default-port-counts": same("rtmps://h:443/a", "rtmps://h/a"),
    "any-port-ignored": apart("rtmp://h:1/a", "rtmp://h:2/a"),
    "path-case-ignored": apart("rtmp://h/a", "rtmp://h/A"),
    "query-ignored": apart("rtmp://h/a?k=1", "rtmp://h/a?k=2"),
    "trailing-slash-ignored": apart("rtmp://h/a", "rtmp://h/a/"),
    "user-information-ignored": apart("rtmp://x@h/a", "rtmp://y@h/a"),
    "scheme-ignored": apart("rtmp://h/a", "rtmps://h/a"),
    "address-unchecked": same("a", "a"),
    "update-address-unchecked": [*apart("a", "b"), taken(source("a", "v"))],
    "only-first-address-checked": same("a", "b a"),
    "only-first-three-checked": same("a", "b c d a"),
    "only-last-address-checked": same("a", "a b"),
    "first-address-unchecked": same("a", "a b"),
    "address-unchecked-across-kinds": [source("a"), taken(mixed("a"))],
    "address-unchecked-within-kind": same("a", "a"),
    "address-unchecked-for-mixed": [source("a"), taken(mixed("a"))],
    "address-unchecked-across-rooms": [source("a"), taken(source("a", "v", "elsewhere"))],
    "address-unchecked-within-room": same("a", "a"),
    "address-unchecked-across-apps": [source("a"), taken(other(source("a")))],
    "address-race": [Race((source("a", "v"), taken(source("a", "w"))))],
    "start-done-late": same("a", "a"),
    "update-ignores-new": [source("a"), source("a b"), taken(source("b", "v"))],
    "update-drops-kept": [source("a"), source("a b"), taken(source("a", "v"))],
    "never-released": [source("b"), stop(), UNCLAIMED],
    "only-first-address-released": [source("a b"), stop(), UNCLAIMED],
    "only-last-address-released": [source("b a"), stop(), UNCLAIMED],
    "released-at-next-stop": [source("b"), stop(), UNCLAIMED],
    "released-after-3-s": [source("b"), stop(), UNCLAIMED],
    "left-addresses-kept": [source("a b"), source("a"), UNCLAIMED],
    "claims-though-token": [no("token_missing", source("b").by()), UNCLAIMED],
    "claims-though-invalid-parameter": [bad(source("b", roomid="")), UNCLAIMED],
    "claims-though-address-in-use": [source("a"), taken(source("b a", "w")), UNCLAIMED],
    "claims-though-quota-exceeded": [*fill(5), full(source("b")), stop("f0", "room0"), UNCLAIMED],
    "claims-though-duplicate-address": [no("duplicate_address", source("b b")), UNCLAIMED],
}

FIVE: Final = fill(5)
TASKS: Final[Mapping[str, Sequence[Call | Race]]] = {
    "quota-one-less": FIVE,
    "quota-one-more": [*FIVE, full(source())],
    "quota-unchecked": [*FIVE, full(source())],
    "quota-unchecked-for-mixed": [*FIVE, full(mixed())],
    "quota-unchecked-for-source": [*FIVE, full(source())],
    "quota-per-room": [*FIVE, full(source())],
    "quota-per-kind": [*FIVE, full(mixed())],
    "quota-across-apps": [*FIVE, other(source())],
    "quota-counts-addresses": [source("a b c"), source("d e f", "v")],
    "stop-keeps-quota": [*FIVE, stop("f0", "room0"), source()],
    "unknown-stop-frees-quota": [*FIVE, no("task_not_found", stop()), full(source())],
    "rejected-start-counts": [*fill(4), taken(source("f0")), source()],
    "update-counts": [*fill(4), *fill(4), source()],
    "full-quota-refuses-updates": [*FIVE, source("g", "f0", "room0")],
    "quota-race": [*fill(4), Race((source("a", "v"), full(source("b", "w"))))],
    "room-quota-one-less": fill_room(5),
    "room-quota-one-more": [*fill_room(5), no("room_quota_exceeded", mixed())],
    "room-quota-unchecked": [*fill_room(5), no("room_quota_exceeded", mixed())],
    "room-quota-counts-sources": [*fill(5, "r"), mixed()],
    "room-quota-across-rooms": [*fill_room(5), mixed(room="elsewhere")],
    "quota-before-address": [*FIVE, taken(source("f0"))],
    "address-before-room": [
        *apart("a", "b"),
        no("room_mismatch", source("b", room="elsewhere")),
    ],
    "room-quota-before-quota": [*fill_room(5), full(mixed())],
    "update-refused": [source("a"), source("b")],
    "second-update-refused": [source("a"), source("b"), source("c")],
    "unchanged-update-refused": [source("a"), source("a")],
    "update-holds-itself-up": [source("a"), source("a b")],
    "rooms-part-names": [source("a"), no("room_mismatch", source("b", room="elsewhere"))],
    "room-may-change": [source("a"), no("room_mismatch", source("b", room="elsewhere"))],
    "update-merges": [source("b"), source("a"), UNCLAIMED],
    "update-ignores-addresses": [source("a"), source("b"), taken(source("b", "v"))],
    "update-not-atomic": [*apart("a", "c"), taken(source("b c")), source("b", "w")],
    "rejected-update-loses-addresses": [
        *apart("a", "c"),
        taken(source("b c")),
        taken(source("a", "w")),
    ],
    "rejected-start-claims-id": [source("a"), taken(source("a", "v")), source("b", "v")],
    "restart-refused": [source(), stop(), source()],
    "restart-remembers-room": [source(), stop(), source(room="elsewhere")],
    "kinds-share-names": [source("a", "x"), mixed("b", "x")],
    "apps-share-names": [source("a", "x"), other(source("b", "x"))],
    "stop-refused": [source(), stop()],
    "stop-does-nothing": [source("b"), stop(), UNCLAIMED],
    "stop-does-nothing-for-mixed": [mixed("b"), stop_mixed(), UNCLAIMED],
    "stop-does-nothing-for-source": [source("b"), stop(), UNCLAIMED],
    "stop-ends-room": [*apart("a", "b"), stop(), taken(source("b", "w"))],
    "stop-done-late": [source("b"), stop(), UNCLAIMED],
    "stop-kind-ignored": [source("a", "x"), no("task_not_found", stop_mixed("x"))],
    "unknown-stop-accepted": [no("task_not_found", stop())],
    "second-stop-accepted": [source(), stop(), no("task_not_found", stop())],
    "stop-in-any-room": [source(), no("room_mismatch", stop(room="elsewhere"))],
    "partial-stop-ends-all": [
        source("a b"),
        stop(rtmpurl=urls("a")),
        taken(source("b", "v")),
    ],
    "partial-stop-ignored": [source("a b"), stop(rtmpurl=urls("b")), UNCLAIMED],
    "partial-stop-keeps-empty-task": [
        source("a"),
        stop(rtmpurl=urls("a")),
        no("task_not_found", stop()),
    ],
    "stop-of-foreign-address-accepted": [
        source("a"),
        no("address_not_in_task", stop(rtmpurl=urls("b"))),
    ],
}

WRONG_PATH: Final = no("unknown_path", source())._replace(operation="pausertmp")
WRONG_METHOD: Final = no("method_not_allowed", source())._replace(method="PUT")

REPLIES: Final[Mapping[str, Sequence[Call]]] = {
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
    "holder-told": same("a", "a"),
    "address-not-told": same("a", "a"),
    "missing-trace-id-refused": [source()._replace(has_trace=False)],
    "unknown-path-status-200": [WRONG_PATH],
    "unknown-path-no-json": [WRONG_PATH],
    "get-accepted": [WRONG_METHOD],
    "allow-missing": [WRONG_METHOD],
}

START, BOTH = [source()], [source("a b")]
STOPPED: Final = [source("a b"), stop()]
UPDATED: Final = [source("a b"), source("b c")]
CALLBACKS: Final[Mapping[str, Sequence[Call]]] = {
    "msgid-reused": BOTH,
    "only-first-address-told": BOTH,
    "addresses-told-together": BOTH,
    "stops-not-told": STOPPED,
    "only-first-stop-told": STOPPED,
    "stop-told-before-start": STOPPED,
    "later-status-overtakes": [source(), stop()],
    "kept-told": UPDATED,
    "left-not-told": UPDATED,
    "came-not-told": UPDATED,
}
FAILS: Final = {
    "msgid-changes": 1,
    "body-changes": 1,
    "never-retried": 1,
    "500-taken-for-success": 1,
    "retried-at-once": 1,
    "later-status-overtakes": 1,
    "given-up-after-three": 10,
    "retried-once-too-often": 10,
}


class Proof(NamedTuple):
    """Calls that show a fault; a receiver of callbacks answers 500 to the first `fails` posts."""

    calls: Sequence[Call | Race]
    has_callbacks: bool = False
    fails: int = 0


def expect(proof: Proof) -> list[str]:
    """What a correct server makes of each call; the calls of a race sorted."""
    expected: list[str] = []
    for call in proof.calls:
        calls = call.calls if isinstance(call, Race) else (call,)
        expected += sorted(each.expects for each in calls)
    return expected


PROOFS: Final[Mapping[str, Proof]] = {
    name: Proof(calls)
    for name, calls in {**TOKENS, **FIELDS, **ADDRESSES, **TASKS, **REPLIES}.items()
} | {
    name: Proof(CALLBACKS.get(name, START), has_callbacks=True, fails=FAILS.get(name, 0))
    for name, fault in FAULTS.items()
    if fault.rule.startswith("callback-")
    or (name.startswith("callback-") or name.startswith("msgid-"))
}
