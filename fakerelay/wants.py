"""What a relay is to be, as its user says it: checked, and read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Final

from fakerelay.config import AppConfig
from fakerelay.control.callback_urls import explain_url
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError
from fakerelay.hosts import Host
from fakerelay.ports import ClockMode
from fakerelay.profiles import nest_settings, open_profile
from fakerelay.targets import check_callback_url

EXACT: Final = 2**53  # below it, whole numbers are so in every language's numbers
_QUOTA: Final = "concurrent_pushes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a world is to be; None leaves it as it is usual.

    `is_received`: by an inbox here. `is_sole`: nobody else can have its appid.
    """

    app: AppConfig
    is_received: bool
    is_sole: bool = False
    profile: str | None = None
    settings: Mapping[str, object] | None = None
    clock: ClockMode | None = None
    now: float | None = None
    faults: Sequence[Mapping[str, Any]] = ()
    tls: bool = False
    seed: int | None = None
    snapshot: Mapping[str, Any] | Path | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for what is of another type, and for a URL that is none."""
        if not isinstance(self.tls, bool):
            raise ConfigError(f"Can't use tls={self.tls!r}: expected True or False")
        if self.seed is not None and not _is_whole(self.seed):
            raise ConfigError(f"Can't use seed={self.seed!r}: expected a whole number")
        if self.app.callback_url is not None:
            _check_callback_url(self.app.callback_url)

    @property
    def is_sure(self) -> bool:
        """Whether making it, as a world on the server of others, can't be refused."""
        return self.is_sole and not self.faults


_EXPECTED: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "server": ((Host,), "a Host, as fakerelay_server is"),
    "certificate_id": ((str,), "text"),
    "certificate_key": ((str,), "text"),
    "profile": ((str, PathLike), "a name, or the path of a file"),
    "settings": ((Mapping,), "a dict of keys of the profile"),
    "snapshot": ((Mapping, str, PathLike), "a snapshot, or the path of its file"),
    "clock": ((str,), "'real' or 'frozen'"),
    "faults": ((list, tuple), "a list of fault plans"),
}


def check_types(**given: object) -> None:
    """Raises ConfigError for what is of another type, and never shows a key; None is left out."""
    for name, value in given.items():
        types, wanted = _EXPECTED[name]
        if value is not None and not isinstance(value, types):
            shown = "" if name == "certificate_key" else f"={value!r}"
            raise ConfigError(f"Can't use {name}{shown}: expected {wanted}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_callback_url(url: object) -> None:
    if not isinstance(url, str):
        raise ConfigError(f"Can't use callback_url={url!r}: expected a URL as text, or None")
    try:
        check_callback_url(url)
    except ConfigError:
        raise ConfigError(explain_url(url)) from None


def read_settings(
    settings: Mapping[str, object] | None, quota: int | None
) -> Mapping[str, object] | None:
    """As one object, without dots in its keys. Raises ConfigError."""
    if settings is not None:
        settings = nest_settings(settings)
    if quota is None:
        return settings
    if not _is_whole(quota) or not 0 <= quota < EXACT:
        raise ConfigError(
            f"Can't use quota={quota!r}: expected how many tasks run at once, 0 for any number"
        )
    if settings is not None and _QUOTA in settings:
        raise ConfigError(
            f"Can't use quota={quota!r} beside {_QUOTA}={settings[_QUOTA]!r} of the settings:"
            " leave one of them out"
        )
    return {**(settings or {}), _QUOTA: quota}


def choose_profile(usual: Profile, wanted: Wanted) -> Profile:
    if wanted.profile is None and not wanted.settings:
        return usual
    try:
        settings = json.dumps(wanted.settings or {}, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Can't use settings: {error}; write plain JSON values") from error
    source = usual.name if wanted.profile is None else wanted.profile
    return _open_profile(source, _read_if_file(source), settings)


def _read_if_file(source: str) -> bytes | None:
    """None for a shipped name, and for what `open_profile` says is wrong."""
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _open_profile(source: str, content: bytes | None, settings: str) -> Profile:
    """Many tests want the same one, and its making costs more than all else.

    `content` tells a file from what it was before, or from another of that name elsewhere.
    """
    return open_profile(source, json.loads(settings))
