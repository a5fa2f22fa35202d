"""The server that `fakerelay verify` judges: one that is named, or a fake of its own."""

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fakerelay.cli.keys import ask_key, read_key
from fakerelay.errors import ConfigError

if TYPE_CHECKING:
    from fakerelay.contract.drafts import Account
    from fakerelay.contract.targets import Target

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_OWN_ROOMS: Final = tuple(f"kit-room-{number}" for number in range(4))
_OTHER_KEY: Final = "FAKERELAY_OTHER_CERTIFICATE_KEY"


@contextmanager
def open_target(
    options: dict[str, Any], profile: Any, callback_url: str | None = None
) -> "Iterator[Target]":
    """By the options of the command, and the profile that it is to be as.

    A fake of its own posts to the `callback_url`, if there is one.

    Raises ConfigError for options that are of no use, or do not go together.
    """
    from fakerelay.contract.targets import make_target

    told: dict[str, Any] = {"push_base": options["push_base"]}
    if options["target"] is None:
        _refuse_without_target(options)
        rooms = _OWN_ROOMS if profile["requires_live_room"] else ()
        with _own_accounts(profile, callback_url) as (url, accounts):
            yield make_target(url, accounts, profile, live_rooms=rooms, **told)
        return
    _check_url(options["target"])
    if options["app"] is None:
        raise ConfigError("--target needs --app APPID:CERTID, an app to judge with")
    accounts = {0: _read_account(options["app"], "--app", read_key() or ask_key)}
    if options["other_app"] is not None:
        key = read_key(_OTHER_KEY)
        if key is None:
            raise ConfigError(f"--other-app needs its key: set {_OTHER_KEY}")
        accounts[1] = _read_account(options["other_app"], "--other-app", key)
    told |= {"live_rooms": _read_rooms(options["room"]), "is_shared": options["shared_account"]}
    told["ssl_context"] = _read_trust(options["target"], options["ca"])
    yield make_target(options["target"], accounts, profile, **told)


def _refuse_without_target(options: dict[str, Any]) -> None:
    for name in ("app", "other_app", "shared_account", "room", "ca"):
        if options[name]:
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"{option} says something of a --target, and there is none")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment or parts.username is not None:
        raise ConfigError(f"Can't use --target {url!r}: write it as http://127.0.0.1:8481")
    if "/app/" in f"{parts.path}/":
        raise ConfigError(
            f"Can't use --target {url!r}: each call adds /app/... by itself; write what is before"
            " that"
        )
    if parts.hostname not in _LOOPBACK:
        raise ConfigError(
            f"Can't verify {url!r}: a run starts hundreds of pushes, which is what a real one"
            " bills, so only a server on this machine is judged (127.0.0.1, localhost, ::1)."
            " Start yours here, or leave --target away to judge a fake"
        )


def _read_trust(url: str, ca_file: str | None) -> ssl.SSLContext | None:
    """Whom a client trusts: the system, SSL_CERT_FILE in its place, or --ca in theirs."""
    if urlsplit(url).scheme != "https":
        if ca_file is not None:
            raise ConfigError(f"--ca {ca_file!r} is of no use: {url!r} is not https")
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"Can't read the certificates of --ca {ca_file!r}: {reason}") from error


def _read_rooms(text: str | None) -> list[str]:
    rooms = [] if text is None else [pair.partition(":")[0] for pair in text.split(",")]
    for room in rooms:
        if not re.fullmatch("[A-Za-z0-9_-]{1,64}", room):
            raise ConfigError(f"Can't use room {room!r} of --room {text!r}: write ROOM:UID,...")
    if len(set(rooms)) < len(rooms):
        raise ConfigError(f"Can't use --room {text!r}: a room stands twice in it")
    return rooms


def _read_account(text: str, option: str, key: Any) -> "Account":
    from fakerelay.contract.drafts import Account

    appid, colon, certificate_id = text.partition(":")
    if not colon or not appid.isdecimal() or not certificate_id or ":" in certificate_id:
        raise ConfigError(
            f"Can't use {option} {text!r}: write APPID:CERTID; the key isn't part of it"
        )
    return Account(int(appid), certificate_id, key(certificate_id) if callable(key) else key)


@contextmanager
def _own_accounts(
    profile: Any, callback_url: str | None
) -> "Iterator[tuple[str, dict[int, Account]]]":
    """A fake of its own, with the app to judge with and one of another account."""
    from fakerelay.contract.drafts import Account
    from fakerelay.relay import FakeRelay

    settings = {name: value for name, value in profile.items() if name not in ("name", "version")}
    rooms = {room: ["u1"] for room in _OWN_ROOMS}
    with FakeRelay(callback_url=callback_url, settings=settings) as relay:
        key = os.urandom(8).hex()
        relay.control("put_app", appid=relay.appid, live_rooms=rooms)
        relay.control("put_app", appid=2, account="other", live_rooms=rooms)
        made = relay.control(
            "create_certificate", appid=2, certificate_id="other", certificate_key=key
        )
        own = Account(relay.appid, relay.certificate_id, relay.certificate_key)
        yield relay.http_url, {0: own, 1: Account(2, made["id"], key)}
