"""Faults of what is answered."""

from tests.mutants.faults.rows import Fault, assumed, documented


def _of_code(problem: str) -> tuple[str, Fault]:
    return f"code-of-{problem}-wrong", assumed("reply-codes", f"The code of {problem} is another")


FAULTS = {
    **dict(
        map(
            _of_code,
            (
                "address-in-use",
                "address-not-in-task",
                "app-forbidden",
                "appid-mismatch",
                "duplicate-address",
                "invalid-parameter",
                "malformed-json",
                "quota-exceeded",
                "room-mismatch",
                "task-not-found",
                "token-invalid",
                "token-malformed",
                "token-missing",
                "unsupported-content-type",
            ),
        )
    ),
    "code-of-room-quota-exceeded-wrong": _of_code("room-quota-exceeded")[1]._replace(
        profile={"concurrent_pushes": 8}
    ),
    "refusal-bears-code-0": assumed("reply-codes", "A refusal bears the code of success"),
    "refusal-called-success": assumed("reply-envelope", "A refusal bears the message of success"),
    "success-called-ok": documented("accepted-sense", "The message of success is not `success`"),
    "reply-code-a-string": documented("accepted-sense", "The code is a string"),
    "reply-code-missing": documented("accepted-sense", "A reply has no code"),
    "reply-message-missing": documented("accepted-sense", "A reply has no message"),
    "reply-traceid-missing": assumed("reply-envelope", "A reply has no traceId"),
    "trace-id-not-echoed": assumed("reply-trace-id", "A reply bears a traceId of the server's own"),
    "trace-id-of-previous-call": assumed("reply-trace-id", "A reply bears the call's before"),
    "refusal-no-json": documented("reply-envelope", "A refusal is a page of HTML"),
    "invalid-parameter-breaks-down": documented("reply-envelope", "An invalid field is HTTP 500"),
    "address-in-use-breaks-down": documented("reply-envelope", "An address in use is HTTP 500"),
    "refusal-status-400": assumed("reply-status", "A refusal has the HTTP status 400"),
    "field-not-told": assumed("invalid-parameter-message", "The invalid field is not named"),
    "holder-told": assumed("address-reply-discreet", "The task that holds an address is named"),
    "address-not-told": assumed("address-reply-discreet", "The address in use is not named"),
    "missing-trace-id-refused": assumed("trace-id-missing", "A call needs a traceId"),
    "unknown-path-status-200": assumed("unknown-path", "An unknown path is answered with 200"),
    "unknown-path-no-json": assumed("unknown-path", "An unknown path is answered with HTML"),
    "legacy-path-answered": assumed("legacy-paths", "The recording API's path is answered too"),
    "get-accepted": assumed("method-post", "The method does not count"),
    "allow-missing": assumed("method-post", "A 405 does not say which method is allowed"),
}
