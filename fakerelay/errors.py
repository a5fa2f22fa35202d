"""Mistakes of our own users, raised; what the vendor would refuse is a `core` value instead."""

from collections.abc import Iterable

_MOST_KNOWN = 20
_LEAST_PREFIX = 3


class FakerelayError(Exception):
    """Somebody used fakerelay in a way it can't follow; the text says what, and the way out."""


class ConfigError(FakerelayError):
    """A setting, a file or a profile can't be used."""


class ControlError(FakerelayError):
    """The control plane can't do what was asked; `pointer` is the JSON pointer of the culprit."""

    def __init__(self, code: str, detail: str, *, pointer: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.status = status


def nearest(name: str, known: Iterable[str]) -> str:
    """The tail of a message about an unknown name: ` (did you mean 'x'?)`, or what is known."""
    from difflib import get_close_matches  # hardly ever needed, and not when starting

    names = sorted(known)
    begun = [each for each in names if len(name) >= _LEAST_PREFIX and each.startswith(name)]
    matches = begun if len(begun) == 1 else get_close_matches(name, names, n=1)
    if matches:
        return f" (did you mean {matches[0]!r}?)"
    listed = names if len(names) <= _MOST_KNOWN else [*names[:_MOST_KNOWN], "..."]
    return f" (known: {', '.join(listed)})" if names else ""
