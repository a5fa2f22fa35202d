"""A relay that is served: ready, told of in its log, ended."""

import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from fakerelay.cli.ready import render_banner
from fakerelay.cli.settings import load_config
from fakerelay.cli.undelivered import find_hopeless, render_warnings
from fakerelay.client import make_token
from fakerelay.config import AppConfig, Config
from fakerelay.relay import FakeRelay
from fakerelay.server import Server
from tests.cli.conftest import Serving, serving
from tests.cli.test_serve_refusals import serve

APP = ("--app", "7:cert:K3Y")


def start_source(relay: Serving, uid: str, rtmpurl: str) -> dict[str, Any]:
    """Start a task by a client that knows no more than the ready file says."""
    (app,) = relay.ready["apps"]
    body = {"appid": app["appid"], "roomid": "r", "streamtype": 2, "uid": uid, "rtmpurl": rtmpurl}
    request = urllib.request.Request(
        f"{relay.ready['url']}/app/{app['appid']}/v2/rtmpforward/startrtmp?traceId={uid}",
        json.dumps(body).encode(),
        {
            "token": make_token(app["certificate_id"], app["certificate_key"]),
            "Content-Type": "application/json;charset=utf-8",
        },
    )
    trust = ssl.create_default_context(cafile=relay.ready["ca_file"])
    with urllib.request.urlopen(request, context=trust, timeout=30) as response:
        reply: dict[str, Any] = json.load(response)
        return reply


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_ends_it_well(ca_dir: Path, tmp_path: Path, number: int) -> None:
    with serving(ca_dir, tmp_path / "ready.json") as relay:
        code, _, stderr = relay.stop(number)
    assert (code, stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_ready_file_tells_all_that_a_client_needs(ca_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("of an earlier run")
    url = "http://127.0.0.1:9/"
    with serving(ca_dir, path, *APP, "--callback-url", url, "--http-port", "0") as relay:
        ready = relay.ready
        mode = stat.S_IMODE(path.stat().st_mode)
        pid = relay.process.pid
        with urllib.request.urlopen(f"{ready['control_url']}/_fakerelay/v1/health") as response:
            assert response.status == 200
    assert mode == 0o600
    assert ready.pop("url").startswith("https://127.0.0.1:")
    assert ready.pop("http_url").startswith("http://127.0.0.1:")
    assert ready.pop("control_url").startswith("http://127.0.0.1:")
    assert ready == {
        "ca_file": str(ca_dir / "ca.pem"),
        "ca_bundle": str(ca_dir / "ca-bundle.pem"),
        "truststore": str(ca_dir / "truststore.p12"),
        "pid": pid,
        "apps": [
            {
                "appid": 7,
                "certificate_id": "cert",
                "certificate_key": "K3Y",
                "callback_url": url,
            }
        ],
    }


def test_ready_file_has_null_for_what_there_is_not(ca_dir: Path, tmp_path: Path) -> None:
    options = ("--no-tls", "--ready-file-mode", "0644")
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        mode = stat.S_IMODE((tmp_path / "ready.json").stat().st_mode)
        ready = relay.ready
    assert mode == 0o644
    assert ready["url"] == ready["http_url"]
    assert [ready[name] for name in ("ca_file", "ca_bundle", "truststore")] == [None] * 3
    assert ready["apps"][0]["callback_url"] is None


def test_start_that_fails_leaves_the_ready_file_of_another(ca_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with serving(ca_dir, path, "--no-tls") as relay:
        taken = relay.ready["url"].rpartition(":")[2]
        assert serve("--no-tls", "--port", taken, "--ready-file", str(path)).exit_code == 2
        assert json.loads(path.read_text()) == relay.ready


def test_end_leaves_the_ready_file_that_another_wrote_since(ca_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with serving(ca_dir, path, "--no-tls") as first, serving(ca_dir, path, "--no-tls") as second:
        assert first.stop(signal.SIGTERM)[0] == 0
        assert json.loads(path.read_text()) == second.ready
        assert second.stop(signal.SIGTERM)[0] == 0
    assert not path.exists()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_log_tells_each_call_and_no_secret(ca_dir: Path, tmp_path: Path, log_format: str) -> None:
    options = (*APP, "--log-format", log_format)
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        assert relay.process.stdout is not None
        while log_format == "text" and "curl" not in relay.process.stdout.readline():
            pass
        assert start_source(relay, "one", "rtmp://cdn/x?key=S3CRET")["code"] == 0
        assert start_source(relay, "two", "rtmp://CDN/x?key=S3CRET")["code"] == 40901
        code, stdout, stderr = relay.stop(signal.SIGTERM)
    assert (code, stderr) == (0, "")
    first, second = (line for line in stdout.splitlines() if "startrtmp" in line)
    assert "one" in first
    assert "address-unique" in second
    for secret in ("S3CRET", "K3Y", make_token("cert", "K3Y").split()[1]):
        assert secret not in stdout


def test_undelivered_callbacks_are_reported(ca_dir: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    options = [*APP, "--callback-url", f"http://127.0.0.1:{port}/?key=S3CRET"]
    options += ["--set", "callback.retry_delays_seconds=[60]"]
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        start_source(relay, "user1", "rtmp://cdn/x?key=S3CRET")
        code, _, stderr = relay.stop(signal.SIGTERM)
    assert code == 0
    assert stderr.startswith(f"Not delivered to http://127.0.0.1:{port}/?key=***: status 0")
    assert "rtmp://cdn/x?key=***" in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_callback_that_is_given_up_is_told_in_the_log(
    ca_dir: Path, tmp_path: Path, log_format: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    options = [*APP, "--callback-url", f"http://127.0.0.1:{port}/?key=S3CRET"]
    options += ["--set", "callback.retry_delays_seconds=[]", "--log-format", log_format]
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        assert relay.process.stdout is not None
        start_source(relay, "user1", "rtmp://cdn/x?key=S3CRET")
        lines = iter(relay.process.stdout.readline, "")
        line = next(line for line in lines if "given up" in line)
        code, stdout, stderr = relay.stop(signal.SIGTERM)
    assert (code, stdout, stderr) == (0, "", "")
    assert line.startswith("{" if log_format == "json" else "20")
    assert "given up after 1 attempt: No connection to" in line
    for told in (f"http://127.0.0.1:{port}/?key=***", "rtmp://cdn/x?key=***", "user1"):
        assert told in line
    assert "S3CRET" not in line


def test_undelivered_callbacks_are_json_where_the_log_is(ca_dir: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    options = [*APP, "--callback-url", f"http://127.0.0.1:{port}/", "--log-format", "json"]
    options += ["--set", "callback.retry_delays_seconds=[60]"]
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        start_source(relay, "user1", "rtmp://cdn/x")
        _, _, stderr = relay.stop(signal.SIGTERM)
    told = json.loads(stderr)
    assert (told["event"], told["uid"], told["callback_status"]) == (
        "callback_undelivered",
        "user1",
        0,
    )


TARGETS = {
    "public": (["http://8.8.8.8/?key=S3CRET"], "8.8.8.8 is public"),
    "public, IPv6": (["http://[2001:4860:4860::8888]/"], "is public"),
    "link-local": (["http://169.254.169.254/"], "never go there"),
    "public and allowed": (["http://8.8.8.8/", "--callback-allow", "8.8.8.8"], None),
    "private": (["http://10.0.0.1/"], None),
    "name": (["http://callbacks.example.com/"], None),
}


@pytest.mark.parametrize(("options", "warning"), TARGETS.values(), ids=TARGETS.keys())
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_callback_url_that_policy_forbids_is_warned_of(
    options: list[str], warning: str | None, log_format: str
) -> None:
    config = load_config({"callback_url": options[0], "callback_allow": tuple(options[2:])})
    lines = list(render_warnings(find_hopeless(config), log_format))
    assert len(lines) == (warning is not None)
    for line in lines:
        assert warning is not None
        assert warning in line
        assert "S3CRET" not in line
        assert line.startswith('{"event": "warning"' if log_format == "json" else "Warning: ")


def test_warning_does_not_keep_it_from_serving(ca_dir: Path, tmp_path: Path) -> None:
    options = ("--callback-url", "http://8.8.8.8/")
    with serving(ca_dir, tmp_path / "ready.json", *options) as relay:
        code, _, stderr = relay.stop(signal.SIGTERM)
    assert (code, stderr.count("\n")) == (0, 1)
    assert "--callback-allow" in stderr


@pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"),
    reason="runs the printed curl; only where nothing may be skipped is a missing one a failure",
)
@pytest.mark.parametrize("options", [(), ("--no-tls",)], ids=["tls", "plain"])
def test_printed_curl_works_as_printed(
    ca_dir: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with serving(ca_dir, tmp_path / "ready.json", *APP, *options) as relay:
        assert relay.process.stdout is not None
        lines = iter(relay.process.stdout.readline, "")
        command = next(line for line in lines if line.strip().startswith("curl "))
        run = subprocess.run(
            shlex.split(command), capture_output=True, text=True, check=True, timeout=30
        )
    assert json.loads(run.stdout)["code"] == 0


async def test_banner_says_what_listens_where(ca_dir: Path) -> None:
    app = AppConfig(7, "cert", "key", "http://127.0.0.1:9/?key=S3CRET")
    server = Server(Config(port=0, http_port=0, control_port=0, ca_dir=ca_dir, apps=(app,)))
    await server.start()
    banner = render_banner(server)
    await server.close()
    for shown in (server.url, server.http_url, server.control_url, str(ca_dir / "ca.pem")):
        assert shown is not None
        assert shown in banner
    assert "app 7" in banner
    assert "http://127.0.0.1:9/?key=***" in banner


def test_certificate_without_tls_serves_a_control_plane_bound_wide(tmp_path: Path) -> None:
    wide = ("--control-host", "0.0.0.0", "--control-token", "t")
    result = serve("--no-tls", *wide, "--tls-cert", str(tmp_path / "own.pem"))
    assert "Can't read" in result.stderr
    assert "own.pem" in result.stderr


def test_it_begins_with_a_snapshot(ca_dir: Path, tmp_path: Path) -> None:
    with FakeRelay(appid=5, settings={"concurrent_pushes": 3}) as relay:
        relay.control("put_app", appid=5, callback_url="http://127.0.0.1:9/")
        (tmp_path / "world.json").write_text(json.dumps(relay.control("snapshot", keys=True)))
    options = ("--no-tls", "--snapshot", str(tmp_path / "world.json"))
    with serving(ca_dir, tmp_path / "ready.json", *options) as served:
        assert served.ready["apps"] == [
            {
                "appid": 5,
                "certificate_id": "fakerelay",
                "certificate_key": "fakerelay-key",
                "callback_url": "http://127.0.0.1:9/",
            }
        ]
        with urllib.request.urlopen(f"{served.ready['control_url']}/_fakerelay/v1/profile") as told:
            assert json.load(told)["profile"]["concurrent_pushes"] == 3
