"""Folders of no use, and the one that is used by default."""

import sys
from pathlib import Path

import pytest

from fakerelay.errors import ConfigError
from fakerelay.web.ca_folder import default_ca_dir
from fakerelay.web.tls import open_tls
from tests.web.tls.certificates import DAY, NOW


class TestUnusableFolder:
    def spoil(self, folder: Path, how: str) -> None:
        folder.mkdir(parents=True)
        match how:
            case "folder is a file":
                folder.rmdir()
                folder.write_text("")
            case "parent is a file":
                folder.rmdir()
                folder.parent.rmdir()
                folder.parent.write_text("")
            case "key damaged":
                (folder / "ca-key.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
            case "key unreadable":
                (folder / "ca-key.pem").mkdir()
            case "no key":
                (folder / "ca.pem").write_text("somebody's")
            case "no lock":
                (folder / ".lock").mkdir()

    @pytest.mark.parametrize(
        ("how", "complaint"),
        [
            ("folder is a file", "Can't use the CA folder"),
            ("parent is a file", "Not a directory"),
            ("key damaged", "ca-key.pem' is damaged; delete the folder"),
            ("key unreadable", "Is a directory"),
            ("no key", "has no 'ca-key.pem' beside it; delete it"),
            ("no lock", "Can't use the CA folder"),
        ],
    )
    def test_a_folder_that_cannot_serve_is_told_in_one_line(
        self, folder: Path, how: str, complaint: str
    ) -> None:
        self.spoil(folder, how)
        with pytest.raises(ConfigError, match=complaint) as caught:
            open_tls(folder, now=NOW)
        assert "--ca-dir" in str(caught.value)
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_somebodys_ca_is_never_overwritten(self, folder: Path) -> None:
        self.spoil(folder, "no key")
        with pytest.raises(ConfigError):
            open_tls(folder, now=NOW)
        assert (folder / "ca.pem").read_text() == "somebody's"

    def test_a_folder_that_cannot_be_written_serves_while_its_leaf_is_valid(
        self, folder: Path
    ) -> None:
        tls = open_tls(folder, now=NOW)
        (folder / ".lock").unlink()
        (folder / ".lock").mkdir()
        assert not tls.ensure_fresh(NOW + 364 * DAY)
        with pytest.raises(ConfigError, match="make it readable and writable"):
            tls.ensure_fresh(NOW + 366 * DAY)

    def test_a_folder_without_its_key_serves_while_its_leaf_is_valid(self, folder: Path) -> None:
        tls = open_tls(folder, ["mine.test"], now=NOW)
        (folder / "ca-key.pem").unlink()
        assert not tls.ensure_fresh(NOW + 364 * DAY)

    @pytest.mark.parametrize("how", ["no key", "no lock"])
    @pytest.mark.parametrize(
        ("names", "days", "complaint"),
        [
            (
                ["mine.test"],
                366,
                "leaf.pem expired on 2024-11-13, .*again with --tls-name mine.test",
            ),
            ([], 366, "leaf.pem expired on 2024-11-13, .*make the folder again,"),
            ([], -2, "leaf.pem is valid from 2023-11-13 only, "),
            (["other.test"], 0, "leaf.pem isn't good for 'other.test', .*--tls-name other.test"),
        ],
        ids=["expired", "expired without names", "not yet valid", "other name"],
    )
    def test_a_sealed_folder_tells_what_is_wrong_with_its_leaf(
        self, folder: Path, how: str, names: list[str], days: int, complaint: str
    ) -> None:
        open_tls(folder, ["mine.test"], now=NOW)
        if how == "no key":
            (folder / "ca-key.pem").unlink()
        else:
            (folder / ".lock").unlink()
            (folder / ".lock").mkdir()
        before = (folder / "ca.pem").read_bytes()
        with pytest.raises(ConfigError, match=complaint) as caught:
            open_tls(folder, names, now=NOW + days * DAY)
        assert "--ca-dir" in str(caught.value)
        assert "delete" not in str(caught.value)
        assert (folder / "ca.pem").read_bytes() == before


class TestDefaultFolder:
    @pytest.mark.skipif(sys.platform == "win32", reason="on Windows LOCALAPPDATA says where")
    @pytest.mark.parametrize("data", ["", "relative/path"], ids=["unset", "relative"])
    def test_it_is_in_the_home_folder(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: str
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        found = default_ca_dir({"XDG_DATA_HOME": data})
        assert found == tmp_path / ".local" / "share" / "fakerelay"

    @pytest.mark.skipif(sys.platform == "win32", reason="on Windows LOCALAPPDATA says where")
    def test_the_users_data_folder_comes_first(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert default_ca_dir() == tmp_path / "fakerelay"
        assert open_tls(None, now=NOW).files.ca_file == tmp_path / "fakerelay" / "ca.pem"
