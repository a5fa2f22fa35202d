from typing import Any

import pytest

from fakerelay.core.plain import clean_text, is_deeper, printable


@pytest.mark.parametrize(
    ("value", "levels"),
    [(1, 0), ("[[", 0), ([], 1), ({}, 1), ([1, {"a": []}], 3), ({"a": 1, "b": {"c": {}}}, 3)],
)
def test_depth_counts_lists_and_objects(value: Any, levels: int) -> None:
    assert not is_deeper(value, levels)
    assert levels == 0 or is_deeper(value, levels - 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\u76f4", "a\u76f4"), (b"a\xff".decode("utf-8", "surrogateescape"), "a\ufffd")],
)
def test_clean_text_is_utf_8(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("app=7 \\ ok", "app=7 \\ ok"), ("a\nb", "a\\x0ab"), ("\u202e", "\\u202e")],
)
def test_printable_text_keeps_to_its_line(text: str, expected: str) -> None:
    assert printable(text) == expected
