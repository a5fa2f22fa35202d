"""What three clients see of each fault on a call: the table of the manual, and of its test."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

TIMEOUT_SECONDS: Final = 0.3
LATE_SECONDS: Final = 0.2


class Sight(NamedTuple):
    """A fault, and what each client makes of it: an error, a status, or the envelope's code.

    `done` is how often the service decided on the call; `seconds` the least that it takes.
    """

    settings: Mapping[str, Any]
    aiohttp: str
    requests: str
    fetch: str
    done: int
    told: str
    seconds: float = 0.0


_PAGE = {"status": 503, "headers": {"Retry-After": "7"}, "body": "<html>busy</html>"}

SIGHTS: Final[Mapping[str, Sight]] = {
    "pass": Sight({}, "code 0", "code 0", "code 0", 1, "reply"),
    "problem": Sight(
        {"name": "internal_error"}, "code 50001", "code 50001", "code 50001", 0, "reply"
    ),
    "http_status": Sight(_PAGE, "HTTP 503", "HTTP 503", "HTTP 503", 0, "reply"),
    "delay": Sight(
        {"seconds": LATE_SECONDS}, "code 0", "code 0", "code 0", 1, "reply", LATE_SECONDS
    ),
    "hang": Sight({}, "TimeoutError", "ReadTimeout", "TimeoutError", 0, "nothing", TIMEOUT_SECONDS),
    "reset": Sight({}, "ClientOSError", "ConnectionError", "TypeError ECONNRESET", 0, "nothing"),
    "close_before_reply": Sight(
        {}, "ServerDisconnectedError", "ConnectionError", "TypeError UND_ERR_SOCKET", 0, "nothing"
    ),
    "empty": Sight({}, "no error: None", "JSONDecodeError", "SyntaxError", 1, "reply"),
    "truncate": Sight(
        {},
        "ClientPayloadError",
        "ChunkedEncodingError",
        "TypeError UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
        1,
        "part",
    ),
    "malformed": Sight({}, "JSONDecodeError", "JSONDecodeError", "SyntaxError", 1, "reply"),
    "drip": Sight(
        {"seconds": LATE_SECONDS}, "code 0", "code 0", "code 0", 1, "reply", LATE_SECONDS
    ),
    "drop_after_commit": Sight(
        {}, "ServerDisconnectedError", "ConnectionError", "TypeError UND_ERR_SOCKET", 1, "nothing"
    ),
    "error_after_commit": Sight({}, "HTTP 502", "HTTP 502", "HTTP 502", 1, "reply"),
    "duplicate_commit": Sight({}, "code 0", "code 0", "code 0", 2, "reply"),
}
