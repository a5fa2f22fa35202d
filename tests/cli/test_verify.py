"""The contract kit from the command line."""

import socket

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli
from fakerelay.relay import FakeRelay


def verify(*args: str, key: str = "") -> Result:
    variables = {"FAKERELAY_CERTIFICATE_KEY": key, "FAKERELAY_OTHER_CERTIFICATE_KEY": None}
    return CliRunner().invoke(cli, ["verify", *args], env=variables)


@pytest.mark.parametrize("level", ["documented", "assumed"])
def test_fake_of_its_own_agrees(level: str) -> None:
    result = verify("--level", level, "--max-calls", "1450")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("AGREES: ")


def test_fake_of_its_own_is_of_the_profile() -> None:
    result = verify("--profile", "rest", "--set", "concurrent_pushes=7", "--level", "assumed")
    assert result.exit_code == 0, result.output


def test_server_that_breaks_a_rule_is_told_of_with_a_script() -> None:
    with FakeRelay(quota=6, callback_url=None) as relay:
        app = f"{relay.appid}:{relay.certificate_id}"
        args = ("--target", relay.http_url, "--app", app, "--max-calls", "700")
        result = verify(*args, key=relay.certificate_key)
        assert result.exit_code == 1
        assert result.stdout.startswith("BROKEN: ")
        assert "concurrent-pushes (D): By default an app may push five streams" in result.stdout
        assert result.stdout.count("\n  6. start") == 1
        assert relay.certificate_key not in result.stdout
        again = verify(*args, "--set", "concurrent_pushes=6", key=relay.certificate_key)
        assert again.exit_code == 0


def test_nobody_there_is_inconclusive() -> None:
    args = ("--target", "http://127.0.0.1:1", "--app", "1:a", "--max-calls", "20")
    result = verify(*args, key="k")
    assert result.exit_code == 3
    assert result.stdout.startswith("INCONCLUSIVE: ")
    assert "Gave up: 12 calls in a row were not answered" in result.stdout
    assert "nobody listens at 127.0.0.1:1" in result.stdout


WRONG = {
    "not of this machine": (
        ("--target", "https://api.jocloud.com", "--app", "1:a"),
        "what a real one bills",
    ),
    "no app": (("--target", "http://127.0.0.1:1"), "--target needs --app APPID:CERTID"),
    "no certificate": (("--target", "http://127.0.0.1:1", "--app", "5"), "write APPID:CERTID"),
    "no profile": (("--profile", "rset"), "did you mean 'rest'"),
    "no setting": (("--set", "quota=1"), "quota"),
    "no port": (("--callback-listen", "9000", "--level", "assumed"), "write HOST:PORT"),
    "no such port": (("--callback-listen", "a:99999", "--level", "assumed"), "write HOST:PORT"),
    "no place to listen": (
        ("--callback-listen", "192.0.2.1:0", "--level", "assumed"),
        "choose an address of this machine",
    ),
    "no key of the other": (
        ("--target", "http://127.0.0.1:1", "--app", "1:a", "--other-app", "2:b"),
        "FAKERELAY_OTHER_CERTIFICATE_KEY",
    ),
}


@pytest.mark.parametrize(("args", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_verified_is_said(args: tuple[str, ...], told: str) -> None:
    result = verify(*args, key="k")
    assert result.exit_code == 2
    assert told in result.stderr


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("path", "word"), [("told", "AGREES: 2 agree"), (None, "BROKEN: 2 broken")]
)
def test_server_elsewhere_posts_what_it_tells_to_the_kit(path: str | None, word: str) -> None:
    listen = f"127.0.0.1:{find_port()}"
    url = None if path is None else f"http://{listen}/{path}"
    settings = {"callback.retry_delays_seconds": [0.05], "callback.timeout_seconds": 1}
    with FakeRelay(callback_url=url, settings=settings) as relay:
        args = ["--target", relay.http_url, "--app", f"{relay.appid}:{relay.certificate_id}"]
        args += ["--level", "assumed", "--rules", "callback-start,callback-stop"]
        args += [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        result = verify(*args, "--callback-listen", listen, key=relay.certificate_key)
    assert result.stdout.startswith(word)
    assert result.exit_code == (1 if path is None else 0)


def test_without_a_route_callbacks_are_skipped() -> None:
    with FakeRelay(callback_url=None) as relay:
        args = ("--target", relay.http_url, "--app", f"{relay.appid}:{relay.certificate_id}")
        rules = ("--rules", "callback-start,start-path", "--level", "assumed")
        result = verify(*args, *rules, key=relay.certificate_key)
    assert result.exit_code == 0
    assert "1 agree, 1 skipped" in result.stdout
