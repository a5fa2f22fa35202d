"""Whom a command asks by no proxy: the variables that programs read for that."""

from collections.abc import Mapping, Sequence
from typing import Final

_NAMES: Final = ("NO_PROXY", "no_proxy")


def bypass_proxies(environ: Mapping[str, str], hosts: Sequence[str]) -> dict[str, str]:
    """The environment with these hosts added to those that no proxy is asked for.

    Programs differ in which of two names wins, so each begins with what the other one holds.
    """
    changed = dict(environ)
    for name in _NAMES:
        own = environ.get(name) or next(filter(None, map(environ.get, _NAMES)), "")
        listed = [each.strip() for each in own.split(",") if each.strip()]
        if "*" not in listed:
            added = [host.removeprefix("*") for host in hosts]
            changed[name] = ",".join(dict.fromkeys([*listed, *added]))
    return changed
