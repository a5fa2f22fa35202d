"""The wheel, built and installed elsewhere, is all there is to serve from."""

import json
import os
import ssl
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen
from venv import EnvBuilder
from zipfile import ZipFile

import pytest

from fakerelay.client import make_token

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parent.parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


class Installed(NamedTuple):
    """A virtual environment that has the wheel."""

    python: str
    command: str
    site: Path

    def run(self, folder: Path, *command: str) -> str:
        return subprocess.run(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Without the build backend at hand, build fetches it.
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    build = [sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", str(folder)]
    subprocess.run([*build, str(CHECKOUT)], check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Its dependencies are those of the environment the tests run in, so nothing is fetched."""
    builder = EnvBuilder()
    context = builder.ensure_directories(tmp_path_factory.mktemp("venv"))
    builder.create(context.env_dir)
    pip = [sys.executable, "-m", "pip", "--python", context.env_exe, "install"]
    quiet = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *quiet, str(wheel)], check=True, capture_output=True, timeout=300)
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    run = subprocess.run(
        [context.env_exe, "-c", show], check=True, capture_output=True, text=True, timeout=60
    )
    site = Path(run.stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(context.env_exe, str(Path(context.bin_path) / "fakerelay"), site)


def test_wheel_holds_the_contract_and_its_types_but_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = {
        path.relative_to(CHECKOUT / "schemas").as_posix()
        for path in (CHECKOUT / "schemas").rglob("*.json")
    }
    assert {f"fakerelay/_schemas/{name}" for name in data} <= names
    assert {"rulebook.json", "startrtmp.request.json", "profiles/default.json"} <= data
    assert "fakerelay/py.typed" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"fakerelay"}


def test_installed_package_is_the_one_that_answers(installed: Installed, tmp_path: Path) -> None:
    show = "import fakerelay, fakerelay.schemas as s; print(fakerelay.__file__, s._root())"
    shown = installed.run(tmp_path, installed.python, "-c", show).split()
    assert [Path(path).resolve().parent for path in shown] == [
        (installed.site / "fakerelay").resolve()
    ] * 2


def test_version_is_the_projects(installed: Installed, tmp_path: Path) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    assert version in installed.run(tmp_path, installed.command, "--version")
    assert version in installed.run(tmp_path, installed.python, "-m", "fakerelay", "--version")


@contextmanager
def serving(installed: Installed, folder: Path) -> Iterator[dict[str, Any]]:
    """What the ready file says of a server that runs in another folder."""
    ready, errors = folder / "ready.json", folder / "errors.txt"
    options = ["--port", "0", "--control-port", "0", "--ca-dir", "ca", "--ready-file", str(ready)]
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [installed.python, "-m", "fakerelay", "serve", *options],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout
            banner = process.stdout.readline()  # comes after the ready file
            assert banner, errors.read_text()
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert errors.read_text() == ""
    assert sys.platform == "win32" or process.returncode == 0


def test_installed_package_serves_from_another_folder(installed: Installed, tmp_path: Path) -> None:
    with serving(installed, tmp_path) as ready:
        app = ready["apps"][0]
        body = {
            "appid": app["appid"],
            "roomid": "r",
            "rtmpurl": "rtmp://cdn.example.com/live",
            "streamtype": 2,
            "uid": "u",
        }
        request = Request(
            f"{ready['url']}/app/{app['appid']}/v2/rtmpforward/startrtmp?traceId=t",
            json.dumps(body).encode(),
            {
                "token": make_token(app["certificate_id"], app["certificate_key"]),
                "Content-Type": "application/json;charset=utf-8",
            },
        )
        context = ssl.create_default_context(cafile=ready["ca_file"])
        with urlopen(request, timeout=30, context=context) as reply:
            assert json.load(reply) == {"code": 0, "message": "success", "traceId": "t"}
