"""Divergences that are accepted: read whole, or refused with the place."""

import tomllib
from datetime import date
from typing import Any

import pytest

from fakerelay.contract.divergences import read_divergences
from fakerelay.errors import ConfigError

ROW = {
    "rule": "concurrent-pushes",
    "reason": "agreed with the vendor",
    "owner": "team relay",
    "expires": "2030-12-31",
}
TOML = """
[[known]]
rule = "concurrent-pushes"
reason = "agreed with the vendor"
owner = "team relay"
expires = 2030-12-31
"""


@pytest.mark.parametrize("data", [{"known": [ROW]}, tomllib.loads(TOML)], ids=["JSON", "TOML"])
def test_divergence_is_read(data: Any) -> None:
    (divergence,) = read_divergences(data, "'a file'").values()
    assert divergence == (*list(ROW.values())[:3], date(2030, 12, 31))
    assert not divergence.has_expired(date(2030, 12, 31))
    assert divergence.has_expired(date(2031, 1, 1))


WRONG: dict[str, tuple[Any, str]] = {
    "no list": ({}, "Missing /known in 'a file'"),
    "no owner": ({"known": [ROW, {**ROW, "owner": ""}]}, "/known/1/owner"),
    "no reason": ({"known": [{k: v for k, v in ROW.items() if k != "reason"}]}, "/known/0/reason"),
    "another key": ({"known": [{**ROW, "onwer": "x"}]}, "did you mean 'owner'"),
    "no rule": ({"known": [{**ROW, "rule": "concurent-pushes"}]}, "mean 'concurrent-pushes'"),
    "no day": ({"known": [{**ROW, "expires": "2030-02-31"}]}, "'2030-02-31' at /known/0"),
    "a word for a day": ({"known": [{**ROW, "expires": "never"}]}, "/known/0/expires"),
    "twice": ({"known": [ROW, ROW]}, "stands there twice"),
}


@pytest.mark.parametrize(("data", "told"), WRONG.values(), ids=WRONG.keys())
def test_file_of_no_use_is_refused_with_the_place(data: Any, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_divergences(data, "'a file'")
    assert told in str(refused.value)
