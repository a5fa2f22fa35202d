"""Which callbacks are meant: some of their fields, and what they have to be."""

from collections.abc import Mapping
from typing import Any, Final

from fakerelay.core.addresses import address_key, mask_address, read_address
from fakerelay.core.problems import Problem
from fakerelay.core.pushes import CONNECTING, STATUS_NAMES
from fakerelay.errors import FakerelayError, nearest
from fakerelay.inboxes.received import TEXTS, Received, show_field, show_field_value, show_status

_STATUSES: Final = {name: value for value, name in STATUS_NAMES.items() if value != CONNECTING}
_NUMBERS: Final = ("status", "appid")
_FIELDS: Final = (*_NUMBERS, *TEXTS)
_SPELLINGS: Final = {"traceid": "trace_id"}  # the control plane's


class Pattern:
    """What is wanted of a callback's fields; None: that it has no such field.

    Raises FakerelayError for fields that no callback has, and values that no such field has.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        named = {_SPELLINGS.get(name, name): value for name, value in fields.items()}
        self._wanted = {name: _check(name, value) for name, value in named.items()}

    def __str__(self) -> str:
        return ", ".join(show_field(name, value) for name, value in self._wanted.items())

    def fits(self, received: Received) -> bool:
        return all(_is_same(name, received, value) for name, value in self._wanted.items())

    def differences(self, received: Received) -> list[str]:
        """Each field that is not as wanted, and how it is."""
        return [
            _tell_difference(name, getattr(received, name), value)
            for name, value in self._wanted.items()
            if not _is_same(name, received, value)
        ]


def _check(name: str, value: Any) -> Any:
    if name not in _FIELDS:
        raise FakerelayError(f"Unknown field of a callback {name!r}{nearest(name, _FIELDS)}")
    if value is None:
        return None
    if name == "status":
        return _check_status(value)
    if name == "rtmpurl" and isinstance(value, str):
        return _check_address(value)
    kind, wanted = (int, "a number") if name in _NUMBERS else (str, "a text")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FakerelayError(f"{name}={value!r} fits no callback: give {wanted}, or None")
    return value


def _check_status(value: Any) -> int:
    if isinstance(value, str):
        if value not in _STATUSES:
            raise FakerelayError(f"Unknown status {value!r}{nearest(value, _STATUSES)}")
        return _STATUSES[value]
    if value not in _STATUSES.values() or not isinstance(value, int) or isinstance(value, bool):
        known = ", ".join(show_status(each) for each in _STATUSES.values())
        raise FakerelayError(f"status={value!r} fits no callback: give one of {known}")
    return value


def _check_address(value: str) -> str:
    read = read_address(value)
    if isinstance(read, Problem):
        raise FakerelayError(
            f"rtmpurl={mask_address(value)!r} fits no callback: {read.facts['reason']}"
            " (a callback tells of one push address)"
        )
    return value


def _is_same(name: str, received: Received, value: Any) -> bool:
    found = getattr(received, name)
    if name == "rtmpurl" and found is not None and value is not None:
        return found == value or address_key(found) == address_key(value)
    return bool(found == value)


def _tell_difference(name: str, found: Any, value: Any) -> str:
    shown, wanted = show_field_value(name, found), show_field_value(name, value)
    if shown == wanted:
        return f"{name}={shown}, wanted another value in what is not shown of it"
    return f"{name}={shown}, wanted {wanted}"
