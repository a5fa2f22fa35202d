"""What a fault plan is for."""

import pytest

from fakerelay.core.addresses import read_address
from fakerelay.core.faults import Match, Subject
from fakerelay.core.model import PushAddress

FITTING = [
    ("rtmp://CDN-B.example.com/*", "rtmp://cdn-b.example.com/live"),
    ("rtmp://CDN-B.example.com/*", "rtmp://cdn-B.example.com/live"),
    ("RTMP://cdn-b.example.com/*", "rtmp://cdn-b.example.com/live"),
    ("rtmp://cdn-b.example.com:1935/*", "rtmp://cdn-b.example.com/live"),
    ("rtmp://cdn-b.example.com:1935", "rtmp://cdn-b.example.com"),
    ("rtmps://CDN?B.*:0443/*", "rtmps://cdn-b.example.com/live"),
    ("rtmp://h:01936/*", "rtmp://h:1936/a"),
    ("rtmp://Anna@H/*", "rtmp://Anna@h/a"),
    ("rtmp://H/Live", "rtmp://h/Live"),
    ("rtmp://h*Live/*", "rtmp://h/Live/a"),
    ("*/Live", "rtmp://h/Live"),
]
STRANGE = [
    ("rtmp://h:443/*", "rtmp://h/a"),
    ("rtmp://h:1935/*", "rtmp://h:1936/a"),
    ("rtmp://H/live", "rtmp://h/Live"),
    ("rtmp://Anna@h/*", "rtmp://anna@h/a"),
    ("rtmps://h/*", "rtmp://h/a"),
]


def fits(pattern: str, text: str) -> bool:
    address = read_address(text)
    assert isinstance(address, PushAddress)
    subject = Subject(7, addresses=(address.spelled, address.key))
    return Match(rtmpurl=pattern).fits(subject)


@pytest.mark.parametrize(("pattern", "address"), FITTING)
def test_pattern_fits_an_address_however_both_are_spelled(pattern: str, address: str) -> None:
    assert fits(pattern, address)


@pytest.mark.parametrize(("pattern", "address"), STRANGE)
def test_pattern_fits_no_other_address(pattern: str, address: str) -> None:
    assert not fits(pattern, address)
