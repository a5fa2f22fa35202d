"""A relay around a command: what the command is given, how both end, and what is left of them."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from fakerelay.cli import cli
from fakerelay.cli.child import NotFound, run_command
from fakerelay.environment import VARIABLES

from .conftest import start

SECONDS = 60
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
Exec = Callable[..., subprocess.CompletedProcess[str]]

# Knows nothing of fakerelay but what is in its environment.
CLIENT = """
import json, os, urllib.request
url = f"{os.environ['FAKERELAY_URL']}/app/{os.environ['FAKERELAY_APPID']}"
body = {"appid": int(os.environ["FAKERELAY_APPID"]), "roomid": "room1", "streamtype": 2,
        "uid": "anna", "rtmpurl": "rtmp://cdn.example.com/live/anna"}
headers = {"token": os.environ["FAKERELAY_TOKEN"], "Content-Type": "application/json"}
call = urllib.request.Request(
    f"{url}/v2/rtmpforward/startrtmp?traceId=t", json.dumps(body).encode(), headers)
print(urllib.request.urlopen(call, timeout=30).read().decode())
"""
TELL = "import json, os; print(json.dumps(dict(os.environ)))"
# Says who started it and where the relay is, then each signal; SIGTERM ends it.
LISTENER = """
import os, signal, sys
def take(number, frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(7)
for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), take)
print(os.getppid(), os.environ["FAKERELAY_HTTP_URL"], flush=True)
while True:
    signal.pause()
"""


def compose(ca_dir: Path, *words: str) -> list[str]:
    """Options, and behind `--` Python's own arguments."""
    where = words.index("--") if "--" in words else len(words)
    options, arguments = words[:where], words[where + 1 :]
    command = [sys.executable, "-m", "fakerelay", "exec", "--ca-dir", str(ca_dir), *options]
    return [*command, "--", sys.executable, *arguments]


