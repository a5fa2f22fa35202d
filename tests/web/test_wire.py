import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.problems import Problem, app_forbidden
from fakerelay.profiles import open_profile
from fakerelay.web.wire import check_content_type, read_json, render_problem, render_reply

CONTENT_TYPES = [
    "application/json;charset=utf-8",
    "application/json; charset=utf-8",
    "application/json",
    "application/json;",
    "Application/JSON; Charset=UTF-8",
    'application/json; charset="utf-8"',
    "application/json;charset=utf8",
    "application/json ; charset = utf-8",
    "application/json; profile=x; charset=utf-8",
    "application/json; charset=utf-8; profile=x",
    "application/json\t;\tcharset=utf-8",
]


@pytest.mark.parametrize("value", CONTENT_TYPES)
def test_content_type_is_json(value: str) -> None:
    assert check_content_type(value) is None


OTHER_CONTENT_TYPES = [
    None,
    "",
    "json",
    "text/json",
    "text/plain",
    "text/plain; application/json",
    "application/json5",
    "application/jsonx",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json, application/json",
    "application/json charset=utf-8",
    "application/json; charset=utf-16",
    "application/json; charset=gbk",
    "application/json; charset=ISO-8859-1",
    'application/json; charset="gbk"',
    "application/json; profile=x; charset=gbk",
    "application/json; charset=utf-8 gbk",
    'application/json; charset="utf-8',
    "application/json; charset=",
    "application/json; charset=utf-8; charset=gbk",
]


@pytest.mark.parametrize("value", OTHER_CONTENT_TYPES)
def test_content_type_is_another(value: str | None) -> None:
    problem = check_content_type(value)
    assert problem is not None
    assert (problem.name, problem.rule) == ("unsupported_content_type", "content-type")


HUGE = "1" + "0" * 4999
READ = {
    "empty object": (b"{}", {}),
    "space around": (b" \t\r\n{} \t\r\n", {}),
    "last of equal keys": (b'{"a": 1, "a": 2}', {"a": 2}),
    "last of keys equal once unescaped": (b'{"a": 1, "\\u0061": 2}', {"a": 2}),
    "escaped pair of surrogates": (b'{"a": "\\ud83c\\udfa5"}', {"a": "🎥"}),
    "escaped backslash before a u": (b'{"a": "\\\\ud800"}', {"a": "\\ud800"}),
    "characters beyond ASCII": ('{"中": "🎥"}'.encode(), {"中": "🎥"}),
    "escaped control character": (b'{"a": "\\u0000\\n"}', {"a": "\0\n"}),
    "1e400": (b'{"a": 1e400}', {"a": sys.float_info.max}),
    "-1e400": (b'{"a": -1e400}', {"a": -sys.float_info.max}),
    "1e-400": (b'{"a": 1e-400}', {"a": 0.0}),
    "whole float": (b'{"a": 5.0}', {"a": 5.0}),
    "integer of 4,000 digits": (b'{"a": %d}' % 10**3999, {"a": 10**3999}),
    "objects nested 200 times": (b'{"a":' * 200 + b"1" + b"}" * 200, None),
    "arrays nested 199 times": (b'{"a":' + b"[" * 199 + b"]" * 199 + b"}", None),
    "1,000 arrays side by side": (b'{"a": [' + b"[]," * 999 + b"[]]}", {"a": [[]] * 1000}),
    "1,000 brackets in a string": (b'{"a": "' + b"[" * 1000 + b'"}', {"a": "[" * 1000}),
}


@pytest.mark.parametrize(("raw", "expected"), READ.values(), ids=READ.keys())
def test_json_is_read(raw: bytes, expected: object) -> None:
    read = read_json(raw)
    assert isinstance(read, dict), read
    assert expected is None or read == expected


@pytest.mark.parametrize("sign", ["", "-"])
def test_integer_of_5000_digits_is_a_huge_number(sign: str) -> None:
    read = read_json(f'{{"a": {sign}{HUGE}, "b": 1}}'.encode())
    assert isinstance(read, dict), read
    assert abs(read["a"]) > 2**64
    assert (read["a"] < 0) is (sign == "-")
    assert read["b"] == 1


