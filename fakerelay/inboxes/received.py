"""One callback as it arrived, read as far as it can be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fakerelay.core.pushes import STATUS_NAMES
from fakerelay.evidence.wording import show_address, show_value

TEXTS: Final = ("rtmpurl", "taskid", "uid", "roomid", "trace_id", "msgid")


@dataclass(slots=True, eq=False, repr=False)
class Received:
    """A callback that came `at`, in seconds since 1970 and real time.

    What its body doesn't hold, or not as the vendor's do, is None; `raw` is the body as it came,
    `message` its JSON. `answered` is the HTTP status it got, None until then, and `note` says why
    where that was not simply 200. `is_forwarding`: the app under test has yet to answer it.
    """

    at: float
    raw: bytes
    headers: Mapping[str, str]
    message: Any
    status: int | None
    appid: int | None
    rtmpurl: str | None
    taskid: str | None
    uid: str | None
    roomid: str | None
    trace_id: str | None
    msgid: str | None
    answered: int | None = None
    note: str | None = None
    is_forwarding: bool = False

    def __repr__(self) -> str:
        return f"<Received {self.describe()}>"

    def add_note(self, text: str) -> None:
        """Say one more thing about how it was answered."""
        self.note = text if self.note is None else f"{self.note}: {text}"

    def describe(self) -> str:
        """What it tells and what was answered, in one line."""
        names = ("status", *TEXTS)
        shown = [
            show_field(name, value) for name in names if (value := getattr(self, name)) is not None
        ]
        if self.status is None or self.rtmpurl is None:
            shown.append(f"body={show_value(self.raw.decode('utf-8', 'replace'))}")
        return f"{' '.join(shown)}, {self._describe_answer()}"

    def _describe_answer(self) -> str:
        answer = "not answered" if self.answered is None else f"answered {self.answered}"
        return answer if self.note is None else f"{answer} ({self.note})"


def read_received(at: float, raw: bytes, headers: Mapping[str, str]) -> Received:
    message = read_json(raw)
    context = context_of(message)
    envelope = message if isinstance(message, dict) else {}
    return Received(
        at,
        raw,
        headers,
        message,
        _number(context.get("status")),
        _number(context.get("appid")),
        _text(context.get("rtmpurl")),
        _text(context.get("taskid")),
        _text(context.get("uid")),
        _text(context.get("roomid")),
        _text(context.get("traceId")),
        _text(envelope.get("msgid")),
    )


def read_json(raw: bytes) -> Any:
    """None for what is no JSON, or nested too deeply."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def context_of(message: Any) -> dict[str, Any]:
    """What a push status says; empty in what is none."""
    context = message.get("context") if isinstance(message, dict) else None
    return context if isinstance(context, dict) else {}


def show_field(name: str, value: int | str | None) -> str:
    """For people: nothing secret, and in one line."""
    return f"{name}={show_field_value(name, value)}"


def show_field_value(name: str, value: int | str | None) -> str:
    if value is None:
        return "none"
    if name == "status" and isinstance(value, int):
        return show_status(value)
    return (
        show_address(value) if name == "rtmpurl" and isinstance(value, str) else show_value(value)
    )


def show_status(status: int) -> str:
    return f"{status} ({STATUS_NAMES.get(status, 'unknown')})"


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
