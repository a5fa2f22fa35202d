from itertools import product

import pytest

from fakerelay.core.pushes import (
    CDN_FAILED,
    CONNECTING,
    INTERNAL_FAILED,
    PUSHING,
    STATUS_NAMES,
    STOPPED,
    TRANSITIONS,
    can_become,
)

LEGAL = {
    (CONNECTING, PUSHING),
    (CONNECTING, CDN_FAILED),
    (CONNECTING, INTERNAL_FAILED),
    (CONNECTING, STOPPED),
    (PUSHING, CONNECTING),
    (CDN_FAILED, CONNECTING),
    (INTERNAL_FAILED, CONNECTING),
    (PUSHING, CDN_FAILED),
    (PUSHING, INTERNAL_FAILED),
    (PUSHING, STOPPED),
    (CDN_FAILED, PUSHING),
    (CDN_FAILED, INTERNAL_FAILED),
    (CDN_FAILED, STOPPED),
    (INTERNAL_FAILED, PUSHING),
    (INTERNAL_FAILED, CDN_FAILED),
    (INTERNAL_FAILED, STOPPED),
}
NO_STATUSES = (-2, 4)


@pytest.mark.parametrize(
    ("status", "wanted"), list(product(STATUS_NAMES, (*STATUS_NAMES, *NO_STATUSES)))
)
def test_push_can_become(status: int, wanted: int) -> None:
    assert can_become(status, wanted) is ((status, wanted) in LEGAL)


def test_statuses_are_the_vendors_numbers() -> None:
    assert (PUSHING, CDN_FAILED, INTERNAL_FAILED, STOPPED) == (0, 1, 2, 3)
    assert set(TRANSITIONS) == set(STATUS_NAMES)
