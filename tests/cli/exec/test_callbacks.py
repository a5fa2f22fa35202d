"""Callbacks of a relay that a command had."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.exec.commands import CLIENT, SECONDS, Exec


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
