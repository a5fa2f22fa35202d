"""Programs written for the vendor's host name run against fakerelay, given our trust files only."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.clients.programs import need

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
HOST = "api.jocloud.com"
Settings = dict[str, str]


class Client(NamedTuple):
    """A program; the environment that tells it whom to trust, and where the host name leads."""

    command: list[str]
    trust: Callable[[dict[str, Any]], Settings]
    names: Callable[[Path, int], Settings]


def curl_names(folder: Path, port: int) -> Settings:
    (folder / ".curlrc").write_text(f"resolve = {HOST}:{port}:127.0.0.1\n")
    return {"CURL_HOME": str(folder)}


def java_names(folder: Path, port: int) -> Settings:
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 {HOST}\n")
    return {"JDK_JAVA_OPTIONS": f"-Djdk.net.hosts.file={hosts}"}


def java_trust(ready: dict[str, Any]) -> Settings:
    store = "-Djavax.net.ssl.trustStore"
    return {"JAVA_TOOL_OPTIONS": f"{store}={ready['truststore']} {store}Password=changeit"}


CLIENTS = {
    "curl": Client(
        ["sh", "curl_client.sh"], lambda ready: {"CURL_CA_BUNDLE": ready["ca_file"]}, curl_names
    ),
    "requests": Client(
        [sys.executable, "requests_client.py"],
        lambda ready: {"REQUESTS_CA_BUNDLE": ready["ca_bundle"]},
        lambda folder, port: {"PYTHONPATH": str(HERE / "names")},
    ),
    "node": Client(
        ["node", "fetch_client.mjs"],
        lambda ready: {"NODE_EXTRA_CA_CERTS": ready["ca_file"]},
        lambda folder, port: {"NODE_OPTIONS": f'--require "{HERE / "names" / "lookup.cjs"}"'},
    ),
    "java": Client(["java", "Client.java"], java_trust, java_names),
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    name: str = request.param
    # A java without javac beside it can't run a source file.
    needed = {"curl": ["curl"], "node": ["node"], "java": ["java", "javac"]}.get(name, [])
    need(*needed)
    return CLIENTS[name]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the ready file of a running `fakerelay serve` says."""
    folder = tmp_path_factory.mktemp("serve")
    file = folder / "ready.json"
    options = f"--port 0 --control-port 0 --app 1234:cid:ckey --ready-file {file}"
    command = [sys.executable, "-m", "fakerelay", "serve", *options.split()]
    with subprocess.Popen([*command, "--ca-dir", str(folder / "ca")]) as server:
        try:
            wait_for(file, server)
            yield json.loads(file.read_text())
        finally:
            server.terminate()


def wait_for(file: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(1000):
        if file.exists():
            return
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"The server ended early, with {server.wait(0.02)}")
    pytest.fail("The server isn't ready after 20 seconds")


def run(
    client: Client, ready: dict[str, Any], folder: Path, settings: Settings
) -> subprocess.CompletedProcess[str]:
    port = urlsplit(ready["url"]).port
    assert port
    environment = {
        "PATH": os.environ["PATH"],
        "TEST_HOST": HOST,
        "RELAY_URL": f"https://{HOST}:{port}",
        "RELAY_APPID": "1234",
        "RELAY_TOKEN": "Basic " + base64.b64encode(b"cid:ckey").decode(),
    }
    return subprocess.run(
        client.command,
        cwd=HERE,
        env=environment | client.names(folder, port) | settings,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_client_starts_updates_conflicts_and_stops(
    client: Client, ready: dict[str, Any], tmp_path: Path
) -> None:
    check(run(client, ready, tmp_path, client.trust(ready)))


def test_client_knows_the_vendor_by_a_url_alone_where_exec_runs_it(
    client: Client, tmp_path: Path
) -> None:
    hand_on = (
        "export RELAY_URL=$FAKERELAY_URL RELAY_APPID=$FAKERELAY_APPID RELAY_TOKEN=$FAKERELAY_TOKEN"
    )
    command = [sys.executable, "-m", "fakerelay", "exec", "--ca-dir", str(tmp_path / "ca"), "--"]
    command += ["sh", "-c", f'{hand_on}; exec "$@"', "sh", *client.command]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent.parent)}
    ran = subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=60
    )
    check(ran)


def check(ran: subprocess.CompletedProcess[str]) -> None:
    assert ran.returncode == 0, ran.stderr
    steps = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(step["step"], step["status"], step["reply"]["code"]) for step in steps] == [
        ("start", 200, 0),
        ("update", 200, 0),
        ("conflict", 200, 40901),
        ("stop", 200, 0),
    ]
    assert all(step["reply"]["traceId"].endswith(f"-{step['step']}") for step in steps)


def test_client_refuses_us_without_our_trust_files(
    client: Client, ready: dict[str, Any], tmp_path: Path
) -> None:
    ran = run(client, ready, tmp_path, {})
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert "certificat" in ran.stderr.lower()
