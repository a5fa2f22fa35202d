"""A finding as a module with one pytest function, which needs nothing but the standard library."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fakerelay.contract.operations import tell
from fakerelay.contract.reports.blanks import RUN, VARIABLES, Blank, Coded, Form, Value

_FRESH: Final = "$RUN"
_MOST_REPEATED: Final = 1000
_REPEATED: Final = re.compile(rb"(.)\1{%d,}" % _MOST_REPEATED, re.DOTALL)
_CHANGES: Final = {
    "": "{}",
    "swapcase": "{}.swapcase()",
    "lower": "{}.lower()",
    "upper": "{}.upper()",
    "backwards": "{}[::-1]",
    "but last": "{}[:-1]",
    "but first": "{}[1:]",
}
_HEAD: Final = """\
import http.client
import json
import os
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

TARGET = urlsplit(os.environ.get("TARGET") or {url!r})
RUN = os.environ.get("RUN") or str(int(time.time()))  # makes names that nobody has used yet
"""
_CALL: Final = '''

def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def call(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, dict]:
    """The HTTP status, and what the body says if it is a JSON object."""
    is_tls = TARGET.scheme == "https"
    connect = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
    connection = connect(TARGET.netloc, timeout=10)
    body = body.replace(b"$RUN", RUN.encode())
    connection.putrequest(method, TARGET.path.rstrip("/") + target.replace("$RUN", RUN))
    for name, value in [*headers, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    try:
        reply = connection.getresponse()
        said = json.loads(reply.read())
    except ValueError:
        said = {}
    finally:
        connection.close()
    return reply.status, said if isinstance(said, dict) else {}


def is_accepted(status: int, said: dict) -> bool:
    return (status, said.get("code"), said.get("message")) == (200, 0, "success")

'''
_RACE: Final = '''
def race(*requests: tuple) -> list[tuple[int, dict]]:
    """The answers to requests that are sent at the same moment."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda request: call(*request), requests))

'''
_RACE_ASSERTIONS: Final = {
    "accepted": "assert any(is_accepted(*each) for each in answers), answers",
    "rejected": "assert not all(is_accepted(*each) for each in answers), answers",
}
_ASSERTIONS: Final = (
    (r"accepted\b.*", "assert is_accepted(status, said), (status, said)"),
    (r"rejected\b.*", "assert not is_accepted(status, said), (status, said)"),
    (r"\w+: code (\d+)", 'assert said.get("code") == {0}, (status, said)'),
    (r"HTTP (\d+)", "assert status == {0}, (status, said)"),
    (
        r"a JSON object with code, message and traceId",
        'assert {{"code", "message", "traceId"}} <= set(said), (status, said)',
    ),
    (
        r"a refusal \(\w+\) in JSON\b.*",
        'assert status < 500 and "code" in said, (status, said)',
    ),
    (r"a traceId that was made up", 'assert said.get("traceId"), (status, said)'),
)
_TRACE_ID: Final = "traceId '"
_UNJUDGED: Final = 'raise AssertionError(f"{status} {said}: fakerelay verify --replay judges it")'
_UNJUDGED_RACE: Final = 'raise AssertionError(f"{answers}: fakerelay verify --replay judges them")'


def render_function(
    moves: Sequence[Sequence[Form]],
    stops: Sequence[Form],
    *,
    name: str,
    title: str,
    expected: str,
    url: str,
    identities: Mapping[int, str],
) -> str:
    """The calls of some moves, and whether the last answer is what was expected.

    Of a race the answers are held against it together, as far as that can be.
    """
    forms = [*(form for move in moves for form in move), *stops]
    parts = [
        _quote_title(title),
        "\n\n",
        _HEAD.format(url=url),
        *_name_variables(forms, identities),
    ]
    parts += [_CALL, _RACE if any(len(move) > 1 for move in moves) else ""]
    parts += [f"\ndef test_{re.sub(r'[^0-9A-Za-z]+', '_', name)}() -> None:\n    try:\n"]
    number = 0
    for move in moves:
        for form in move:
            number += 1
            parts.append(f"        # {number}. {tell(form.operation)}\n")
        parts += _do(move)
    parts += [f"        {_assert(expected, moves[-1])}  # {expected}\n", "    finally:\n"]
    parts += ["        # Stop what may run.\n"] if stops else ["        pass\n"]
    for form in stops:
        parts += ["        call(\n", *_list_arguments(form, 12), "        )\n"]
    return "".join(parts)


def _quote_title(title: str) -> str:
    text = " ".join(title.split()).replace("\\", "\\\\").replace('"', "'")
    return f'"""{text}"""'


def _name_variables(forms: Sequence[Form], identities: Mapping[int, str]) -> Iterator[str]:
    for account, names in enumerate(VARIABLES):
        if account in {form.operation.app for form in forms}:
            identity, key = names
            yield f"{identity} = os.environ.get({identity!r}) or {identities[account]!r}\n"
            yield f"{key} = os.environ.get({key!r}) or os.environ[{'FAKERELAY_' + key!r}]\n"
    if any(value is None for form in forms for _name, value in form.headers):
        yield 'WRONG_TOKEN = os.environ["WRONG_TOKEN"]  # one that is wrong as the step says\n'


def _assert(expected: str, move: Sequence[Form]) -> str:
    if len(move) > 1:
        return _RACE_ASSERTIONS.get(expected.partition(" ")[0].rstrip(":"), _UNJUDGED_RACE)
    for pattern, assertion in _ASSERTIONS:
        if found := re.fullmatch(pattern, expected):
            return assertion.format(*found.groups())
    if expected.startswith(_TRACE_ID):
        trace_id = move[-1].target.partition("traceId=")[2].replace(RUN, _FRESH)
        return f'assert said.get("traceId") == {trace_id!r}.replace("$RUN", RUN), (status, said)'
    return _UNJUDGED


def _do(move: Sequence[Form]) -> Iterator[str]:
    if len(move) == 1:
        yield from ("        status, said = call(\n", *_list_arguments(move[0], 12), "        )\n")
        return
    yield "        answers = race(\n"
    for form in move:
        yield from ("            (\n", *_list_arguments(form, 16), "            ),\n")
    yield "        )\n"


def _list_arguments(form: Form, indent: int) -> Iterator[str]:
    target = form.target.replace(RUN, _FRESH)
    lines = [f"{form.method!r},", f"{target!r},", "["]
    lines += [f"    ({name!r}, {_show_value(value)})," for name, value in form.headers]
    lines += ["],", f"{_show_body(form.body)},"]
    return (f"{' ' * indent}{line}\n" for line in lines)


def _show_value(value: Value) -> str:
    if value is None:
        return "WRONG_TOKEN"
    return " + ".join(_show_part(part) for part in value) or "''"


def _show_part(part: str | Blank | Coded) -> str:
    if isinstance(part, str):
        return repr(part)
    if isinstance(part, Blank):
        return _CHANGES[part.change].format(part.variable)
    text = f"base64({' + '.join(map(_show_part, part.parts))})"
    text += "" if part.is_padded else '.rstrip("=")'
    return text + ('.replace("+", "-").replace("/", "_")' if part.is_url_safe else "")


def _show_body(body: bytes) -> str:
    pieces, end = [], 0
    fresh = body.replace(RUN.encode(), _FRESH.encode())
    for match in _REPEATED.finditer(fresh):
        pieces += [repr(fresh[end : match.start()]), f"{match[1]!r} * {len(match[0])}"]
        end = match.end()
    return " + ".join([*pieces, repr(fresh[end:])] if end < len(fresh) or not end else pieces)
