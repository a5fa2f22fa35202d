"""A command with a relay of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakerelay.environment import VARIABLES
from tests.cli.exec.commands import CLIENT, SECONDS, TELL, Exec, compose

# What the command is given.


def test_command_is_told_all_of_its_relay(run_exec: Exec, ca_dir: Path) -> None:
    ran = run_exec("--app", "7:cert:K3Y", "--", "-c", TELL)
    told = json.loads(ran.stdout)
    assert {name for name in told if name.startswith("FAKERELAY_")} == set(VARIABLES)
    assert told["FAKERELAY_URL"].startswith("https://127.0.0.1:")
    assert told["FAKERELAY_HTTP_URL"].startswith("http://127.0.0.1:")
    assert told["FAKERELAY_CONTROL_URL"].startswith("http://127.0.0.1:")
    assert [told[f"FAKERELAY_{name}"] for name in ("APPID", "CERTIFICATE_ID")] == ["7", "cert"]
    assert told["FAKERELAY_CERTIFICATE_KEY"] == "K3Y"
    assert told["FAKERELAY_TOKEN"] == "Basic Y2VydDpLM1k="
    assert told["FAKERELAY_CA_FILE"] == told["NODE_EXTRA_CA_CERTS"] == str(ca_dir / "ca.pem")
    assert told["FAKERELAY_CA_BUNDLE"] == told["SSL_CERT_FILE"] == str(ca_dir / "ca-bundle.pem")
    assert told["FAKERELAY_TRUSTSTORE"] in told["JAVA_TOOL_OPTIONS"]


def test_without_tls_there_is_nothing_to_trust_nor_of_a_relay_around(run_exec: Exec) -> None:
    around = {"FAKERELAY_CA_FILE": "/of/another", "FAKERELAY_URL": "https://another"}
    ran = run_exec("--no-tls", "--", "-c", TELL, env=os.environ | around)
    told = json.loads(ran.stdout)
    assert told["FAKERELAY_URL"] == told["FAKERELAY_HTTP_URL"]
    assert "FAKERELAY_CA_FILE" not in told
    assert "SSL_CERT_FILE" not in told


def test_command_trusts_the_relay_without_more_ado(run_exec: Exec) -> None:
    ran = run_exec("--", "-c", CLIENT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == {"code": 0, "message": "success", "traceId": "t"}


def test_no_trust_leaves_the_command_as_it_was(run_exec: Exec) -> None:
    ran = run_exec("--no-trust", "--", "-c", CLIENT)
    assert ran.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in ran.stderr


def test_options_of_serve_hold_for_it(run_exec: Exec) -> None:
    options = ("--set", "errors.token_malformed.code=4711", "--no-tls")
    ran = run_exec(*options, "--", "-c", CLIENT.replace('["FAKERELAY_TOKEN"]', '["PATH"]'))
    assert json.loads(ran.stdout)["code"] == 4711


def test_options_come_from_the_environment_too(run_exec: Exec) -> None:
    ran = run_exec("--", "-c", TELL, env=os.environ | {"FAKERELAY_EXEC_APP": "9:c:k"})
    assert json.loads(ran.stdout)["FAKERELAY_APPID"] == "9"


def test_where_a_file_has_it_listen_is_not_heeded(run_exec: Exec, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "fakerelay.toml"
        path.write_text(f'port = {port}\ncontrol_host = "0.0.0.0"\ncontrol_port = {port}\n')
        ran = run_exec("--config", str(path), "--", "-c", TELL)
    assert urlsplit(json.loads(ran.stdout)["FAKERELAY_URL"]).port not in (port, None)


def test_token_of_a_file_is_not_asked_for_and_that_is_told(run_exec: Exec, tmp_path: Path) -> None:
    path = tmp_path / "fakerelay.toml"
    path.write_text('control_token = "S3CRET"\nready_file = "r"\nlog_format = "json"\n')
    ask = (
        "import os, urllib.request;"
        "urllib.request.urlopen(os.environ['FAKERELAY_CONTROL_URL'] + '/_fakerelay/v1/worlds')"
    )
    ran = run_exec("--config", str(path), "--", "-c", ask)
    assert ran.returncode == 0
    assert ran.stderr.startswith("fakerelay: Warning: the configuration's control_token is not")
    assert "S3CRET" not in ran.stderr


def test_no_proxy_is_asked_for_the_relay(run_exec: Exec) -> None:
    proxy = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    ran = run_exec("--", "-c", CLIENT, env=os.environ | proxy)
    assert json.loads(ran.stdout)["code"] == 0
    ran = run_exec("--tls-name", "*.test", "--", "-c", TELL, env=os.environ | {"no_proxy": "corp"})
    told = json.loads(ran.stdout)
    assert told["NO_PROXY"] == told["no_proxy"] == "corp,127.0.0.1,localhost,.test"


def test_stdin_and_stdout_are_its_own(run_exec: Exec) -> None:
    copy = "import sys; sys.stdout.write(sys.stdin.read()); sys.stderr.write('!')"
    ran = run_exec("--", "-c", copy, input="line\n" * 3)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "line\n" * 3, "!")


def test_words_of_the_command_are_not_options(run_exec: Exec) -> None:
    show = "import sys; print(sys.argv[1:])"
    words = ["--port", "--", "-x", "a b", ""]
    assert run_exec("--", "-c", show, *words).stdout == f"{words}\n"


def test_dashes_may_be_left_out(ca_dir: Path) -> None:
    command = [word for word in compose(ca_dir, "--", "-c", "print(1)") if word != "--"]
    assert subprocess.run(command, capture_output=True, timeout=SECONDS).stdout == b"1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has open files in /proc")
def test_command_has_no_file_or_socket_of_ours(run_exec: Exec) -> None:
    show = "import os; print(*sorted(os.listdir('/proc/self/fd')))"
    assert run_exec("--", "-c", show).stdout == "0 1 2 3\n"  # 3 is the listing itself


def test_signals_that_are_ignored_stay_so(run_exec: Exec) -> None:
    show = "import signal; print(signal.getsignal(signal.SIGHUP).name)"

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    assert run_exec("--", "-c", show, preexec_fn=ignore).stdout == "SIG_IGN\n"
    assert run_exec("--", "-c", show).stdout == "SIG_DFL\n"


def test_roots_of_the_users_stay_trusted(run_exec: Exec, tmp_path: Path) -> None:
    roots = tmp_path / "own.pem"
    roots.write_text("# mine\n")
    code = f"{CLIENT}print(open(os.environ['SSL_CERT_FILE']).readline())"
    ran = run_exec("--", "-c", code, env=os.environ | {"SSL_CERT_FILE": str(roots)})
    reply, first, *_ = ran.stdout.splitlines()
    assert (json.loads(reply)["code"], first) == (0, "# mine")
