"""What the pytest fixture costs: a test, the start of a session, a project without relays."""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

TESTS = 500
RUNS = 15
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")

# What comes before and after the fixture that is measured, in both directions.
CONFTEST = """
import json, pytest
from time import perf_counter

marks, spent = {}, {"fakerelay": [], "used": [], "first": [], "empty": []}

@pytest.fixture
def before():
    marks["begin"] = perf_counter()
    yield
    marks["end"] = perf_counter()

@pytest.fixture
def empty():
    yield

@pytest.fixture
def after(request):
    marks["up"] = perf_counter()
    yield
    marks["down"] = perf_counter()

def pytest_runtest_logfinish(nodeid):
    cost = marks["up"] - marks["begin"] + marks["end"] - marks["down"]
    name = nodeid.partition("test_it.py::test_")[2].partition("[")[0]
    spent[name].append(cost)
    if name == "used":
        spent["first"].append(cost + marks["more"])

def pytest_sessionfinish():
    with open("spent.json", "w") as file:
        json.dump(spent, file)
"""
PROJECT = f"""
import pytest
from time import perf_counter
from conftest import marks

@pytest.mark.parametrize("number", range({TESTS}))
def test_fakerelay(before, fakerelay, after, number):
    pass

@pytest.mark.parametrize("number", range({TESTS}))
def test_used(before, fakerelay, after, number):
    began = perf_counter()
    fakerelay.tasks()
    first = perf_counter()
    fakerelay.tasks()
    marks["more"] = 2 * first - began - perf_counter()

@pytest.mark.parametrize("number", range({TESTS}))
def test_empty(before, empty, after, number):
    pass
"""
SETTINGS = """
[pytest]
asyncio_default_fixture_loop_scope = function
"""
OTHER_PROJECT = "def test_it():\n    pass\n"
SESSION = """
import time
import aiohttp, aiohttp.web
began = time.perf_counter()
from fakerelay.hosts import open_shared
from fakerelay.relay import FakeRelay
host = open_shared(tls=False)
with FakeRelay(server=host):
    print(time.perf_counter() - began)
host.close()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report_tests(Path(folder))
        report_sessions(Path(folder))
        report_collection(Path(folder))


def report_tests(folder: Path) -> None:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(PROJECT)
    (folder / "pytest.ini").write_text(SETTINGS)
    run(folder, *PYTEST)
    (folder / "conftest.py").unlink()
    spent = json.loads((folder / "spent.json").read_text())
    whole, used, first, empty = (
        statistics.median(spent[name]) * 1e3 for name in ("fakerelay", "used", "first", "empty")
    )
    bare = asyncio.run(measure_bare()) * 1e3
    print(
        f"a test: {whole - empty:.2f} ms, set-up and tear-down, median of {TESTS}, beyond the"
        f" {empty:.2f} ms that pytest takes for an empty fixture;"
        f" with a relay that is used {used - empty:.2f} ms, and {first - empty:.2f} ms with what"
        f" its first call takes longer than the second;"
        f" aiohttp's bare TestServer, in a loop that runs: {bare:.2f} ms"
    )


async def measure_bare() -> float:
    spent = []
    for _ in range(TESTS):
        began = time.perf_counter()
        async with TestServer(web.Application()):
            pass
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def report_sessions(folder: Path) -> None:
    seconds = [float(run(folder, "-c", SESSION)) for _ in range(RUNS)]
    print(f"a session: {statistics.median(seconds) * 1e3:.0f} ms beyond importing aiohttp")


def report_collection(folder: Path) -> None:
    """CPU, in pairs, since the machine is slower now and then: with the plugin and without."""
    (folder / "test_it.py").write_text(OTHER_PROJECT)
    without = ("-p", "no:fakerelay")
    measure_collection(folder)
    pairs = []
    for number in range(RUNS):
        order = [(), without] if number % 2 else [without, ()]
        taken = {options: measure_collection(folder, *options) for options in order}
        pairs.append(taken[()] - taken[without])
    print(f"a project without relays: {statistics.median(pairs) * 1e3:+.1f} ms to collect")


def measure_collection(folder: Path, *options: str) -> float:
    before = _children_seconds()
    run(folder, *PYTEST, "--collect-only", *options)
    return _children_seconds() - before


def run(folder: Path, *options: str) -> str:
    """Python with these options, as users have it: what was compiled once stays so."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *options]
    done = subprocess.run(
        command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
