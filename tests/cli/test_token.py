"""The token header, and where its key may come from."""

from base64 import b64decode
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKERELAY_CERTIFICATE_KEY", raising=False)
    monkeypatch.delenv("FAKERELAY_CERTIFICATE_KEY_FILE", raising=False)


def token(*args: str, piped: str = "") -> Result:
    return CliRunner().invoke(cli, ["token", *args], input=piped)


def credentials(result: Result) -> str:
    scheme, value = result.stdout.split()
    assert scheme == "Basic"
    return b64decode(value).decode()


def test_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_CERTIFICATE_KEY", "k\u00e9y:x")
    assert credentials(token("cert")) == "cert:k\u00e9y:x"


def test_key_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("k ey\n")
    monkeypatch.setenv("FAKERELAY_CERTIFICATE_KEY_FILE", str(path))
    assert credentials(token("cert")) == "cert:k ey"


def test_key_comes_through_a_pipe() -> None:
    result = token("cert", piped="key\r\n")
    assert credentials(result) == "cert:key"
    assert result.stderr == ""


def test_no_key_says_where_it_may_come_from() -> None:
    result = token("cert")
    assert result.exit_code == 2
    assert "FAKERELAY_CERTIFICATE_KEY_FILE" in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"], ids=["none", "0", "nl", "bytes"])
def test_file_without_a_key_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("FAKERELAY_CERTIFICATE_KEY_FILE", str(path))
    result = token("cert")
    assert result.exit_code == 2
    assert str(path) in result.stderr


@pytest.mark.parametrize("certificate_id", ["", "a:b"])
def test_certificate_id_has_no_colon(certificate_id: str) -> None:
    result = token(certificate_id, piped="key")
    assert result.exit_code == 2
    assert repr(certificate_id) in result.stderr


def test_key_is_never_an_argument() -> None:
    result = token("cert", "key")
    assert result.exit_code == 2
    assert result.stdout == ""
