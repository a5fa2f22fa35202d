"""What `fakerelay verify` reads of earlier findings, from its options and their files."""

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakerelay.errors import ConfigError, nearest

if TYPE_CHECKING:
    from fakerelay.contract.divergences import Divergence
    from fakerelay.contract.verdicts import Trouble


def read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"Can't read {path!r}: {reason}") from error


def read_rules(text: str | None) -> Sequence[str]:
    """As --rules has them."""
    from fakerelay.contract.divergences import check_rule

    return [check_rule(name, "--rules") for name in _split(text or "")]


def read_troubles(text: str) -> Collection["Trouble"]:
    """As --fail-on has them."""
    from fakerelay.contract.verdicts import EXIT_CODES

    names = _split(text)
    for name in names:
        if name not in EXIT_CODES:
            raise ConfigError(f"Can't fail on {name!r}{nearest(name, EXIT_CODES)}, see --fail-on")
    if not names:
        raise ConfigError(f"--fail-on needs something to fail on{nearest('', EXIT_CODES)}")
    return [name for name in EXIT_CODES if name in names]


def read_known(path: str | None) -> Mapping[str, "Divergence"]:
    """The divergences that a file accepts: TOML, or JSON where it is called so."""
    from fakerelay.contract.divergences import read_divergences

    if path is None:
        return {}
    text = read_text(path)
    try:
        data = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"Can't read {path!r}: {error}") from error
    return read_divergences(data, repr(path))


def read_baseline(path: str | None) -> Collection[str] | None:
    """The rules that an earlier report found broken."""
    from fakerelay.contract.replays import read_findings

    return None if path is None else {each.rule for each in read_findings(read_text(path), path)}


def _split(text: str) -> list[Any]:
    return [name.strip() for name in text.split(",") if name.strip()]
