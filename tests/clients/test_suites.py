"""The examples of tests in other languages, each run by one `exec`: over TLS, a world per test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.clients.programs import need

pytestmark = pytest.mark.slow

HERE: Final = Path(__file__).parent
EXAMPLES: Final = HERE.parent / "examples"
SECONDS = 120


def run_exec(
    folder: Path, *words: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """With nothing in the environment but what `exec` puts there."""
    command = [sys.executable, "-m", "fakerelay", "exec", "--ca-dir", str(folder / "my ca"), *words]
    checkout = str(HERE.parent.parent)
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": checkout}
    return subprocess.run(
        command, cwd=cwd, env=bare, capture_output=True, text=True, timeout=SECONDS
    )


def test_suite_of_node(tmp_path: Path) -> None:
    need("node")
    suite = ["node", "--test"]
    ran = run_exec(tmp_path, "--", *suite, cwd=EXAMPLES / "node")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "pass 4\n" in ran.stdout
    assert run_exec(tmp_path, "--no-trust", "--", *suite, cwd=EXAMPLES / "node").returncode == 1


# Whose own hook, which comes last, reads what it did, too.
FAILING = """
import { test } from "node:test";
import { openWorld } from "./world.mjs";
test("fails", async (t) => {
  const world = await openWorld(t);
  t.after(async () => console.error("had", (await world.requests()).length));
  const url = `${world.url}/app/${world.appid}/v2/rtmpforward/startrtmp?traceId=t`;
  const reply = await fetch(url, { method: "POST", headers: { token: world.token }, body: "{}" });
  throw new Error(await reply.text());
});
"""


def test_failure_in_node_shows_what_the_vendor_was_asked(tmp_path: Path) -> None:
    need("node")
    (tmp_path / "failing.test.mjs").write_text(FAILING)
    shutil.copy(EXAMPLES / "node" / "world.mjs", tmp_path)
    ran = run_exec(tmp_path, "--", "node", "--test", cwd=tmp_path)
    told = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert "startrtmp: HTTP 200, code 40" in told
    assert '"name":"' in told
    assert "had 1" in told


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """The example's classes, with stand-ins for the parts of JUnit that it uses."""
    need("java", "javac")
    sources = [*(EXAMPLES / "java").glob("*.java"), *(HERE / "junit").rglob("*.java")]
    command = ["javac", "-Werror", "-Xlint:all,-try", "-d", str(tmp_path / "classes")]
    subprocess.run([*command, *map(str, sources)], check=True, timeout=SECONDS)
    return tmp_path / "classes"


def test_suite_of_java(compiled: Path, tmp_path: Path) -> None:
    suite = ["java", "-cp", str(compiled), "Run", "PublisherTest"]
    ran = run_exec(tmp_path, "--", *suite)
    assert ran.returncode == 0, ran.stderr
    assert sorted(ran.stdout.splitlines()) == [
        "ok aRelayIsStarted",
        "ok aReplyThatIsLostLeavesTheRelayRunning",
        "ok anAddressHasOneTaskAtATime",
    ]
    refused = run_exec(tmp_path, "--no-trust", "--", *suite)
    assert refused.returncode == 1
    assert "SSLHandshakeException" in refused.stderr


def test_suite_of_go(tmp_path: Path) -> None:
    need("go")
    suite = ["go", "test", "-count=1"]
    ran = run_exec(tmp_path, "--", *suite, cwd=EXAMPLES / "go")
    assert ran.returncode == 0, ran.stdout
    refused = run_exec(tmp_path, "--no-trust", "--", *suite, cwd=EXAMPLES / "go")
    assert refused.returncode == 1
    assert "certificate" in refused.stdout
