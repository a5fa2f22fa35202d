"""Calls a second of the relay and of a bare aiohttp handler, in turn, each alone on one core.

wrk makes the load from the other core. CPU seconds a call are printed beside, since they hold
even where other work disturbs the clock on the wall.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
TOKEN = "Basic " + b64encode(b"bench:bench-key").decode()
# What wrk sends, and how the relay is started for it.
MODES = (
    ("starting", ""),
    ("changing", ""),
    ("stopping", ""),
    ("same", ""),
    ("same", "logged"),
)
CONNECTIONS = 32


class Block(NamedTuple):
    """One block of load on one server."""

    calls_per_second: float
    cpu_seconds_per_call: float


class Served:
    """A server process pinned to the first core."""

    def __init__(self, script: str, option: str = "", checkout: Path | None = None) -> None:
        self._loads = 0
        command = ["taskset", "-c", "0", sys.executable, str(HERE / script), "0", option]
        place = {} if checkout is None else {"PYTHONPATH": str(checkout)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **place}
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def load(self, mode: str, seconds: int) -> Block:
        self._loads += 1
        before = self._cpu_seconds()
        target = f"http://127.0.0.1:{self._port}"
        command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        command += ["-s", str(HERE / "load.lua"), target, "--", mode, TOKEN, str(self._loads)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        calls, microseconds, errors = map(int, re.findall(r"RESULT (\d+) (\d+) (\d+)", output)[0])
        if errors:
            raise SystemExit(f"{errors} calls failed:\n{output}")
        return Block(calls / microseconds * 1e6, (self._cpu_seconds() - before) / calls)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(blocks: int = 16, seconds: int = 1) -> None:
    """Print, for each kind of call, the median of the ratios of neighbouring blocks."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: install it (Debian: apt-get install wrk)")
    for mode, option in MODES:
        bare, relay = Served("bare.py", "tuned"), Served("relay.py", option)
        try:
            print(f"{option:6} {compare(bare, relay, mode, blocks, seconds)}")
        finally:
            bare.close()
            relay.close()


def compare(bare: Served, relay: Served, mode: str, blocks: int, seconds: int) -> str:
    bare.load(mode, 1)
    relay.load(mode, 1)
    pairs = []
    for number in range(blocks):
        # Each goes first as often as the other: what slows the machine down slows both alike.
        order = (bare, relay) if number % 2 else (relay, bare)
        blocks_by_server = {served: served.load(mode, seconds) for served in order}
        pairs.append((blocks_by_server[bare], blocks_by_server[relay]))
    speed = [mine.calls_per_second / yard.calls_per_second for yard, mine in pairs]
    quartiles = statistics.quantiles(speed, n=4)
    cpu = [yard.cpu_seconds_per_call / mine.cpu_seconds_per_call for yard, mine in pairs]
    calls = statistics.median(mine.calls_per_second for _, mine in pairs)
    micro = statistics.median(mine.cpu_seconds_per_call for _, mine in pairs) * 1e6
    return (
        f"{mode:9} throughput {statistics.median(speed):.2f} of bare (middle half"
        f" {quartiles[0]:.2f}-{quartiles[2]:.2f}), by CPU {statistics.median(cpu):.2f};"
        f" {calls:,.0f} calls/s, {micro:.0f} us CPU a call"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
