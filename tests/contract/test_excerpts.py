"""Answers in one line: what a server sends does nothing to a terminal."""

import pytest

from fakerelay.contract.clients import Observed, show

PAGE = b"""<html>\r\n<head><title>404 Not Found</title><style>p { color: red }</style></head>
<body bgcolor="white"><center><h1>404 Not Found</h1></center><!-- a > b --><hr>nginx/1.25
"""
SHOWN = {
    "JSON": (b'{"code": 1,\n  "message": "no <b>"}', 'HTTP 200 {"code": 1, "message": "no <b>"}'),
    "page": (PAGE, "HTTP 200 (text/html) 404 Not Found 404 Not Found nginx/1.25"),
    "page cut off": (b"oops <p class=", "HTTP 200 (text/html) oops"),
    "no tag": (b"1 < 2 > 0", "HTTP 200 (text/html) 1 < 2 > 0"),
    "colours": (b"\x1b[31mred\x07\x9b", r"HTTP 200 (text/html) \x1b[31mred\x07\ufffd"),
    "colours in JSON": (
        b'{"message": "\xc2\x9b31m\xe2\x80\xae"}',
        r'HTTP 200 {"message": "\x9b31m\u202e"}',
    ),
    "nothing": (b"", "HTTP 200 (text/html) without a text"),
    "much": (b"a" * 1000, f"HTTP 200 (text/html) {'a' * 80}"),
}


@pytest.mark.parametrize(("body", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_answer_is_shown_as_plain_text_on_one_line(body: bytes, shown: str) -> None:
    observed = Observed(200, {"content-type": "text/html; charset=utf-8"}, body, None)
    assert show(observed) == shown.replace(r"\ufffd", "\ufffd")


def test_content_type_is_as_harmless() -> None:
    observed = Observed(502, {"Content-Type": "\x1b]0;title"}, b"oops", None)
    assert show(observed) == r"HTTP 502 (\x1b]0) oops"
