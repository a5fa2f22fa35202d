"""A certificate of the user's own."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from fakerelay.errors import ConfigError
from fakerelay.web.tls import TlsFiles, open_tls
from tests.web.tls.certificates import DAY, NOW, names_of, shown_certificate
from tests.web.tls.test_renewal import touch


class TestOwnCertificate:
    @pytest.fixture
    def pair(self, tmp_path: Path) -> tuple[Path, Path]:
        cert, key = tmp_path / "own.pem", tmp_path / "own.key"
        self.issue(cert, key)
        return cert, key

    def issue(self, cert: Path, key: Path | None = None) -> None:
        leaf = trustme.CA().issue_cert("own.test")
        leaf.cert_chain_pems[0].write_to_path(cert)
        leaf.private_key_pem.write_to_path(key or cert, append=key is None)

    def test_it_is_shown_as_it_is_and_no_ca_is_made(
        self, folder: Path, pair: tuple[Path, Path]
    ) -> None:
        tls = open_tls(folder, ["other.test"], *pair, now=NOW + 9000 * DAY)
        assert names_of(shown_certificate(tls.context, None)) == {"own.test"}
        assert tls.files == TlsFiles(None, None, None)
        assert not folder.exists()

    def test_one_file_may_hold_certificate_and_key(self, folder: Path, tmp_path: Path) -> None:
        self.issue(tmp_path / "both.pem")
        tls = open_tls(folder, cert=tmp_path / "both.pem", now=NOW)
        assert names_of(shown_certificate(tls.context, None)) == {"own.test"}

    def test_a_change_of_the_files_is_loaded(self, pair: tuple[Path, Path]) -> None:
        tls = open_tls(None, (), *pair, now=NOW)
        before = shown_certificate(tls.context, None)
        assert not tls.ensure_fresh(NOW)
        self.exchange(pair)
        assert tls.ensure_fresh(NOW)
        assert shown_certificate(tls.context, None) != before

    def exchange(self, pair: tuple[Path, Path]) -> None:
        self.issue(*pair)
        for path in pair:
            touch(path, path.stat().st_mtime + 10)

    def test_a_change_that_cannot_be_loaded_leaves_the_context_as_it_was(
        self, pair: tuple[Path, Path]
    ) -> None:
        tls = open_tls(None, (), *pair, now=NOW)
        before = shown_certificate(tls.context, None)
        self.exchange(pair)
        pair[1].write_text("")
        with pytest.raises(ConfigError):
            tls.ensure_fresh(NOW)
        assert shown_certificate(tls.context, None) == before

    def test_files_that_do_not_match_are_refused(self, pair: tuple[Path, Path]) -> None:
        self.issue(pair[0], pair[1].with_name("another.key"))
        with pytest.raises(ConfigError, match=r"own.key' isn't that of .*own.pem'.*--tls-key"):
            open_tls(None, (), *pair, now=NOW)

    def test_an_encrypted_key_is_refused_without_a_prompt(self, pair: tuple[Path, Path]) -> None:
        key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
        pair[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        with pytest.raises(ConfigError, match="without a passphrase"):
            open_tls(None, (), *pair, now=NOW)

    @pytest.mark.parametrize("number", [0, 1], ids=["certificate", "key"])
    def test_a_missing_file_is_named(self, pair: tuple[Path, Path], number: int) -> None:
        pair[number].unlink()
        with pytest.raises(ConfigError, match=f"Can't read '{pair[number]}': No such file"):
            open_tls(None, (), *pair, now=NOW)

    @pytest.mark.parametrize("number", [0, 1], ids=["certificate", "key"])
    def test_a_file_of_another_kind_is_refused(self, pair: tuple[Path, Path], number: int) -> None:
        pair[number].write_text("Not in PEM.")
        with pytest.raises(ConfigError, match="No certificate with its key, in PEM"):
            open_tls(None, (), *pair, now=NOW)

    def test_a_key_alone_is_refused(self, pair: tuple[Path, Path]) -> None:
        with pytest.raises(ConfigError, match="add --tls-cert"):
            open_tls(None, key=pair[1], now=NOW)
