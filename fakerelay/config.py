"""What a server is to be: addresses, apps, trust, policy; every setting in one frozen value."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakerelay import schemas
from fakerelay.errors import ConfigError
from fakerelay.faults import check_plans
from fakerelay.ports import ClockMode

DEFAULT_PORT = 8481
DEFAULT_CONTROL_PORT = 8480
_IN_SNAPSHOTS = ("profile", "set", "settings", "clock", "now")
_PATHS = ("snapshot", "callback_ca", "tls_cert", "tls_key", "ca_dir", "ready_file")


@dataclass(frozen=True, slots=True)
class AppConfig:
    """An app with the certificate that opens it; apps of one certificate are one account's."""

    appid: int
    certificate_id: str
    certificate_key: str = field(repr=False)
    callback_url: str | None = None
    live_rooms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ConfigError for what no `token` header could say."""
        is_number = isinstance(self.appid, int) and not isinstance(self.appid, bool)
        if not is_number or not 0 <= self.appid < 2**64:
            raise ConfigError(f"Can't use appid {self.appid!r}: expected 0 to {2**64 - 1}")
        if not self.certificate_id or ":" in self.certificate_id:
            raise ConfigError(
                f"Can't use certificate id {self.certificate_id!r}: expected some text, no colon"
            )
        if not self.certificate_key:
            raise ConfigError(f"Certificate {self.certificate_id!r} needs a key that is not empty")
        try:
            (self.certificate_id + self.certificate_key).encode()
        except UnicodeEncodeError as error:
            raise ConfigError(
                f"Can't use certificate {self.certificate_id!r}: its id or key is not UTF-8"
            ) from error


DEMO_APP = AppConfig(123456789, "demo-certificate", "demo-key")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of `fakerelay serve`, by the names of its options; a port of 0 is any free one.

    `port` speaks HTTPS unless `no_tls`; `http_port` is plain HTTP besides it, `control_port` None
    leaves the control plane out. `now` is where a frozen clock begins; with a `seed` all ids that
    are made up are the same in every run.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    http_port: int | None = None
    control_host: str = "127.0.0.1"
    control_port: int | None = DEFAULT_CONTROL_PORT
    no_tls: bool = False
    apps: tuple[AppConfig, ...] = (DEMO_APP,)
    callback_allow: tuple[str, ...] = ()
    callback_ca: Path | None = None
    profile: str = "default"
    settings: Mapping[str, object] = field(default_factory=dict)
    clock: ClockMode = "real"
    now: float | None = None
    seed: int | None = None
    state: str = "memory:"
    snapshot: Path | Mapping[str, Any] | None = None
    journal_size: int = 10_000
    log_format: str = "text"
    control_token: str | None = field(default=None, repr=False)
    allow_host: tuple[str, ...] = ()
    tls_name: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    ca_dir: Path | None = None
    ready_file: Path | None = None
    ready_file_mode: int = 0o600
    explain: bool = True
    faults: tuple[Mapping[str, Any], ...] = ()
    magic_addresses: bool = True


def check_snapshot(given: Iterable[str], *, prefix: str = "") -> None:
    """Refuse, beside a snapshot, the settings that it has of its own. Raises ConfigError."""
    for key in given:
        if key in _IN_SNAPSHOTS:
            raise ConfigError(
                f"Can't use {prefix}{key} together with {prefix}snapshot: the snapshot brings its"
                " own; leave one of them out, or change it by the control plane once it is up"
            )


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, by the names of `schemas/config.json`.

    Relative paths in it start from its folder. Raises ConfigError, which says what to mend where.
    """
    import tomllib  # without a file nobody needs it

    origin = f"configuration {str(path)!r}"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Can't read {origin}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Can't read {origin}: {error}; it must be TOML in UTF-8") from error
    schemas.check_settings("config", settings, origin)
    check_plans(settings.get("fault", ()), origin)
    for key in {*_PATHS} & {*settings}:
        settings[key] = str(path.parent / Path(settings[key]).expanduser())
    if Path(settings.get("profile", "")).suffix == ".json":
        settings["profile"] = str(path.parent / Path(settings["profile"]).expanduser())
    return settings


def build_config(settings: Mapping[str, Any]) -> Config:
    """A `Config` of settings by the names of `schemas/config.json`. Raises ConfigError."""
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }
    for key in {*_PATHS} & {*fields}:
        fields[key] = Path(fields[key])
    if "ready_file_mode" in fields:
        fields["ready_file_mode"] = _read_mode(fields["ready_file_mode"])
    if "set" in fields:
        fields["settings"] = fields.pop("set")
    if "app" in fields:
        fields["apps"] = _read_apps(fields.pop("app"))
    if "fault" in fields:
        fields["faults"] = fields.pop("fault")
    return Config(**fields)


def _read_mode(mode: str | int) -> int:
    """Octal digits; in a number they have been read already."""
    if isinstance(mode, str) and not re.fullmatch(r"(0o?)?[0-7]{3}", mode):
        raise ConfigError(f"Can't use file mode {mode!r}: write three octal digits, as 0640")
    return int(mode, 8) if isinstance(mode, str) else mode


def _read_apps(apps: Sequence[Mapping[str, Any]]) -> tuple[AppConfig, ...]:
    keys: dict[str, str] = {}
    read: dict[int, AppConfig] = {}
    for each in apps:
        app = _read_app(each)
        if app.appid in read:
            raise ConfigError(f"App {app.appid} is given twice; each appid once")
        if keys.setdefault(app.certificate_id, app.certificate_key) != app.certificate_key:
            raise ConfigError(
                f"Certificate {app.certificate_id!r} is given with two different keys;"
                " give it one, or the apps different certificates"
            )
        read[app.appid] = app
    return tuple(read.values())


def _read_app(app: Mapping[str, Any]) -> AppConfig:
    """Without a certificate, the demo app's opens it too."""
    certificate_id = app.get("certificate_id", DEMO_APP.certificate_id)
    is_demo = certificate_id == DEMO_APP.certificate_id
    key = app.get("certificate_key", DEMO_APP.certificate_key if is_demo else None)
    if not key:
        raise ConfigError(
            f"Certificate {certificate_id!r} of app {app['appid']} has no key; write it as"
            " APPID:CERTID:CERTKEY, or set FAKERELAY_CERTIFICATE_KEY"
        )
    rooms = {room: tuple(users) for room, users in app.get("live_rooms", {}).items()}
    return AppConfig(app["appid"], certificate_id, key, app.get("callback_url"), rooms)
