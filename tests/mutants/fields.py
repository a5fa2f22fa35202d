"""Bodies: what JSON is read as, and which fields are refused (contract, sections 3 and 5)."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tests.mutants.addresses import Address, compare_by, read_addresses
from tests.mutants.conduct import Conduct, Refused

_NAME: Final = re.compile(r"[A-Za-z0-9_-]*")
_KNOWN: Final = {
    "appid", "roomid", "rtmpurl", "streamtype", "taskid", "mixconfig", "uid",
}  # fmt: skip
_MOST: Final = 2**32 - 1
_INPUT_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "x": (0, _MOST),
    "y": (0, _MOST),
    "width": (1, _MOST),
    "height": (1, _MOST),
    "zorder": (0, 100),
    "crop": (0, 1),
    "cropx": (0, _MOST),
    "cropy": (0, _MOST),
    "cropwidth": (1, _MOST),
    "cropheight": (1, _MOST),
}
_OUTPUT_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "width": (16, 3840),
    "height": (16, 3840),
    "fps": (1, 60),
    "bitrate": (1, _MOST),
    "gop": (1, _MOST),
    "audiobitrate": (1, _MOST),
    "samplerate": (1, _MOST),
    "channels": (1, _MOST),
}


_FULL_INPUT: Final = {"uid", "x", "y", "width", "height", "zorder"}


class Request(NamedTuple):
    """What a body asks for; `addresses` is None where a stop names none.

    The `id` is what names are compared by: the name itself, but for faults. Custom is a layout
    without a template.
    """

    is_start: bool
    appid: int
    body_appid: int
    room: str | None
    kind: str
    name: str
    id: str
    addresses: tuple[Address, ...] | None
    is_custom: bool = False


def parse_json(raw: bytes, conduct: Conduct) -> dict[str, Any]:
    """Raises Refused for all that is no object of JSON."""

    def refuse_constant(name: str) -> float:
        if conduct.has("nan-accepted"):
            return 0.0
        raise ValueError(name)

    def first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    hook = first_wins if conduct.has("first-key-wins") else None
    try:
        body = json.loads(
            raw.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=hook
        )
        if not conduct.has("surrogates-accepted"):
            json.dumps(body, ensure_ascii=False).encode()
        if isinstance(body, str) and conduct.has("json-in-a-string-accepted"):
            body = json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise Refused("malformed_json", type(cause).__name__) from cause
    if not isinstance(body, dict):
        raise Refused("malformed_json", "not an object")
    return body


class Reader:
    """Reads one body; each check can be switched off, by a switch of the check's own name."""

    def __init__(self, body: Mapping[str, Any], conduct: Conduct, *, is_start: bool) -> None:
        self._body = body
        self._conduct = conduct
        self._is_start = is_start
        self._prefix = "" if is_start else "stop-"

    def read(self, appid: int) -> Request:
        if self._conduct.has("unknown-field-refused"):
            for field in self._body.keys() - _KNOWN:
                raise Refused("invalid_parameter", f"{field}: unknown")
        body_appid = self._read_number("appid", 2**64 - 1)
        room = self._read_name("roomid") if self._is_start else self._read_stops_room()
        kind = self._read_kind()
        addresses = self._read_rtmpurl()
        name = self._read_name("taskid" if kind == "mixed" else "uid")
        if kind == "mixed" and self._is_start:
            self._read_mixconfig()
        if kind == "source" and self._conduct.has("ignored-fields-checked"):
            self._refuse_unless("taskid" not in self._body, "taskid", "is not for a source")
        body_appid = appid if body_appid is None else body_appid
        own = compare_by_name(name, self._conduct)
        layout = self._body.get("mixconfig")
        is_custom = kind == "mixed" and isinstance(layout, dict) and "templateid" not in layout
        return Request(
            self._is_start, appid, body_appid, room, kind, name, own, addresses, is_custom
        )

    def _read_number(self, field: str, most: int) -> int | None:
        value = self._body.get(field)
        if field not in self._body:
            self._demand(f"{field}-missing-accepted", False, field, "is missing")
            return None
        if isinstance(value, str):
            self._demand(f"{field}-string-accepted", False, field, "is a string")
            return int(value) if value.isascii() and value.isdigit() else None
        if isinstance(value, bool):
            self._demand(f"{field}-boolean-accepted", False, field, "is a boolean")
            return int(value)
        number = as_integer(value, self._conduct)
        if number is None or not 0 <= number <= most:
            self._demand(f"{field}-number-unchecked", False, field, "is no such number")
            return None
        return number

    def _read_kind(self) -> str:
        number = self._read_number("streamtype", _MOST)
        if number not in (1, 2, None):
            unchecked = "streamtype-3-accepted" if number == 3 else "streamtype-0-accepted"
            self._demand(unchecked, False, "streamtype", "is not 1 or 2")
        if number == 1 or (number != 2 and "taskid" in self._body):
            return "mixed"
        return "source"

    def _read_stops_room(self) -> str | None:
        room = self._read_name("roomid")
        return room if "roomid" in self._body else None

    def _read_name(self, field: str) -> str:
        value = self._body.get(field)
        if field not in self._body:
            self._demand(f"{field}-missing-accepted", False, field, "is missing")
            return ""
        if not isinstance(value, str):
            self._demand(f"{field}-number-accepted", False, field, "is no string")
            return str(value)
        self._demand(f"{field}-empty-accepted", value != "", field, "is empty")
        self._demand(f"{field}-65-accepted", len(value) <= 64, field, "is longer than 64")
        self._demand(
            f"{field}-characters-accepted", _NAME.fullmatch(value) is not None, field, "is odd"
        )
        self._spare(f"{field}-64-refused", len(value) == 64, field)
        self._spare(f"{field}-dash-refused", "-" in value, field)
        return value

    def _read_rtmpurl(self) -> tuple[Address, ...] | None:
        value = self._body.get("rtmpurl")
        if "rtmpurl" not in self._body:
            if self._is_start:
                self._demand("rtmpurl-missing-accepted", False, "rtmpurl", "is missing")
                return ()
            return None
        if isinstance(value, list) and self._conduct.has("rtmpurl-list-accepted"):
            value = ",".join(map(str, value))
        self._refuse_unless(isinstance(value, str), "rtmpurl", "is no string")
        if not self._is_start and self._conduct.has("stop-no-address-accepted"):
            return read_addresses(str(value), self._conduct) if "://" in str(value) else None
        return read_addresses(str(value), self._conduct)

    def _read_mixconfig(self) -> None:
        config = self._body.get("mixconfig")
        if "mixconfig" not in self._body:
            self._demand("mixconfig-missing-accepted", False, "mixconfig", "is missing")
            return
        if not isinstance(config, dict):
            self._demand("mixconfig-string-accepted", False, "mixconfig", "is no object")
            return
        has_template = self._check_template(config)
        self._check_output(config)
        self._check_input(config, has_template=has_template)

    def _check_template(self, config: Mapping[str, Any]) -> bool:
        if "templateid" not in config:
            return False
        value, field = config["templateid"], "mixconfig.templateid"
        number = as_integer(value, self._conduct)
        if number is None:
            self._demand("templateid-string-accepted", False, field, "is no number")
        elif not 1 <= number <= 4:
            unchecked = "templateid-0-accepted" if number < 1 else "templateid-5-accepted"
            self._demand(unchecked, False, field, "is not 1 to 4")
        self._spare(f"template-{number}-refused", True, field)
        return True

    def _check_output(self, config: Mapping[str, Any]) -> None:
        output, field = config.get("output"), "mixconfig.output"
        if "output" not in config:
            self._demand("output-missing-accepted", False, field, "is missing")
        elif not isinstance(output, dict):
            self._demand("output-list-accepted", False, field, "is no object")
        else:
            for name, (least, most) in _OUTPUT_BOUNDS.items():
                if name in output:
                    number = as_integer(output[name], self._conduct)
                    holds = number is not None and least <= number <= most
                    holds = holds and not (name in ("width", "height") and (number or 0) % 2)
                    self._demand(f"output-{name}-unchecked", holds, f"{field}.{name}", "is off")
            full = {"width", "height", "fps", "bitrate"} <= output.keys()
            self._spare("output-must-be-full", not full, field)
            self._spare("fps-60-refused", output.get("fps") == 60, f"{field}.fps")

    def _check_input(self, config: Mapping[str, Any], *, has_template: bool) -> None:
        field, items = "mixconfig.input", config.get("input")
        self._spare("template-needs-input", "input" not in config, field)
        if "input" not in config:
            self._demand("input-missing-accepted", has_template, field, "is missing")
        elif not isinstance(items, list):
            self._demand("input-object-accepted", False, field, "is no array")
        elif not items:
            self._demand("input-empty-accepted", has_template, field, "is empty")
        else:
            seen: set[tuple[Any, Any]] = set()
            for item in items:
                self._check_item(item, config.get("output"), seen)

    def _check_item(self, item: Any, output: Any, seen: set[tuple[Any, Any]]) -> None:
        field = "mixconfig.input"
        if not isinstance(item, dict):
            self._demand("input-items-unchecked", False, field, "has no objects")
            return
        own_room = None if self._conduct.has("input-own-room-apart") else self._body.get("roomid")
        uid, room = item.get("uid"), item.get("roomid", own_room)
        is_name = "roomid" not in item or isinstance(room, str)
        self._demand("input-roomid-unchecked", is_name, f"{field}.roomid", "is no string")
        self._demand("input-uid-unchecked", isinstance(uid, str), f"{field}.uid", "is no string")
        self._spare("input-must-be-full", not item.keys() >= _FULL_INPUT, field)
        once = (str(uid), str(room)) not in seen
        self._demand("input-uid-twice-accepted", once, f"{field}.uid", "stands twice")
        seen.add((str(uid), str(room)))
        for name, (least, most) in _INPUT_BOUNDS.items():
            if name in item:
                number = as_integer(item[name], self._conduct)
                holds = number is not None and least <= number <= most
                self._demand(f"input-{name}-unchecked", holds, f"{field}.{name}", "is off")
        alpha = item.get("alpha", 1.0)
        holds = isinstance(alpha, int | float) and not isinstance(alpha, bool) and 0 <= alpha <= 1
        self._demand("input-alpha-unchecked", holds, f"{field}.alpha", "is not 0 to 1")
        inside = _is_inside(item, output if isinstance(output, dict) else {})
        self._demand("tile-outside-accepted", inside, field, "lies outside the canvas")

    def _demand(self, unless: str, holds: bool, field: str, reason: str) -> None:
        if not self._conduct.has(self._prefix + unless):
            self._refuse_unless(holds, field, reason)

    def _spare(self, only_with: str, holds: bool, field: str) -> None:
        if self._is_start and self._conduct.has(only_with):
            self._refuse_unless(not holds, field, "is not liked")

    def _refuse_unless(self, holds: bool, field: str, reason: str) -> None:
        if not holds:
            raise Refused("invalid_parameter", f"{field}: {reason}")


