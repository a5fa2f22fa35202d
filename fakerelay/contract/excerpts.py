"""What others sent, cut short for people to read: nothing in it moves a terminal, or is markup."""

import re
from typing import Final

_UNSEEN: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<[!/?a-zA-Z][^<>]*(>|$)")


def excerpt(text: str, most: int) -> str:
    """On one line, at most so many characters; what can't be printed as an escape.

    Nothing says where it was cut: who looks for secrets knows half of one by what comes last.
    """
    return "".join(map(_print, " ".join(text.split())))[:most]


def strip_tags(text: str) -> str:
    """What a page says, without its markup."""
    return _TAG.sub(" ", _UNSEEN.sub(" ", text))


def _print(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()
