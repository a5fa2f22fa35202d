"""How the push to one address fares: the vendor's statuses and what leads from one to another."""

from typing import Final

PUSHING: Final = 0
CDN_FAILED: Final = 1
INTERNAL_FAILED: Final = 2
STOPPED: Final = 3

STATUS_NAMES: Final = {
    PUSHING: "pushing",
    CDN_FAILED: "cdn_failed",
    INTERNAL_FAILED: "internal_failed",
    STOPPED: "stopped",
}
"""Section 7: 0 success, 1 refused by the CDN or broken, 2 failed inside, 3 stopped."""

_FAILURES = {"fail_at_cdn": CDN_FAILED, "fail_inside": INTERNAL_FAILED}
TRANSITIONS: Final[dict[int, dict[str, int]]] = {
    PUSHING: {**_FAILURES, "stop": STOPPED},
    CDN_FAILED: {"recover": PUSHING, "fail_inside": INTERNAL_FAILED, "stop": STOPPED},
    INTERNAL_FAILED: {"recover": PUSHING, "fail_at_cdn": CDN_FAILED, "stop": STOPPED},
    STOPPED: {},
}
"""{status: {trigger: next status}}; what is missing can't happen."""


def can_become(status: int, wanted: int) -> bool:
    """Whether one trigger leads from `status` to `wanted`."""
    return wanted in TRANSITIONS[status].values()
