"""The settings of `serve`: options and environment, over the configuration file, as a `Config`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fakerelay.cli.keys import read_key
from fakerelay.config import DEMO_APP, Config, build_config, read_config
from fakerelay.errors import ConfigError
from fakerelay.profiles import merge_settings, parse_setting

_MOST_APPID = 2**64 - 1


def load_config(
    path: Path | None,
    options: Mapping[str, Any],
    *,
    apps: Sequence[str] = (),
    callback_url: str | None = None,
    settings: Sequence[str] = (),
) -> Config:
    """What was given as an option (None: was not) wins over the file at `path`.

    `apps` replace the file's, `callback_url` is that of every app, `settings` add to the file's.
    """
    merged = read_config(path) if path else {}
    merged |= {key: value for key, value in options.items() if value not in (None, ())}
    for setting in settings:
        merged["set"] = merge_settings(merged.get("set", {}), parse_setting(setting))
    if apps:
        merged["app"] = [parse_app(text) for text in apps]
    if callback_url:
        merged.setdefault("app", [{"appid": DEMO_APP.appid}])
        merged["app"] = [{**app, "callback_url": callback_url} for app in merged["app"]]
    if "app" in merged:
        merged["app"] = [_add_key(app) for app in merged["app"]]
    return build_config(merged)


def parse_app(text: str) -> dict[str, Any]:
    """`APPID:CERTID:CERTKEY`; the key may have colons in it, and is never shown."""
    appid, *certificate = text.split(":", 2)
    is_number = appid.isascii() and appid.isdigit()
    if not is_number or int(appid) > _MOST_APPID or not all(certificate):
        shown = ":".join([appid, *certificate[:1], *("***" for _ in certificate[1:])])
        raise ConfigError(
            f"Can't use app {shown!r}: write APPID:CERTID:CERTKEY, with an appid of 0 to"
            f" {_MOST_APPID}, as 123456789:my-certificate:my-key"
        )
    return {"appid": int(appid), **dict(zip(_CERTIFICATE, certificate, strict=False))}


_CERTIFICATE = ("certificate_id", "certificate_key")


def _add_key(app: Mapping[str, Any]) -> Mapping[str, Any]:
    if "certificate_key" in app or "certificate_id" not in app:
        return app
    key = read_key()
    return {**app, "certificate_key": key} if key else app
