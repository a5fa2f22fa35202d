"""What cannot be served is told, and nothing is left half started."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli

# What keeps it from beginning.


def serve(*options: str) -> Result:
    return CliRunner().invoke(cli, ["serve", "--port", "0", "--control-port", "0", *options])


def _bad_config(folder: Path) -> list[str]:
    path = folder / "bad.toml"
    path.write_text("prot = 1")
    return ["--config", str(path)]


def _file_for_a_folder(folder: Path) -> list[str]:
    path = folder / "file"
    path.touch()
    return ["--ca-dir", str(path)]


def _not_a_snapshot(folder: Path) -> list[str]:
    (folder / "world.json").write_text("{}")
    return ["--snapshot", str(folder / "world.json")]


def _bad_snapshot(folder: Path) -> list[str]:
    (folder / "world.json").write_text('{"format": ')
    return ["--snapshot", str(folder / "world.json")]


REFUSALS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "bad configuration": (_bad_config, "did you mean 'port'"),
    "no configuration": (lambda folder: ["--config", str(folder / "no.toml")], "no.toml"),
    "CA folder that is a file": (_file_for_a_folder, "--ca-dir"),
    "unwritable ready file": (
        lambda folder: ["--no-tls", "--ready-file", str(folder / "no" / "ready")],
        "--ready-file",
    ),
    "ready file that is a folder": (
        lambda folder: ["--no-tls", "--ready-file", str(folder)],
        "--ready-file",
    ),
    "bad app": (lambda folder: ["--app", "seven:c:k"], "APPID:CERTID:CERTKEY"),
    "app twice": (lambda folder: ["--app", "7:c:k", "--app", "7:c:k"], "App 7"),
    "two keys": (lambda folder: ["--app", "7:c:k", "--app", "8:c:l"], "different keys"),
    "unknown profile": (lambda folder: ["--profile", "defalt"], "did you mean 'default'"),
    "bad setting": (lambda folder: ["--set", "concurrent_push=1"], "concurrent_pushes"),
    "no setting": (lambda folder: ["--set", "concurrent_pushes"], "KEY=VALUE"),
    "bad callback URL": (lambda folder: ["--callback-url", "ftp://x/"], "ftp"),
    "no snapshot": (lambda folder: ["--snapshot", str(folder / "no.json")], "no.json"),
    "snapshot that is none": (_not_a_snapshot, "/format"),
    "snapshot that is no JSON": (_bad_snapshot, "not JSON"),
    "no certificate": (lambda folder: ["--tls-cert", str(folder / "no.pem")], "--tls-cert"),
}


@pytest.mark.parametrize(("options", "hint"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_served_is_told_in_one_line(
    tmp_path: Path, options: Callable[[Path], list[str]], hint: str
) -> None:
    result = serve(*options(tmp_path))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr


@pytest.mark.parametrize("option", ["port", "http-port", "control-port"])
def test_taken_port_leaves_nothing_half_started(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        others = {name: free.getsockname()[1] for name in ("port",) if name != option}
        free.close()
        options = ["--no-tls", "--ready-file", str(tmp_path / "ready")]
        for name, port in {**others, option: taken.getsockname()[1]}.items():
            options += [f"--{name}", str(port)]
        result = serve(*options)
        for port in others.values():
            socket.create_server(("127.0.0.1", port)).close()
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert f"--{option}" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["nosuch.invalid", "203.0.113.9"], ids=["unknown", "elsewhere"])
@pytest.mark.parametrize(
    ("option", "others"),
    [("host", []), ("control-host", ["--control-token", "t", "--allow-host", "x"])],
    ids=["host", "control-host"],
)
def test_host_that_is_not_ours_is_blamed_not_its_port(
    ca_dir: Path, host: str, option: str, others: list[str]
) -> None:
    result = serve("--ca-dir", str(ca_dir), f"--{option}", host, *others)
    assert result.exit_code == 2
    assert f"Can't listen on {host}:0: " in result.stderr
    assert f"(choose another --{option})" in result.stderr


@pytest.mark.parametrize(("option", "rival"), [("http-port", "port"), ("control-port", "port")])
def test_ports_of_our_own_that_collide_are_told(option: str, rival: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    result = serve("--no-tls", f"--{rival}", port, f"--{option}", port)
    assert result.exit_code == 2
    assert f"--{rival} is {port} too: choose another for one of them" in result.stderr


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_certificate_without_tls_is_refused(tmp_path: Path, option: str) -> None:
    result = serve("--no-tls", option, str(tmp_path / "own.pem"))
    assert result.exit_code == 2
    assert "of no use with --no-tls" in result.stderr


def test_usage_error_is_clicks_own() -> None:
    result = serve("--port", "high")
    assert result.exit_code == 2
    assert "Invalid value for '--port'" in result.stderr
