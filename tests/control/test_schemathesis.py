"""Schemathesis, a tool that tries to break an API by its document, finds nothing."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from fakerelay.control.verbs import PREFIX
from fakerelay.server import Server
from tests.control.conftest import APPID

pytestmark = pytest.mark.slow

UNBOUNDED = {"concurrent_pushes": 0, "mixed_tasks_per_room": 0}
TOKEN = "token: Basic Y2VydDprZXk="


@pytest.fixture(scope="module")
def schemathesis() -> str:
    """The command, from the path or from beside the interpreter."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which("schemathesis", path=places) or shutil.which("st", path=places)
    if found is None:
        if os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
            pytest.fail("schemathesis is missing (pip install schemathesis)")
        pytest.skip("schemathesis is not installed")
    return found


async def run(command: str, document: str, folder: Path, *options: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        command, "run", document, "--max-examples", "30", "--seed", "7", *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.mark.parametrize("settings", [{}, UNBOUNDED], ids=["with quotas", "without"])
async def test_vendor_api_has_nothing_to_find(
    open_server: Callable[..., Awaitable[Server]],
    schemathesis: str,
    tmp_path: Path,
    settings: dict[str, object],
) -> None:
    server = await open_server(control_port=0, profile="rest", settings=settings)
    document = f"{server.control_url}{PREFIX}/vendor-openapi.json"
    code, output = await run(schemathesis, document, tmp_path, "--url", server.url, "-H", TOKEN)
    assert code == 0, output
    view = server.tenants.default.service.view
    assert view.running_count(APPID) > 0, "it has started something"


GUARDS: Sequence[tuple[str | None, tuple[str, ...]]] = (
    (None, ()),
    ("s3cr3t", ("-H", "Authorization: Bearer s3cr3t")),
)


@pytest.mark.parametrize(("token", "options"), GUARDS, ids=["open", "guarded"])
async def test_control_plane_has_nothing_to_find(
    open_server: Callable[..., Awaitable[Server]],
    schemathesis: str,
    tmp_path: Path,
    token: str | None,
    options: tuple[str, ...],
) -> None:
    server = await open_server(control_port=0, control_token=token)
    # A guarded document is read with the token too.
    document = f"{server.control_url}{PREFIX}/openapi.json"
    # 422 refuses what a schema can't: a fault without its seed, a snapshot that contradicts itself.
    (tmp_path / "schemathesis.toml").write_text(
        "[checks.positive_data_acceptance]\n"
        'expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]\n'
    )
    # A stream of events has no end.
    options = (*options, "--exclude-operation-id", "events")
    code, output = await run(schemathesis, document, tmp_path, *options)
    assert code == 0, output