@pytest.fixture(autouse=True)
def _no_trust_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BUNDLES, "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_exec(ca_dir: Path) -> Exec:
    def run(*words: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        command = compose(ca_dir, *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, **settings)

    return run


@contextmanager
def listening(ca_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One whose command waits for signals, and where its relay is."""
    with start(compose(ca_dir, "--", "-c", LISTENER), start_new_session=True) as process:
        assert process.stdout is not None
        parent, url = process.stdout.readline().split()
        assert int(parent) == process.pid
        yield process, url


def is_open(url: str) -> bool:
    where = urlsplit(url)
    assert where.port
    try:
        socket.create_connection((where.hostname, where.port), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


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


# How it ends.


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 15)", 143),
    ],
    ids=["well", "failed", "killed", "terminated"],
)
def test_exit_code_is_the_commands(run_exec: Exec, code: str, expected: int) -> None:
    ran = run_exec("--", "-c", code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (expected, "", "")


def _no_such(folder: Path) -> str:
    return str(folder / "nosuch")


def _not_executable(folder: Path) -> str:
    (folder / "script").write_text("exit 0\n")
    return str(folder / "script")


def _no_program(folder: Path) -> str:
    path = folder / "program"
    path.write_bytes(b"\x00\x01\x02")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


NOT_RUN: dict[str, tuple[Callable[[Path], str], int]] = {
    "no such path": (_no_such, 127),
    "no such name": (lambda folder: "no-such-program", 127),
    "not executable": (_not_executable, 126),
    "no program": (_no_program, 126),
    "a folder": (str, 126),
}


@pytest.mark.parametrize(("make", "expected"), NOT_RUN.values(), ids=NOT_RUN.keys())
def test_command_that_cannot_be_run_is_told_in_one_line(
    ca_dir: Path, tmp_path: Path, make: Callable[[Path], str], expected: int
) -> None:
    program = make(tmp_path)
    command = [*compose(ca_dir)[:-2], "--", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert (ran.returncode, ran.stdout) == (expected, "")
    verb = "find" if expected == 127 else "run"
    assert ran.stderr.startswith(f"fakerelay: Can't {verb} {program!r}")
    assert ran.stderr.count("\n") == 1


UNLIKELY: dict[str, tuple[list[str], str]] = {
    "empty": ([""], "Can't find '': a command's first word is its program"),
    "in one word": (
        ["sh -c true", "a b"],
        "apart, as sh -c true 'a b', or have a shell read them: sh -c 'sh",
    ),
    "of a shell": (["cd", "/a b"], "only a shell has that: sh -c"),
    "one word of nothing": (["no-such thing"], "give a program on PATH"),
}


@pytest.mark.parametrize(("words", "told"), UNLIKELY.values(), ids=UNLIKELY.keys())
def test_command_that_is_not_there_is_told_the_way_out(words: list[str], told: str) -> None:
    with pytest.raises(NotFound) as raised:
        asyncio.run(run_command(words, {"PATH": os.environ["PATH"]}))
    assert told in raised.value.message


MISUSED: dict[str, tuple[list[str], str]] = {
    "no command": ([], "Missing argument 'COMMAND...'"),
    "a port": (["--port", "0", "true"], "No --port here: exec chooses free ports by itself"),
    "a token": (["--control-token=s", "true"], "No --control-token here: what exec starts is for"),
    "a ready file": (["--ready-file=x", "true"], "No --ready-file here: exec tells its command"),
    "a log": (["--log-format", "json", "true"], "logs nothing"),
    "unknown": (["--sed", "1", "true"], "No such option '--sed'"),
    "profile": (["--profile", "defalt", "true"], "did you mean 'default'"),
}


@pytest.mark.parametrize(("words", "told"), MISUSED.values(), ids=MISUSED.keys())
def test_what_it_cannot_do_is_told_in_a_line_of_its_own(words: list[str], told: str) -> None:
    result = CliRunner().invoke(cli, ["exec", "--no-tls", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("fakerelay: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_interrupted_start_ends_quietly(ca_dir: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "settings.toml"
    os.mkfifo(pipe)
    command = compose(ca_dir, "--config", str(pipe), "--", "-c", "print('ran')")
    with start(command) as process, pipe.open("w"):  # which waits until it reads
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (130, "", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT", "SIGHUP"])
def test_signals_are_passed_on_and_the_command_waited_for(ca_dir: Path, name: str) -> None:
    with listening(ca_dir) as (process, url):
        assert process.stdout is not None
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"
        assert is_open(url)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (7, "SIGTERM\n", "")
    assert not is_open(url)


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="elsewhere a command runs on when its parent is killed",
)
def test_command_is_ended_where_we_are_killed(ca_dir: Path) -> None:
    with listening(ca_dir) as (process, url):
        process.kill()
        stdout, stderr = process.communicate(timeout=SECONDS)  # until nobody has the pipes open
    assert (process.returncode, stdout, stderr) == (-9, "SIGTERM\n", "")
    assert not is_open(url)


def test_keys_of_a_terminal_reach_the_command_once(ca_dir: Path) -> None:
    terminal = "import pty, sys; pty.spawn(sys.argv[1:])"
    command = [sys.executable, "-c", terminal, *compose(ca_dir, "--", "-c", LISTENER)]
    with start(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        us = int(process.stdout.readline().split()[0])
        process.stdin.write("\x03")
        process.stdin.flush()
        first = process.stdout.readline()
        os.kill(us, signal.SIGTERM)
        rest = process.stdout.read()
    assert "SIGINT" in first
    assert rest.split() == ["SIGTERM"]


# What is left.


def test_nothing_is_left_of_it(run_exec: Exec, tmp_path: Path) -> None:
    ran = run_exec("--", "-c", TELL, env=os.environ | {"TMPDIR": str(tmp_path)})
    told = json.loads(ran.stdout)
    assert list(tmp_path.iterdir()) == []
    for name in ("FAKERELAY_URL", "FAKERELAY_HTTP_URL", "FAKERELAY_CONTROL_URL"):
        assert not is_open(told[name])


def test_roots_of_the_users_stay_trusted(run_exec: Exec, tmp_path: Path) -> None:
    roots = tmp_path / "own.pem"
    roots.write_text("# mine\n")
    code = f"{CLIENT}print(open(os.environ['SSL_CERT_FILE']).readline())"
    ran = run_exec("--", "-c", code, env=os.environ | {"SSL_CERT_FILE": str(roots)})
    reply, first, *_ = ran.stdout.splitlines()
    assert (json.loads(reply)["code"], first) == (0, "# mine")


@contextmanager
def receiving(status: int | None) -> Iterator[tuple[str, list[bytes]]]:
    """One that answers posts with a status, or none before it ends; where, and what it got."""
    took: list[bytes] = []
    is_over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            took.append(self.rfile.read(int(self.headers["Content-Length"])))
            if status is None:
                is_over.wait(SECONDS)
            self.send_response(status or 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", took
        finally:
            is_over.set()
            server.shutdown()
            thread.join()


def test_callback_under_way_when_the_command_ends_arrives(run_exec: Exec) -> None:
    delay = ("--set", "callback.delay_seconds=0.3")  # surely longer than the command goes on
    with receiving(200) as (url, took):
        ran = run_exec("--callback-url", url, *delay, "--", "-c", CLIENT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [json.loads(body)["context"]["status"] for body in took] == [0]


REFUSED = {
    "error": (500, "anna, 1 attempt: HTTP 500"),
    "silence": (None, "the first attempt under way"),
}


@pytest.mark.parametrize(("status", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_callback_that_was_not_taken_is_told_with_its_reason(
    run_exec: Exec, status: int | None, told: str
) -> None:
    with receiving(status) as (url, took):
        options = ("--callback-url", url, "--set", "callback.retry_delays_seconds=[60]")
        ran = run_exec(*options, "--", "-c", CLIENT)
    assert len(took) == 1
    assert ran.stderr.startswith(f"fakerelay: Not delivered to {url}: status 0 of ")
    assert ran.stderr.endswith(f"{told})\n")


def test_callbacks_that_nobody_took_are_told_in_one_line(run_exec: Exec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/callbacks"
    two = CLIENT + CLIENT.replace("/live/anna", "/live/other")
    options = ("--callback-url", url, "--set", "callback.retry_delays_seconds=[60]")
    ran = run_exec(*options, "--", "-c", two)
    assert ran.returncode == 0
    assert ran.stderr.startswith(f"fakerelay: Not delivered to {url}: status ")
    assert "1 attempt: No connection to 127.0.0.1:" in ran.stderr
    assert ran.stderr.endswith(": Connection refused), and 2 more\n")
    assert ran.stderr.count("\n") == 1


def test_callback_url_that_policy_forbids_is_warned_of(run_exec: Exec) -> None:
    ran = run_exec("--callback-url", "http://8.8.8.8/", "--no-tls", "--", "-c", "pass")
    assert ran.stderr.startswith("fakerelay: Warning: No callback will reach http://8.8.8.8/")
    assert ran.stderr.count("\n") == 1
