"""Certificates are made once, are trusted, and renewed in time."""

import ssl
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from fakerelay.errors import ConfigError
from fakerelay.web.ca_folder import TRUSTSTORE_PASSWORD
from fakerelay.web.tls import NAMES, Tls, TlsFiles, open_tls
from tests.web.tls.certificates import DAY, FILES, NOW, names_of, shown_certificate
from tests.web.tls.test_renewal import touch


class TestMaking:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("trust", ["ca.pem", "ca-bundle.pem"])
    def test_a_client_that_trusts_our_file_accepts_each_name(
        self, folder: Path, name: str, trust: str
    ) -> None:
        tls = open_tls(folder, now=datetime.now(UTC).timestamp())
        shown_certificate(tls.context, folder / trust, name)

    def test_a_client_refuses_a_name_that_is_not_ours(self, folder: Path) -> None:
        tls = open_tls(folder, now=datetime.now(UTC).timestamp())
        with pytest.raises(ssl.SSLCertVerificationError, match=r"evil\.example"):
            shown_certificate(tls.context, folder / "ca.pem", "evil.example")

    def test_files_are_told_as_absolute_paths(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        files = open_tls(Path("ca"), now=NOW).files
        assert files == TlsFiles(
            tmp_path / "ca" / "ca.pem",
            tmp_path / "ca" / "ca-bundle.pem",
            tmp_path / "ca" / "truststore.p12",
        )

    @pytest.mark.skipif(
        sys.platform == "win32", reason="Windows guards files by ACLs, not by modes"
    )
    def test_keys_are_for_the_user_alone(self, folder: Path) -> None:
        open_tls(folder, now=NOW)
        modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in (".", *FILES)}
        assert modes == {
            ".": 0o700,
            "ca-key.pem": 0o600,
            "leaf.pem": 0o600,
            "ca.pem": 0o644,
            "ca-bundle.pem": 0o644,
            "truststore.p12": 0o644,
        }

    def test_a_certificate_lasts_no_longer_than_clients_allow(self, folder: Path) -> None:
        shown = shown_certificate(open_tls(folder, now=NOW).context, None)
        assert (shown.not_valid_after_utc - shown.not_valid_before_utc).days < 397

    def test_extra_names_come_in_any_spelling(self, folder: Path) -> None:
        names = ["Relay.Test.", "*.apps.test", "10.0.0.7", "FE80:0::1", "bücher.test"]
        shown = shown_certificate(open_tls(folder, names, now=NOW).context, None)
        plain = {"relay.test", "*.apps.test", "10.0.0.7", "fe80::1", "xn--bcher-kva.test"}
        assert names_of(shown) == {*NAMES, *plain}

    @pytest.mark.parametrize("name", ["", "a b", "my_host", "a@b.test", "10.0.0.0/8", "x..y", "*"])
    def test_a_name_no_certificate_can_bear_is_refused(self, folder: Path, name: str) -> None:
        with pytest.raises(ConfigError, match=r"Not a name for a certificate: .*give an IP"):
            open_tls(folder, [name], now=NOW)

    def test_connections_are_tls_1_2_or_newer(self, folder: Path) -> None:
        assert open_tls(folder, now=NOW).context.minimum_version == ssl.TLSVersion.TLSv1_2

    def test_session_keys_are_never_written_down(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSLKEYLOGFILE", str(folder / "keys.log"))
        shown_certificate(open_tls(folder, now=NOW).context, None)
        assert not (folder / "keys.log").exists()


class TestTrust:
    def test_the_bundle_holds_our_root_and_the_systems(
        self, folder: Path, system_root: trustme.CA
    ) -> None:
        open_tls(folder, now=NOW)
        ours, theirs = (folder / "ca.pem").read_bytes(), system_root.cert_pem.bytes()
        assert (folder / "ca-bundle.pem").read_bytes() == ours + theirs

    def test_the_truststore_holds_what_the_bundle_holds(self, folder: Path) -> None:
        open_tls(folder, now=NOW)
        store = pkcs12.load_pkcs12(
            (folder / "truststore.p12").read_bytes(), TRUSTSTORE_PASSWORD.encode()
        )
        bundle = x509.load_pem_x509_certificates((folder / "ca-bundle.pem").read_bytes())
        aliases = {c.friendly_name: c.certificate for c in store.additional_certs}
        assert aliases == {b"fakerelay": bundle[0], b"system-1": bundle[1]}

    def test_roots_of_a_system_that_keeps_a_folder_are_found(
        self, folder: Path, roots_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = roots_file.parent / "certs"
        kept.mkdir()
        (kept / "README").write_text("Not a certificate.\n")
        root = roots_file.rename(kept / "root.crt").read_bytes()
        monkeypatch.setenv("SSL_CERT_DIR", str(kept))
        open_tls(folder, now=NOW)
        assert (folder / "ca-bundle.pem").read_bytes().endswith(root)

    def test_newer_roots_of_the_system_reach_the_bundle(
        self, folder: Path, roots_file: Path
    ) -> None:
        tls = open_tls(folder, now=NOW)
        other = trustme.CA().cert_pem
        other.write_to_path(roots_file, append=True)
        later = (folder / "ca-bundle.pem").stat().st_mtime + 10
        touch(roots_file, later)
        tls.ensure_fresh(later + 1)
        assert other.bytes() in (folder / "ca-bundle.pem").read_bytes()

    def test_roots_dated_in_the_future_do_not_keep_us_busy(
        self, folder: Path, roots_file: Path
    ) -> None:
        tls = open_tls(folder, now=NOW)
        touch(roots_file, (folder / "ca-bundle.pem").stat().st_mtime + 10 * DAY)
        assert not tls.ensure_fresh(NOW + 1)

    def test_our_own_bundle_named_as_the_systems_is_not_taken_in(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_tls(folder, now=NOW)
        bundle = folder / "ca-bundle.pem"
        before = bundle.read_bytes()
        bundle.write_bytes(before * 2)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        open_tls(folder, ["another.test"], now=NOW)
        assert bundle.read_bytes().startswith((folder / "ca.pem").read_bytes())
        assert bundle.read_bytes().count((folder / "ca.pem").read_bytes()) == 1


class TestColdStart:
    def test_a_start_with_fresh_files_imports_no_cryptography(self, folder: Path) -> None:
        open_tls(folder, now=NOW)
        program = (
            "import sys, pathlib; from fakerelay.web.tls import open_tls\n"
            f"open_tls(pathlib.Path(sys.argv[1]), now={NOW})\n"
            "sys.exit(not sys.modules.keys().isdisjoint({'trustme', 'cryptography'}))"
        )
        assert subprocess.run([sys.executable, "-c", program, folder]).returncode == 0

    def test_processes_that_start_together_share_one_ca(self, folder: Path) -> None:
        program = (
            "import sys, pathlib; from fakerelay.web import authority, tls\n"
            f"input(); tls.open_tls(pathlib.Path(sys.argv[1]), now={NOW})\n"
            "print(pathlib.Path(sys.argv[1], 'leaf.pem').read_text())"
        )
        command = [sys.executable, "-c", program, str(folder)]
        pipe = subprocess.PIPE
        starts = [subprocess.Popen(command, stdin=pipe, stdout=pipe) for _ in range(4)]
        for start in starts:
            assert start.stdin
            start.stdin.write(b"\n")
            start.stdin.flush()
        assert len({start.communicate()[0] for start in starts}) == 1
        assert [start.returncode for start in starts] == [0] * 4

    def test_threads_that_start_together_share_one_ca(self, folder: Path) -> None:
        barrier = Barrier(8)

        def start(_: int) -> x509.Certificate:
            barrier.wait()
            return shown_certificate(open_tls(folder, now=NOW).context, None)

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(start, range(8)))) == 1


def test_an_open_tls_keeps_its_own_context(folder: Path) -> None:
    first, second = open_tls(folder, now=NOW), open_tls(folder, now=NOW)
    assert isinstance(first, Tls)
    assert first.context is not second.context
