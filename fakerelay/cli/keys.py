"""Certificate keys: from the environment, or asked for; never from an argument."""

import os
import sys
from pathlib import Path

import click

from fakerelay.errors import ConfigError

KEY_VARIABLE = "FAKERELAY_CERTIFICATE_KEY"


def read_key(variable: str = KEY_VARIABLE) -> str | None:
    """The key in a variable, or in the file that its `_FILE` form names."""
    if key := os.environ.get(variable):
        return key
    path = os.environ.get(f"{variable}_FILE")
    return _read_file(Path(path), f"{variable}_FILE") if path else None


def ask_key(certificate_id: str) -> str:
    """The key as somebody types it unseen, or pipes it in."""
    if sys.stdin.isatty():
        key: str = click.prompt(f"Key of {certificate_id}", hide_input=True, err=True)
    else:
        key = _read_piped()
    if not key:
        raise ConfigError(
            f"No key for certificate {certificate_id!r}; set {KEY_VARIABLE}, or"
            f" {KEY_VARIABLE}_FILE to the file it is in, or type or pipe it in"
        )
    return key


def _read_piped() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except OSError:  # pytest lets no test read it
        return ""


def _read_file(path: Path, variable: str) -> str:
    try:
        key = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"Can't read {str(path)!r}: {reason}; see {variable}") from error
    if not key:
        raise ConfigError(f"No key in {str(path)!r}; see {variable}")
    return key
