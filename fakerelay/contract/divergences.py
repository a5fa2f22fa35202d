"""Divergences that somebody has accepted, until a day; and what an earlier run had found."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from fakerelay import schemas
from fakerelay.errors import ConfigError, nearest


class Divergence(NamedTuple):
    """A rule that may be broken; the day it `expires` still counts."""

    rule: str
    reason: str
    owner: str
    expires: date

    def has_expired(self, today: date) -> bool:
        return today > self.expires


def read_divergences(data: Any, origin: str) -> Mapping[str, Divergence]:
    """By rule, from what a file says; ConfigError names the place where it can't be used."""
    plain = _write_dates(data)
    schemas.check_settings("known", plain, origin)
    divergences: dict[str, Divergence] = {}
    for number, row in enumerate(plain["known"]):
        place = f"/known/{number} of {origin}"
        rule = check_rule(row["rule"], place)
        if rule in divergences:
            raise ConfigError(f"Can't use {rule!r} at {place}: it stands there twice")
        divergences[rule] = Divergence(
            rule, row["reason"], row["owner"], _read_date(row["expires"], place)
        )
    return divergences


def check_rule(rule: str, origin: str) -> str:
    """A rule of the rulebook; ConfigError names the nearest where it is none."""
    if rule not in schemas.rulebook():
        raise ConfigError(f"Unknown rule {rule!r}{nearest(rule, schemas.rulebook())} at {origin}")
    return rule


def _write_dates(data: Any) -> Any:
    """TOML has dates of its own, JSON hasn't."""
    if isinstance(data, Mapping):
        return {key: _write_dates(value) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_write_dates(value) for value in data]
    return data.isoformat() if isinstance(data, date) else data


def _read_date(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"Can't use {text!r} at {place}: {error}; write 2030-12-31") from error
