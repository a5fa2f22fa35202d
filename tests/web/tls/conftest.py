"""A folder for certificates, on a machine that trusts a root of its own."""

from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="session")
def system_root() -> trustme.CA:
    return trustme.CA(organization_name="A root of the system")


@pytest.fixture(autouse=True)
def roots_file(tmp_path: Path, system_root: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "system-roots.pem"
    system_root.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ca"
