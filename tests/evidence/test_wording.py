"""Values in words: short, masked, and told in time whatever they are."""

import time

import pytest

from fakerelay.evidence.wording import MOST_SHOWN, hide_secrets, show_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "'a'"),
        (None, "None"),
        ("rtmp://h/a?key=s3cret", "'rtmp://h/a?key=***'"),
        ({"rtmpurl": "rtmp://h/a?key=s3cret"}, "{'rtmpurl': 'rtmp://h/a?key=***'}"),
        ("a\nb", "'a\\nb'"),
    ],
    ids=["text", "nothing", "an address", "an address within", "two lines"],
)
def test_value_is_shown_in_one_line_without_secrets(value: object, shown: str) -> None:
    assert show_value(value) == shown


@pytest.mark.parametrize("value", ["x" * 200_000, "rtmp://" * 30_000], ids=["letters", "schemes"])
def test_long_value_is_cut_in_time(value: str) -> None:
    began = time.process_time()
    assert len(show_value(value)) <= MOST_SHOWN + 3
    hide_secrets(value)
    assert time.process_time() - began < 1.0
