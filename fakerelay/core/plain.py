"""What came from outside made fit to be handed on: text, lines, values of bounded depth."""

import re
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def clean_text(text: str) -> str:
    """The text with marks in place of bytes that were no UTF-8, which came as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def printable(line: str) -> str:
    """Nothing that a caller sent may begin a line of its own, or move a terminal's cursor."""
    plain = line.encode("ascii", "backslashreplace").decode()
    return plain if plain.isprintable() else _CONTROL.sub(_escape, plain)


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in one another on more levels than these."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [each for each in layer if isinstance(each, (dict, list))]
        if not layer:
            return False
        layer = [
            item for each in layer for item in (each.values() if isinstance(each, dict) else each)
        ]
    return True
