"""Requests with blanks in the place of secrets and of what makes names fresh.

Each operation is drafted once more, for accounts whose ids and keys are known nowhere else: where
they turn up in a header, changed or not, is where a script has to fill in the caller's own.
"""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fakerelay.contract.drafts import Account, Draft, Names
from fakerelay.contract.drivers import make_request
from fakerelay.contract.operations import Operation

RUN: Final = "4815162342"
"""Stands for what makes the names of a script fresh; as long as a time in seconds."""

_FEWEST_CODED: Final = 8
CHANGES: Final[Mapping[str, Callable[[str], str]]] = {
    "": lambda text: text,
    "swapcase": str.swapcase,
    "lower": str.lower,
    "upper": str.upper,
    "backwards": lambda text: text[::-1],
    "but last": lambda text: text[:-1],
    "but first": lambda text: text[1:],
}
"""{what may have been done to an id or key: how}."""


class Blank(NamedTuple):
    """An id or key of the caller's: `variable` names it, `change` what is done to it."""

    variable: str
    change: str = ""


class Coded(NamedTuple):
    """Base64 of what the parts are together."""

    parts: tuple[str | Blank, ...]
    is_padded: bool = True
    is_url_safe: bool = False


Value = tuple[str | Blank | Coded, ...] | None
"""A header's value in parts; None where nobody knows how to make it."""


class Form(NamedTuple):
    """A request to be filled in. Its `target` and `body` have RUN where names are to be fresh."""

    operation: Operation
    method: str
    target: str
    headers: Sequence[tuple[str, Value]]
    body: bytes


_IDS: Final = ("CERTIFICATE_ID", "OTHER_CERTIFICATE_ID")
_KEYS: Final = ("CERTIFICATE_KEY", "OTHER_CERTIFICATE_KEY")
VARIABLES: Final = tuple(zip(_IDS, _KEYS, strict=True))
"""The variables of account 0, and of account 1."""

RIGHT: Final[Sequence[Value]] = tuple(
    ("Basic ", Coded((Blank(identity), ":", Blank(key)))) for identity, key in VARIABLES
)
"""The right token of account 0, and of account 1."""

# With capitals, small letters, what base64 writes as +, and lengths that need padding.
_FIRST: Final = (("Qv~~~~Wb", "Xk~~~~Ypat"), ("Gj~~~~Hq", "Zc~~~~Vfms"))
_SECOND: Final = (("Nd~~~~Tkx", "Rw~~~~Lzpqev"), ("Bm~~~~Fsu", "Dy~~~~Chtrow"))


def draft_forms(
    operations: Sequence[Operation],
    appids: Mapping[int, int],
    push_base: str,
    live_rooms: Sequence[str] = (),
) -> Sequence[Form]:
    """The requests of some operations, with blanks."""
    # The names of a call count how many there were: so each draft begins anew.
    drafts, checks = (
        _draft(operations, appids, Names(RUN, 1, push_base, live_rooms), pairs)
        for pairs in (_FIRST, _SECOND)
    )
    return [
        Form(operation, made.method, made.target, tuple(_blank_headers(made, check)), made.encode())
        for operation, made, check in zip(operations, drafts, checks, strict=True)
    ]


def form_as_sent(operation: Operation, sent: Draft) -> Form:
    """A request with the right token and the names that it was sent with."""
    headers = [
        (name, RIGHT[operation.app] if text == sent.account.token else (text,))
        for name, text in sent.headers
    ]
    return Form(operation, sent.method, sent.target, headers, sent.encode())


def fill(value: Value, variables: Mapping[str, str]) -> str | None:
    """A header's value for these ids and keys."""
    return None if value is None else "".join(_fill_part(part, variables) for part in value)


def _fill_part(part: str | Blank | Coded, variables: Mapping[str, str]) -> str:
    if isinstance(part, Coded):
        encode = urlsafe_b64encode if part.is_url_safe else b64encode
        coded = encode("".join(_fill_part(each, variables) for each in part.parts).encode())
        return coded.decode() if part.is_padded else coded.decode().rstrip("=")
    return part if isinstance(part, str) else CHANGES[part.change](variables[part.variable])


def _draft(
    operations: Sequence[Operation],
    appids: Mapping[int, int],
    names: Names,
    pairs: Sequence[tuple[str, str]],
) -> Sequence[Draft]:
    accounts = {number: Account(appid, *pairs[number]) for number, appid in appids.items()}
    return [make_request(operation, accounts, names) for operation in operations]


def _blank_headers(made: Draft, check: Draft) -> Iterator[tuple[str, Value]]:
    """Headers in parts; what doesn't come out for other ids and keys as well is not known."""
    others = _name_values(_SECOND)
    for (name, text), (_name, other) in zip(made.headers, check.headers, strict=True):
        value = _blank(text)
        yield name, value if fill(value, others) == other else None


def _name_values(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for variables, values in zip(VARIABLES, pairs, strict=True):
        named |= zip(variables, values, strict=True)
    return named


_BLANKS: Final = {
    change(text): Blank(variable, name)
    for name, change in reversed(list(CHANGES.items()))
    for variable, text in _name_values(_FIRST).items()
}
_PATTERN: Final = re.compile(
    "|".join(re.escape(each) for each in sorted(_BLANKS, key=len, reverse=True))
)


def _blank(text: str) -> tuple[str | Blank | Coded, ...]:
    """The text in parts: what is base64 of an id or a key first, then what is one as it stands."""
    end = text.rstrip()
    for begin in range(len(end) - _FEWEST_CODED):
        coded = _decode(end[begin:])
        if coded is not None:
            return *_split(text[:begin]), coded, *_split(text[len(end) :])
    return _split(text)


def _decode(text: str) -> Coded | None:
    padded = text + "=" * (-len(text) % 4)
    is_url_safe = "-" in text or "_" in text
    try:
        altchars = b"-_" if is_url_safe else None
        plain = b64decode(padded, altchars, validate=True).decode()
    except ValueError:
        return None
    parts = _split(plain)
    has_blanks = any(isinstance(part, Blank) for part in parts)
    return Coded(parts, padded == text, is_url_safe) if has_blanks else None


def _split(text: str) -> tuple[str | Blank, ...]:
    parts: list[str | Blank] = []
    end = 0
    for match in _PATTERN.finditer(text):
        parts += [text[end : match.start()], _BLANKS[match[0]]]
        end = match.end()
    return tuple(part for part in [*parts, text[end:]] if part)
