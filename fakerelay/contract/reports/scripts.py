"""A finding as a shell script that anybody can run: curl calls, with secrets as variables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Final

from fakerelay.contract.operations import tell
from fakerelay.contract.reports.blanks import RIGHT, RUN, VARIABLES, Blank, Coded, Form, Value
from fakerelay.contract.reports.endings import FUNCTIONS, Ending, begin, conclude, note

_MOST_REPEATED: Final = 1000
_REPEATED: Final = re.compile(rb"(.)\1{%d,}" % _MOST_REPEATED, re.DOTALL)
_CHANGES: Final = {
    "": '"${}"',
    "swapcase": "\"$(printf %s \"${}\" | tr 'a-zA-Z' 'A-Za-z')\"",
    "lower": "\"$(printf %s \"${}\" | tr 'A-Z' 'a-z')\"",
    "upper": "\"$(printf %s \"${}\" | tr 'a-z' 'A-Z')\"",
    "backwards": '"$(printf %s "${}" | rev)"',
    "but last": '"${{{}%?}}"',
    "but first": '"${{{}#?}}"',
}
_TOKENS: Final = dict(zip(RIGHT, ("TOKEN", "OTHER_TOKEN"), strict=True))
"""{the right token of an account: the variable that a script keeps it in}."""


def render_script(
    moves: Sequence[Sequence[Form]],
    stops: Sequence[Form],
    *,
    title: str,
    ending: Ending | None,
    url: str,
    identities: Mapping[int, str],
) -> str:
    """The calls of some moves, one after the other, those of a move at the same moment.

    Then what may still run is stopped by `stops`, and the `ending` says what the last answer shows.
    `identities` are the ids of the certificates, by account.
    """
    forms = [*(form for move in moves for form in move), *stops]
    lines = ["#!/bin/sh", f"# {_one_line(title)}", *(begin(ending.rule) if ending else ())]
    lines += _set_variables(forms, url, identities)
    lines += [FUNCTIONS, "OTHERWISE="] if ending else []
    lines += _call_all(moves, ending)
    if stops:
        lines += ["", "# Stop what may run."]
        lines += [f"{_call(each)} >/dev/null" for each in stops]
    lines += ["", *conclude(ending, moves[-1])] if ending else []
    return "\n".join(lines) + "\n"


def _set_variables(forms: Sequence[Form], url: str, identities: Mapping[int, str]) -> Iterator[str]:
    values = [value for form in forms for _name, value in form.headers]
    needed = {name for value in values for name in _list_variables(value)}
    for account, (identity, key) in enumerate(VARIABLES):
        if identity in needed or key in needed:
            yield f"# {key}, or FAKERELAY_{key}, is the key of certificate {identities[account]!r}."
    yield "set -u"
    yield f"TARGET=${{TARGET:-{quote(url.rstrip('/'))}}}"
    yield "RUN=${RUN:-$(date +%s)} # makes names that nobody has used yet"
    for account, (identity, key) in enumerate(VARIABLES):
        if identity in needed or key in needed:
            yield f"{identity}=${{{identity}:-{quote(identities[account])}}}"
            yield f"{key}=${{{key}:-${{FAKERELAY_{key}:?is the key to try it with}}}}"
    for value, name in _TOKENS.items():
        if value is not None and value in values:
            yield f"{name}={_show_value(value)}"
    if any(value is None for value in values):
        yield ": ${WRONG_TOKEN:?is a token that is wrong as the step says}"


def _call_all(moves: Sequence[Sequence[Form]], ending: Ending | None) -> Iterator[str]:
    number = 0
    for move in moves:
        yield ""
        for form in move:
            number += 1
            at_once = " (at the same moment as the next)" if form is not move[-1] else ""
            yield f"echo {quote(f'{number}. {tell(form.operation)}{at_once}')}"
        if len(move) > 1:
            yield from _race(move)
            continue
        yield f"GOT=$({_call(move[0])})"
        yield """printf '%s\\n' "$GOT\""""
        yield from note(number, ending)


