"""Profiles of worlds that share a server."""

from pathlib import Path

import pytest

from fakerelay import ConfigError, FakeRelay, Host


def write_profile(folder: Path, quota: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "own.json").write_text(f'{{"extends": "default", "concurrent_pushes": {quota}}}')


@pytest.mark.parametrize("folders", ["aa", "ab"], ids=["written anew", "in another folder"])
def test_profile_is_what_its_file_says_now(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: str
) -> None:
    for quota, name in enumerate(folders, 1):
        write_profile(tmp_path / name, quota)
        monkeypatch.chdir(tmp_path / name)
        with FakeRelay(server=host, profile="own.json") as relay:
            assert relay.control("profile")["profile"]["concurrent_pushes"] == quota


def test_profile_without_a_name_is_refused(host: Host) -> None:
    with pytest.raises(ConfigError, match="Can't read profile"):
        FakeRelay(server=host, profile="").__enter__()
