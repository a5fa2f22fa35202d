"""What `fakerelay verify` tells of a run: on the screen, in files, by its exit code."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli
from fakerelay.relay import FakeRelay


@pytest.fixture(scope="module")
def wrong() -> Iterator[FakeRelay]:
    """A server whose quota is one too large."""
    with FakeRelay(quota=6, callback_url=None) as relay:
        yield relay


def verify(relay: FakeRelay, *args: str) -> Result:
    return judge(relay, "--rules", "concurrent-pushes,start-path", *args)


def judge(relay: FakeRelay, *args: str) -> Result:
    app = f"{relay.appid}:{relay.certificate_id}"
    named = ("--target", relay.http_url, "--app", app)
    variables = {"FAKERELAY_CERTIFICATE_KEY": relay.certificate_key}
    return CliRunner().invoke(cli, ["verify", *named, *args], env=variables)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def known(path: Path, expires: str) -> str:
    row = f'[[known]]\nrule = "concurrent-pushes"\nreason = "r"\nowner = "o"\nexpires = {expires}\n'
    return write(path, row)


def test_first_screen_has_the_verdict_the_broken_rules_and_what_to_do(
    wrong: FakeRelay, tmp_path: Path
) -> None:
    result = verify(wrong, "--report", str(tmp_path / "new" / "folder"))
    assert result.exit_code == 1, result.output
    screen = "\n".join(result.stdout.splitlines()[:8])
    assert screen.startswith("BROKEN: 1 broken, 1 agree; ")
    assert "concurrent-pushes (D): By default an app may push five streams at a time" in screen
    assert f"See it happen: sh {tmp_path}/new/folder/findings/concurrent-pushes.sh" in screen
    assert f"script   {tmp_path}/new/folder/findings/concurrent-pushes.sh" in result.stdout
    assert "(D documented by the vendor)" in screen
    assert f"--replay {tmp_path}/new/folder/report.json" in screen
    assert (tmp_path / "new" / "folder" / "index.html").is_file()


def test_without_a_report_the_steps_are_on_the_screen_and_no_script(wrong: FakeRelay) -> None:
    result = verify(wrong)
    assert "curl -sS" not in result.stdout
    assert "--report DIR writes a curl script" in result.stdout
    assert re.findall(r"(?m)^  \d\. start \w+ task (\d)", result.stdout) == list("012345")
    assert len(result.stdout.splitlines()) < 20
    assert re.fullmatch(r"broken after \d+ calls: concurrent-pushes\n", result.stderr)


def test_accepted_until_some_day(wrong: FakeRelay, tmp_path: Path) -> None:
    accepted = verify(wrong, "--known", known(tmp_path / "known.toml", "2999-12-31"))
    assert (accepted.exit_code, accepted.stdout.split(":")[0]) == (0, "AGREES"), accepted.output
    _verdict, empty, told, _legend = accepted.stdout.splitlines()
    assert (empty, told) == ("", "  concurrent-pushes (D): accepted until 2999-12-31 by o: r")
    expired = verify(wrong, "--known", known(tmp_path / "known.toml", "2020-12-31"))
    assert (expired.exit_code, expired.stdout.split(":")[0]) == (1, "BROKEN")
    assert "was accepted until 2020-12-31 by o" in expired.stdout


def test_baseline_and_replay_read_what_a_run_wrote(wrong: FakeRelay, tmp_path: Path) -> None:
    report = str(tmp_path / "report.json")
    verify(wrong, "--report", str(tmp_path))
    again = verify(wrong, "--baseline", report)
    assert "[known from the baseline]" in again.stdout
    still = verify(wrong, "--replay", report)
    assert (still.exit_code, still.stdout.split(":")[0]) == (1, "STILL concurrent-pushes")
    nobody = CliRunner().invoke(
        cli,
        ["verify", "--target", wrong.http_url, "--app", "1:a", "--replay", report],
        env={"FAKERELAY_CERTIFICATE_KEY": "wrong"},
    )
    assert nobody.exit_code == 3
    assert 'not all of its calls could be judged: HTTP 200 {"code": 40' in nobody.stdout
    with FakeRelay(callback_url=None) as mended:
        gone = verify(mended, "--baseline", report)
        assert "Broken in the baseline, and not now: concurrent-pushes" in gone.stdout
        finding = json.loads(Path(report).read_text())["findings"][0]
        one = write(tmp_path / "finding.json", json.dumps(finding))
        fixed = verify(mended, "--replay", one)
    assert (fixed.exit_code, fixed.stdout.split(":")[0]) == (0, "FIXED concurrent-pushes")


def test_run_fails_for_what_it_is_to(wrong: FakeRelay) -> None:
    result = verify(wrong, "--fail-on", "leftovers, inconclusive")
    assert (result.exit_code, result.stdout.split(":")[0]) == (0, "BROKEN")
    told = "The exit code is 0 all the same: the run is to fail for inconclusive, leftovers only"
    assert told in result.stdout


def test_limit_of_calls_is_told_with_the_time_it_takes() -> None:
    with FakeRelay(settings={"rate_limit_per_second": 3}, callback_url=None) as relay:
        result = judge(relay, "--max-calls", "100", "--max-seconds", "2")
    assert result.exit_code == 3
    told = "The target let in 2 calls a second or little more, and the run kept to it"
    assert told in result.stdout
    assert "--max-seconds 2 ran out before" in result.stdout
    assert "compared: --max-seconds 56 will do" in result.stdout
    assert "it may take 56 s; more than --max-seconds 2" in result.stderr


def test_what_is_freed_late_is_told() -> None:
    with FakeRelay(settings={"release_seconds": 0.3}, callback_url=None) as relay:
        result = judge(relay, "--rules", "stop-frees-addresses")
    assert result.exit_code == 0
    assert re.search(r"not free at once, but after up to \d\.\d s", result.stdout)


WRONG = {
    "rules": (("--rules", "concurent-pushes"), "did you mean 'concurrent-pushes'"),
    "trouble": (("--fail-on", "borken"), "did you mean 'broken'"),
    "nothing to fail on": (("--fail-on", ","), "--fail-on needs something"),
    "no file of known": (("--known", "/nowhere/known.toml"), "'/nowhere/known.toml'"),
    "no baseline": (("--baseline", "/nowhere/report.json"), "'/nowhere/report.json'"),
    "no replay": (("--replay", "/nowhere/report.json"), "'/nowhere/report.json'"),
    "no folder": (("--report", "/dev/null/x"), "--report '/dev/null/x'"),
}


@pytest.mark.parametrize(("args", "told"), WRONG.values(), ids=WRONG.keys())
def test_option_of_no_use_is_refused(wrong: FakeRelay, args: tuple[str, ...], told: str) -> None:
    result = verify(wrong, *args)
    assert result.exit_code == 2
    assert told in result.stderr


def test_file_of_known_that_is_no_toml_is_refused(wrong: FakeRelay, tmp_path: Path) -> None:
    result = verify(wrong, "--known", write(tmp_path / "known.toml", "[["))
    assert result.exit_code == 2
    assert "known.toml" in result.stderr


def test_on_a_terminal_it_is_redrawn_and_leaves_the_verdict(tmp_path: Path) -> None:
    """A pseudo-terminal: what `rich` draws there must not be left behind."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fakerelay", "verify", "--rules", "start-path"]
    env = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    running = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    drawn = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    assert running.wait() == 0
    assert "start-path" in drawn
    assert "calls" in drawn
    assert "AGREES: 1 agree; " in drawn
    assert drawn.index("of at most") < drawn.index("AGREES: ")


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # the other end is closed
        return b""
