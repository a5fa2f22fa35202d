"""A CA that is made once, and servers in processes of their own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fakerelay.clock import machine_time
from fakerelay.web.tls import open_tls

_SECONDS = 30
_MOST_SECONDS = 180


class Serving(NamedTuple):
    """A `fakerelay serve` that is up."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def stop(self, signal_number: int) -> tuple[int, str, str]:
        """Exit code, and what it wrote after its first line."""
        self.process.send_signal(signal_number)
        stdout, stderr = self.process.communicate(timeout=_SECONDS)
        return self.process.returncode, stdout, stderr


@pytest.fixture(autouse=True)
def _no_options_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("FAKERELAY_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    open_tls(folder, now=machine_time())
    return folder


@contextmanager
def serving(ca_dir: Path, ready_file: Path, *options: str) -> Iterator[Serving]:
    """Serve on free ports; killed at the end where it wasn't stopped."""
    command = [sys.executable, "-m", "fakerelay", "serve", "--port", "0", "--control-port", "0"]
    command += ["--ca-dir", str(ca_dir), "--ready-file", str(ready_file), *options]
    with start(command) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, process.stderr.read() if process.stderr else ""
        yield Serving(process, json.loads(ready_file.read_text()))


@contextmanager
def start(command: Sequence[str], **settings: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the test, and that no test waits for without end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **settings) as process:
        guard = threading.Timer(_MOST_SECONDS, process.kill)  # then its pipes end, too
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            if process.poll() is None:
                process.kill()
