"""What came from outside made fit to be handed on: text that is UTF-8, values of bounded depth."""

from typing import Any


def clean_text(text: str) -> str:
    """The text with marks in place of bytes that were no UTF-8, which came as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