def guess(raw: bytes, appid: int, *, is_start: bool, conduct: Conduct) -> Request | None:
    """What a body may have asked for, however wrong it is; None where that can't be told."""
    try:
        body = parse_json(raw, conduct)
    except Refused:
        return None
    kind = "source" if body.get("streamtype") == 2 else "mixed"
    name, room = body.get("uid" if kind == "source" else "taskid"), body.get("roomid")
    parts = str(body["rtmpurl"]).split(",") if "rtmpurl" in body else None
    addresses = None if parts is None else tuple(Address(p, compare_by(p, conduct)) for p in parts)
    own = compare_by_name(str(name), conduct)
    return Request(is_start, appid, appid, str(room), kind, str(name), own, addresses)


def compare_by_name(name: str, conduct: Conduct) -> str:
    name = name.lower() if conduct.has("name-case-ignored") else name
    return name[:32] if conduct.has("name-cut-at-32") else name


def as_integer(value: Any, conduct: Conduct) -> int | None:
    """None for what JSON Schema calls no integer."""
    if isinstance(value, float) and value.is_integer() and not conduct.has("whole-float-refused"):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_inside(item: Mapping[str, Any], output: Mapping[str, Any]) -> bool:
    for start, size, whole, default in (
        ("x", "width", "width", 640),
        ("y", "height", "height", 360),
    ):
        at, canvas = item.get(start, 0), output.get(whole, default)
        if not all(isinstance(each, int | float) for each in (at, canvas)):
            continue
        length = item.get(size, canvas - at)
        if at >= canvas or (isinstance(length, int | float) and at + length > canvas):
            return False
    return True
