"""The settings of `serve`: options and environment, over the configuration file, as a `Config`."""

from collections.abc import Mapping
from typing import Any

from fakerelay.cli.keys import read_key
from fakerelay.config import DEMO_APP, Config, build_config, check_snapshot, read_config
from fakerelay.errors import ConfigError
from fakerelay.profiles import merge_settings, parse_setting

_MOST_APPID = 2**64 - 1
_CERTIFICATE = ("certificate_id", "certificate_key")


def load_config(given: Mapping[str, Any]) -> Config:
    """What was given as an option (None or empty: was not) wins over the file that `config` names.

    `app` replaces the file's apps, `callback_url` is that of every app, `set` adds to the file's.
    """
    options = {key: value for key, value in given.items() if value not in (None, ())}
    path = options.pop("config", None)
    callback_url = options.pop("callback_url", None)
    settings: dict[str, Any] = read_config(path) if path else {}
    if "snapshot" in options or "snapshot" in settings:
        check_snapshot(options, prefix="--")
    for text in options.pop("set", ()):
        settings["set"] = merge_settings(settings.get("set", {}), parse_setting(text))
    if "app" in options:
        options["app"] = [parse_app(text) for text in options["app"]]
    settings |= options
    if callback_url:
        apps = settings.get("app", [{"appid": DEMO_APP.appid}])
        settings["app"] = [{**app, "callback_url": callback_url} for app in apps]
    if "app" in settings:
        settings["app"] = [_add_key(app) for app in settings["app"]]
    return build_config(settings)


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


def _add_key(app: Mapping[str, Any]) -> Mapping[str, Any]:
    if "certificate_key" in app or "certificate_id" not in app:
        return app
    key = read_key()
    return {**app, "certificate_key": key} if key else app
