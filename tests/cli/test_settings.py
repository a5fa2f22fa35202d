"""Which of option, environment and file wins, and what `--app` may say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from fakerelay.cli import cli
from fakerelay.cli.serve import serve
from fakerelay.cli.settings import load_config, parse_app
from fakerelay.config import DEMO_APP, Config
from fakerelay.errors import ConfigError


def load(*args: str) -> Config:
    """The configuration that `fakerelay serve ARGS` would run with."""
    parent = cli.make_context("fakerelay", ["serve", *args])
    return load_config(serve.make_context("serve", list(args), parent=parent).params)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "relay.toml"
    path.write_text(
        """
        port = 1001
        no_tls = true
        explain = false
        tls_name = ["file.test"]
        set = { concurrent_pushes = 1, release_seconds = 3 }
        [[app]]
        appid = 1
        callback_url = "http://127.0.0.1:1/"
        [[app]]
        appid = 2
        """
    )
    return path


def test_nothing_given_is_the_default() -> None:
    assert load() == Config()


def test_file_wins_over_the_default(file: Path) -> None:
    config = load("--config", str(file))
    assert (config.port, config.no_tls, config.explain) == (1001, True, False)


def test_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_CONFIG", str(file))
    monkeypatch.setenv("FAKERELAY_SERVE_PORT", "1002")
    monkeypatch.setenv("FAKERELAY_SERVE_NO_TLS", "0")
    monkeypatch.setenv("FAKERELAY_SERVE_TLS_NAME", "one.test two.test")
    config = load()
    assert (config.port, config.no_tls) == (1002, False)
    assert config.tls_name == ("one.test", "two.test")


def test_option_wins_over_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_PORT", "1002")
    config = load("--config", str(file), "--port", "1003", "--tls", "--explain")
    assert (config.port, config.no_tls, config.explain) == (1003, False, True)


@pytest.mark.parametrize(
    ("name", "value", "no_tls", "explain"),
    [
        ("NO_TLS", "1", True, True),
        ("TLS", "0", True, True),
        ("TLS", "true", False, True),
        ("TLS", "", False, True),
        ("EXPLAIN", "no", False, False),
        ("NO_EXPLAIN", "1", False, False),
    ],
)
def test_flag_is_set_by_either_of_its_names(
    name: str, value: str, no_tls: bool, explain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FAKERELAY_SERVE_{name}", value)
    config = load()
    assert (config.no_tls, config.explain) == (no_tls, explain)


def test_clock_is_set_by_options_or_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "frozen.toml"
    path.write_text('clock = "frozen"\nnow = 1000\nseed = 7\n')
    config = load("--config", str(path), "--now", "2000.5")
    assert (config.clock, config.now, config.seed) == ("frozen", 2000.5, 7)


def test_flag_in_no_known_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_TLS", "perhaps")
    with pytest.raises(click.BadParameter, match="perhaps"):
        load()


def test_option_wins_over_the_other_name_of_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_TLS", "0")
    assert not load("--tls").no_tls


def test_shipped_profiles_complete() -> None:
    (profile,) = (each for each in serve.params if each.name == "profile")
    offered = profile.shell_complete(click.Context(serve), "de")
    assert "default" in [each.value for each in offered]


def test_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_PORT", "")
    monkeypatch.setenv("FAKERELAY_SERVE_APP", "")
    assert load() == Config()


@pytest.mark.parametrize(
    "name",
    [
        "FAKERELAY_HELP",
        "FAKERELAY_VERSION",
        "FAKERELAY_PORT",
        "FAKERELAY_SERVICE_HOST",
        "FAKERELAY_SERVE_HELP",
        "FAKERELAY_SERVE_NONSENSE",
        "FAKERELAY_CERTIFICATE_KEY",
    ],
)
def test_variable_that_is_no_option_is_left_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:8481")
    assert load() == Config()


def test_set_adds_to_the_settings_of_the_file(file: Path) -> None:
    args = ["--set", "concurrent_pushes=7", "--set", "callback.product=3", "--set", "name=mine"]
    config = load("--config", str(file), *args)
    assert config.settings == {
        "concurrent_pushes": 7,
        "release_seconds": 3,
        "callback": {"product": 3},
        "name": "mine",
    }


def test_app_options_replace_the_apps_of_the_file(file: Path) -> None:
    config = load("--config", str(file), "--app", "3:c:k", "--app", "4:d:l")
    assert [app.appid for app in config.apps] == [3, 4]


def test_apps_come_from_the_environment_separated_by_spaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAKERELAY_SERVE_APP", "3:c:k 4:d:l")
    assert [app.appid for app in load().apps] == [3, 4]


def test_callback_url_is_that_of_every_app(file: Path) -> None:
    config = load("--config", str(file), "--callback-url", "http://127.0.0.1:2/")
    assert [app.callback_url for app in config.apps] == ["http://127.0.0.1:2/"] * 2


def test_callback_url_alone_is_the_demo_apps() -> None:
    (app,) = load("--callback-url", "http://127.0.0.1:2/").apps
    assert (app.appid, app.certificate_key) == (DEMO_APP.appid, DEMO_APP.certificate_key)
    assert app.callback_url == "http://127.0.0.1:2/"


def test_key_left_out_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_CERTIFICATE_KEY", "from-env")
    first, second = load("--app", "1:c", "--app", "2:d:own").apps
    assert (first.certificate_key, second.certificate_key) == ("from-env", "own")


APPS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "whole": ("1:c:k", {"appid": 1, "certificate_id": "c", "certificate_key": "k"}),
    "key with colons": ("1:c:k:l", {"appid": 1, "certificate_id": "c", "certificate_key": "k:l"}),
    "no key": ("1:c", {"appid": 1, "certificate_id": "c"}),
    "appid alone": ("18446744073709551615", {"appid": 2**64 - 1}),
}


@pytest.mark.parametrize(("text", "app"), APPS.values(), ids=APPS.keys())
def test_app_is_read(text: str, app: dict[str, Any]) -> None:
    assert parse_app(text) == app


@pytest.mark.parametrize(
    "text", ["", "x:c:k", "-1:c:k", "18446744073709551616:c:k", "1::k", "1:c:", "\u0663:c:k", "1:"]
)
def test_app_that_is_none_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ConfigError, match="APPID:CERTID:CERTKEY"):
        parse_app(text)


def test_refusal_of_an_app_does_not_show_its_key() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_app("x:cert:s3cret:more")
    assert "'x:cert:***'" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_magic_addresses_are_on_until_they_are_turned_off(tmp_path: Path) -> None:
    path = tmp_path / "relay.toml"
    path.write_text("magic_addresses = false")
    assert load().magic_addresses
    assert not load("--no-magic-addresses").magic_addresses
    assert not load("--config", str(path)).magic_addresses


@pytest.mark.parametrize(
    "options",
    [
        ("--clock", "frozen"),
        ("--now", "5"),
        ("--profile", "default"),
        ("--set", "concurrent_pushes=1"),
    ],
    ids=["clock", "now", "profile", "set"],
)
def test_what_a_snapshot_brings_is_no_option_beside_it(options: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match=f"Can't use {options[0]} together with --snapshot"):
        load("--snapshot", "world.json", *options)


def test_snapshot_wins_over_what_the_file_says_of_it(file: Path) -> None:
    assert load("--config", str(file), "--snapshot", "world.json").snapshot == Path("world.json")
