"""The demo: its transcript, and that it leaves nothing behind.

Where it changes on purpose: `python -m tests.cli.test_demo > tests/golden/demo.txt`.
"""

import io
import re
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from fakerelay.cli import cli
from fakerelay.cli.screen import Screen

from .conftest import start

GOLDEN = Path(__file__).parent.parent / "golden" / "demo.txt"

# What differs from run to run.
_VARYING = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:PORT",
    r"\d{4}-\d\d-\d\dT[\d:.]+Z": "TIME",
    r'("(?:notifytime|starttime)": )\d+': r"\1MILLISECONDS",
    r'"msgid": "[^"]+"': '"msgid": "MSGID"',
}


def normalise(transcript: str) -> str:
    """Without what varies, and with prose as one line, since ports vary in length."""
    for pattern, replacement in _VARYING.items():
        transcript = re.sub(pattern, replacement, transcript)
    paragraphs = transcript.split("\n\n")
    return "\n\n".join(
        paragraph if paragraph.startswith(" ") else _unwrap(paragraph) for paragraph in paragraphs
    )


def _unwrap(paragraph: str) -> str:
    return re.sub(r"(?<=\S)\n(?=[^ \n])", " ", paragraph)


def test_transcript_is_the_golden_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = CliRunner().invoke(cli, ["demo"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    assert normalise(result.stdout) == GOLDEN.read_text(encoding="utf-8")


def test_stays_up_until_told_to_stop() -> None:
    with start([sys.executable, "-m", "fakerelay", "demo", "--serve"]) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        shown = [next(line for line in lines if line.startswith("  control plane"))]
        assert next(line for line in lines if line.startswith("Ctrl-C"))
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
    assert "http://127.0.0.1:" in shown[0]


def test_reader_who_goes_ends_it_quietly() -> None:
    with start([sys.executable, "-m", "fakerelay", "demo"]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "is_plain"), [("", False), ("1", True)])
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, no_color: str, is_plain: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    Screen().request("POST /[bold]", {"appid": 7})
    assert "POST /[bold]" in terminal.getvalue()
    assert ("\x1b[36m" not in terminal.getvalue()) == is_plain


if __name__ == "__main__":
    sys.stdout.write(normalise(CliRunner().invoke(cli, ["demo"]).stdout))
