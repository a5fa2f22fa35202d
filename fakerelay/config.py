"""What a server is to be: addresses, apps, trust, policy; every setting in one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8481
DEFAULT_CONTROL_PORT = 8480


@dataclass(frozen=True, slots=True)
class AppConfig:
    """An app with the certificate that opens it; apps of one certificate are one account's."""

    appid: int
    certificate_id: str
    certificate_key: str = field(repr=False)
    callback_url: str | None = None
    live_rooms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DEMO_APP = AppConfig(123456789, "demo-certificate", "demo-key")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of `fakerelay serve`, by the names of its options; a port of 0 is any free one.

    `port` speaks HTTPS unless `no_tls`; `http_port` is plain HTTP besides it, `control_port` None
    leaves the control plane out.
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
    state: str = "memory:"
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
