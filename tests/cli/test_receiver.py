"""The receiver of callbacks, and what it prints."""

import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from fakerelay.cli import cli
from fakerelay.cli.receiver import Callback, Receiver, read_callback, render_json, render_text

from .conftest import start

STATUS = {
    "msgid": "m1",
    "context": {
        "appid": 7,
        "taskid": "main",
        "rtmpurl": "rtmp://a/x?key=S3CRET",
        "status": 1,
        "traceId": "t1",
    },
}


def callback(body: bytes, path: str = "/cb") -> Callback:
    return read_callback(1_700_000_000.25, "POST", path, body)


def test_status_is_told_in_a_line() -> None:
    assert render_text(callback(json.dumps(STATUS).encode())) == (
        "2023-11-14T22:13:20.250Z POST /cb status=1 (cdn_failed) rtmp://a/x?key=*** taskid=main"
        " app=7 traceId=t1 msgid=m1"
    )


def test_json_holds_the_whole_message_masked() -> None:
    told = json.loads(render_json(callback(json.dumps(STATUS).encode())))
    assert (told["event"], told["path"], told["body"]["msgid"]) == ("callback", "/cb", "m1")
    assert told["body"]["context"]["rtmpurl"] == "rtmp://a/x?key=***"


ODD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ""),
    "not JSON": (b"hello\nworld", "hello\\x0aworld"),
    "not UTF-8": (b"\xff", "\\ufffd"),
    "array": (b"[1]", "[1]"),
    "no status": (b'{"context":{}}', '{"context":{}}'),
    "address": (b"rtmp://a?key=S3CRET", "rtmp://a?key=***"),
    "status of no kind": (b'{"context":{"status":[],"rtmpurl":1}}', "status=[] (unknown) 1"),
}


@pytest.mark.parametrize(("body", "shown"), ODD.values(), ids=ODD.keys())
def test_anything_else_is_shown_as_it_came(body: bytes, shown: str) -> None:
    line = render_text(callback(body))
    assert line.startswith(f"2023-11-14T22:13:20.250Z POST /cb {shown}"[:40])
    assert shown in line
    assert "S3CRET" not in line + render_json(callback(body))
    assert line.isprintable()


async def test_receiver_hands_on_and_answers() -> None:
    arrived: list[Callback] = []
    receiver = Receiver(arrived.append, status=503)
    url = await receiver.start("127.0.0.1", 0)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/cb?x=1", json=STATUS) as response,
    ):
        assert response.status == 503
    await receiver.close()
    assert [(one.method, one.path, one.context["status"]) for one in arrived] == [
        ("POST", "/cb", 1)
    ]


def test_listen_says_what_to_do_about_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(cli, ["listen", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "--port" in result.stderr
    assert result.stderr.count("\n") == 1


def test_listen_ends_well_on_a_signal() -> None:
    command = [sys.executable, "-m", "fakerelay", "listen", "--port", "0"]
    with start(command) as process:
        stdout: Any = process.stdout
        assert stdout.readline().startswith("Listening on http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0


def test_listen_tells_programs_where_in_its_ready_file(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "fakerelay", "listen", "--port", "0"]
    with start([*command, "--ready-file", str(ready)]) as process:
        stdout: Any = process.stdout
        url = stdout.readline().split()[2].rstrip(",")
        assert json.loads(ready.read_text()) == {"url": url, "pid": process.pid}
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30) == ("", "")
    assert not ready.exists()