def _race(forms: Sequence[Form]) -> Iterator[str]:
    """All by one curl, whose answers would come mixed up; what is raced has short bodies."""
    calls = (
        [*_list_options(form), "-o", f'"$ANSWERS/{number}"', *_list_body(form)]
        for number, form in enumerate(forms, start=1)
    )
    yield "ANSWERS=$(mktemp -d)"
    yield "curl --no-progress-meter --parallel --parallel-immediate " + " --next ".join(
        " ".join(call) for call in calls
    )
    yield "ACCEPTED=0 ANSWERED=0"
    yield 'for answer in "$ANSWERS"/*; do'
    yield '    [ -e "$answer" ] || continue'
    yield '    GOT=$(cat "$answer")'
    yield """    printf '%s\\n' "$GOT\""""
    yield "    ANSWERED=$((ANSWERED + 1))"
    yield '    ! accepted "$GOT (HTTP 200)" || ACCEPTED=$((ACCEPTED + 1))'
    yield "done"
    yield f'rm -r "$ANSWERS"; GOT="$ACCEPTED of {len(forms)} accepted"'


def _list_body(form: Form) -> Sequence[str]:
    return "--data-binary", _show(form.body.decode()), _locate(form)


def _call(form: Form) -> str:
    before, body = _show_body(form.body)
    parts = [f"{before}curl", *_list_options(form), "--data-binary", body, _locate(form)]
    return " ".join(parts)


def _locate(form: Form) -> str:
    return f'"$TARGET"{_show(form.target)}'


def _list_options(form: Form) -> Sequence[str]:
    parts = ["-sS", "--path-as-is", "-X", form.method, "-w", r"' (HTTP %{http_code})\n'"]
    for name, value in form.headers:
        parts += ["-H", _show_header(name, value)]
    if not any(name.lower() == "content-type" for name, _value in form.headers):
        parts += ["-H", "Content-Type:"]
    return parts


def _show_header(name: str, value: Value) -> str:
    if value is None:
        return f'"{name}: $WRONG_TOKEN"'
    right = _TOKENS.get(value)
    if right is not None:
        return f'"{name}: ${right}"'
    if not value:
        return quote(f"{name};")
    first, *rest = value
    begun = [f"{name}: {first}", *rest] if isinstance(first, str) else [f"{name}: ", *value]
    return _show_value(begun)


def _show_value(value: Sequence[str | Blank | Coded]) -> str:
    return "".join(_show_part(part) for part in value)


def _show_part(part: str | Blank | Coded) -> str:
    if isinstance(part, str):
        return _show(part)
    if isinstance(part, Blank):
        return _CHANGES[part.change].format(part.variable)
    plain = "".join(_show_part(each) for each in part.parts)
    filters = ["base64", r"tr -d '\n'" if part.is_padded else r"tr -d '\n='"]
    filters += ["tr '+/' '-_'"] if part.is_url_safe else []
    return f'"$(printf %s {plain} | {" | ".join(filters)})"'


def _show_body(body: bytes) -> tuple[str, str]:
    """What comes before curl, and what it gets: long or binary bodies are piped into it."""
    pieces = list(_cut(body))
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return "", _show(pieces[0])
    return f"{{ {' '.join(map(_print_piece, pieces))} }} | ", "@-"


def _cut(body: bytes) -> Iterator[str | bytes | tuple[bytes, int]]:
    """Text, bytes that are none, and bytes that are repeated over and over."""
    end = 0
    for match in _REPEATED.finditer(body):
        yield _read(body[end : match.start()])
        yield match[1], len(match[0])
        end = match.end()
    if end < len(body) or not end:
        yield _read(body[end:])


def _read(piece: bytes) -> str | bytes:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return piece


def _print_piece(piece: str | bytes | tuple[bytes, int]) -> str:
    if isinstance(piece, tuple):
        byte, count = piece
        return rf"head -c {count} /dev/zero | tr '\0' {quote(byte.decode())};"
    if isinstance(piece, str):
        return f"printf %s {_show(piece)};"
    return f"printf {_show(''.join(map(_print_byte, piece)))};"


def _print_byte(byte: int) -> str:
    """As printf has it in its format."""
    text = chr(byte)
    return rf"\{byte:03o}" if not " " <= text <= "~" or text in "\\%" else text


def _show(text: str) -> str:
    """Quoted for a shell, with what makes names fresh in it."""
    return '"$RUN"'.join(quote(each) if each else "" for each in text.split(RUN)) or "''"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _list_variables(value: Value) -> Iterator[str]:
    for part in value or ():
        if isinstance(part, Blank):
            yield part.variable
        elif isinstance(part, Coded):
            yield from _list_variables(part.parts)
