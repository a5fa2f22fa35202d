"""How the push to one address fares: the vendor's statuses and what leads from one to another."""

from typing import Final

CONNECTING: Final = -1
PUSHING: Final = 0
CDN_FAILED: Final = 1
INTERNAL_FAILED: Final = 2
STOPPED: Final = 3

STATUS_NAMES: Final = {
    CONNECTING: "connecting",
    PUSHING: "pushing",
    CDN_FAILED: "cdn_failed",
    INTERNAL_FAILED: "internal_failed",
    STOPPED: "stopped",
}
"""Section 7: 0 success, 1 refused by the CDN or broken, 2 failed inside, 3 stopped.

`CONNECTING` is none of the vendor's: it is told to nobody (rule `push-connecting`).
"""

FAILURES: Final = frozenset((CDN_FAILED, INTERNAL_FAILED))

_ALWAYS = {"fail_at_cdn": CDN_FAILED, "fail_inside": INTERNAL_FAILED, "stop": STOPPED}
_CONNECTED = {**_ALWAYS, "reconnect": CONNECTING}
TRANSITIONS: Final[dict[int, dict[str, int]]] = {
    CONNECTING: {**_ALWAYS, "connect": PUSHING},
    PUSHING: _CONNECTED,
    CDN_FAILED: {**_CONNECTED, "recover": PUSHING},
    INTERNAL_FAILED: {**_CONNECTED, "recover": PUSHING},
    STOPPED: {},
}
"""{status: {trigger: next status}}; what is missing can't happen."""


def can_become(status: int, wanted: int) -> bool:
    """Whether one trigger leads from `status` to another, `wanted`."""
    return wanted != status and wanted in TRANSITIONS[status].values()