MALFORMED = {
    "nothing": (b"", "json-body"),
    "space": (b"  ", "json-body"),
    "text": (b"startrtmp", "json-body"),
    "form": (b"appid=7&roomid=r", "json-body"),
    "XML": (b"<xml/>", "json-body"),
    "cut off": (b'{"a": 1', "json-body"),
    "more behind": (b"{} {}", "json-body"),
    "a brace too many": (b"{}}", "json-body"),
    "comma at the end": (b'{"a": 1,}', "json-body"),
    "single quotes": (b"{'a': 1}", "json-body"),
    "key without quotes": (b"{a: 1}", "json-body"),
    "comment": (b'{"a": 1 /* one */}', "json-body"),
    "leading zero": (b'{"a": 01}', "json-body"),
    "plus sign": (b'{"a": +1}', "json-body"),
    "hexadecimal": (b'{"a": 0x1}', "json-body"),
    "dot without digits": (b'{"a": 1.}', "json-body"),
    "True": (b'{"a": True}', "json-body"),
    "other digits": ('{"a": \u0661}'.encode(), "json-body"),
    "no-break space": ("{\u00a0}".encode(), "json-body"),
    "control character in a string": (b'{"a": "\n"}', "json-body"),
    "NUL in a string": (b'{"a": "\0"}', "json-body"),
    "NUL behind": (b"{}\0", "json-body"),
    "wrong escape": (b'{"a": "\\x41"}', "json-body"),
    "short escape": (b'{"a": "\\u12"}', "json-body"),
    "byte order mark": (b"\xef\xbb\xbf{}", "json-body"),
    "UTF-16": ("{}".encode("utf-16"), "json-body"),
    "UTF-16 without a mark": ("{}".encode("utf-16-le"), "json-body"),
    "UTF-32": ("{}".encode("utf-32"), "json-body"),
    "Latin-1": (b'{"a": "\xe9"}', "json-body"),
    "overlong UTF-8": (b'{"a": "\xc0\xaf"}', "json-body"),
    "surrogate in UTF-8": (b'{"a": "\xed\xa0\x80"}', "json-body"),
    "gzip": (b"\x1f\x8b\x08\x00", "json-body"),
    "array": (b"[]", "json-body"),
    "array of an object": (b"[{}]", "json-body"),
    "string": (b'"{}"', "json-body"),
    "number": (b"1", "json-body"),
    "null": (b"null", "json-body"),
    "true": (b"true", "json-body"),
    "huge number alone": (HUGE.encode(), "json-body"),
    "NaN": (b'{"a": NaN}', "json-numbers"),
    "NaN alone": (b"NaN", "json-numbers"),
    "Infinity": (b'{"a": Infinity}', "json-numbers"),
    "-Infinity": (b'{"a": [-Infinity]}', "json-numbers"),
    "NaN beside a huge integer": (f'{{"a": {HUGE}, "b": NaN}}'.encode(), "json-numbers"),
    "cut off after a huge integer": (f'{{"a": {HUGE}'.encode(), "json-body"),
    "lone high surrogate": (b'{"a": "\\ud800"}', "json-surrogates"),
    "lone low surrogate": (b'{"a": "\\uDFFF"}', "json-surrogates"),
    "surrogates the wrong way round": (b'{"a": "\\udfa5\\ud83c"}', "json-surrogates"),
    "lone surrogate in a key": (b'{"\\ud800": 1}', "json-surrogates"),
    "lone surrogate deep inside": (b'{"a": [{"b": {"\\ud800": 1}}]}', "json-surrogates"),
    "lone surrogate beside a huge integer": (
        f'{{"a": {HUGE}, "b": "\\ud800"}}'.encode(),
        "json-surrogates",
    ),
    "objects nested 201 times": (b'{"a":' * 201 + b"1" + b"}" * 201, "json-nesting"),
    "arrays nested 200 times": (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "json-nesting"),
    "arrays nested 201 times, alone": (b"[" * 201 + b"]" * 201, "json-nesting"),
    "objects nested 1,200 times": (b'{"a":' * 1200 + b"1" + b"}" * 1200, "json-nesting"),
    "objects nested 100,000 times": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json-nesting"),
    "arrays nested 100,000 times": (
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "json-nesting",
    ),
    "nested 100,000 times and cut off": (b'{"a":' + b"[" * 100_000, "json-nesting"),
}


@pytest.mark.parametrize(("raw", "rule"), MALFORMED.values(), ids=MALFORMED.keys())
def test_json_is_malformed(raw: bytes, rule: str) -> None:
    problem = read_json(raw)
    assert isinstance(problem, Problem), problem
    assert (problem.name, problem.rule) == ("malformed_json", rule)
    assert len(problem.facts["reason"]) < 200


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8eENa1.- \n', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_malformed(raw: bytes) -> None:
    read = read_json(raw)
    assert isinstance(read, dict | Problem)


@given(st.integers(), st.text(), st.text())
def test_reply_is_json_whatever_it_says(code: int, message: str, trace_id: str) -> None:
    reply = json.loads(render_reply(code, message, trace_id))
    assert reply == {"code": code, "message": message, "traceId": trace_id}


def test_reply_is_ascii() -> None:
    assert render_reply(0, "中\n", '"\u2028').isascii()


def test_problem_is_told_as_the_profile_has_it() -> None:
    status, code, body = render_problem(app_forbidden(7, "why"), open_profile("rest"), "t")
    assert (status, code) == (403, 40301)
    assert json.loads(body) == {"code": 40301, "message": "app forbidden: 7", "traceId": "t"}


def test_message_is_filled_once_only() -> None:
    problem = Problem("unknown_path", "unknown-path", {"path": "/{limit}", "limit": "secret"})
    _, _, body = render_problem(problem, open_profile(), "")
    assert json.loads(body)["message"] == "unknown path: /{limit}"
