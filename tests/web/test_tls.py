import os
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from fakerelay.errors import ConfigError
from fakerelay.web.ca_folder import TRUSTSTORE_PASSWORD, default_ca_dir
from fakerelay.web.tls import NAMES, Tls, TlsFiles, open_tls

NOW = 1_700_000_000.0
DAY = 86400.0
# In the order in which they are written.
FILES = ("ca-key.pem", "ca.pem", "ca-bundle.pem", "truststore.p12", "leaf.pem")


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


def shown_certificate(
    server: ssl.SSLContext, trust: Path | None, name: str = "localhost"
) -> x509.Certificate:
    """Shake hands in memory, as a client that trusts this file only (None: everybody)."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trust:
        client.load_verify_locations(trust)
    else:
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (here, there, here, there):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    shown = here.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


def names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


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


def touch(path: Path, at: float) -> None:
    os.utime(path, (at, at))


class TestRenewal:
    def test_a_fresh_certificate_stays(self, folder: Path) -> None:
        tls = open_tls(folder, now=NOW)
        before = contents(folder)
        assert not tls.ensure_fresh(NOW + 300 * DAY)
        open_tls(folder, now=NOW + 300 * DAY)
        assert contents(folder) == before

    @pytest.mark.parametrize("now", [NOW + 310 * DAY, NOW + 4000 * DAY, NOW - 2 * DAY])
    def test_a_due_certificate_is_renewed_within_the_live_context(
        self, folder: Path, now: float
    ) -> None:
        tls = open_tls(folder, now=NOW)
        context, ca = tls.context, (folder / "ca.pem").read_bytes()
        assert tls.ensure_fresh(now)
        shown = shown_certificate(context, None)
        assert shown.not_valid_after_utc.timestamp() == now + 365 * DAY
        assert (folder / "ca.pem").read_bytes() == ca

    def test_a_missing_name_is_added_to_what_others_serve(self, folder: Path) -> None:
        ours = open_tls(folder, ["a.test"], now=NOW)
        theirs = open_tls(folder, ["b.test"], now=NOW)
        assert names_of(shown_certificate(theirs.context, None)) == {*NAMES, "a.test", "b.test"}
        ours.ensure_fresh(NOW)
        assert names_of(shown_certificate(ours.context, None)) == {*NAMES, "a.test", "b.test"}

    def test_a_due_renewal_forgets_the_names_of_others(self, folder: Path) -> None:
        open_tls(folder, ["gone.test"], now=NOW)
        renewed = open_tls(folder, now=NOW + 310 * DAY)
        assert names_of(shown_certificate(renewed.context, None)) == {*NAMES}

    def test_a_renewal_by_another_process_is_loaded(self, folder: Path) -> None:
        ours = open_tls(folder, now=NOW)
        theirs = open_tls(folder, now=NOW + 310 * DAY)
        assert ours.ensure_fresh(NOW + 310 * DAY)
        shown = [shown_certificate(tls.context, None) for tls in (ours, theirs)]
        assert shown[0] == shown[1]

    @pytest.mark.parametrize("name", ["leaf.pem", "ca.pem", "ca-bundle.pem", "truststore.p12"])
    def test_a_missing_file_is_made_again(self, folder: Path, name: str) -> None:
        tls = open_tls(folder, now=NOW)
        ca = (folder / "ca.pem").read_bytes()
        (folder / name).unlink()
        assert tls.ensure_fresh(NOW)
        assert (folder / name).stat().st_size
        assert (folder / "ca.pem").read_bytes() == ca

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda pem: b"", id="empty"),
            pytest.param(lambda pem: pem[:-40], id="cut off"),
            pytest.param(lambda pem: b"\xff" + pem, id="header not UTF-8"),
            pytest.param(lambda pem: b"[]" + pem[pem.index(b"\n") :], id="header a list"),
            pytest.param(lambda pem: b"{}" + pem[pem.index(b"\n") :], id="header empty"),
            pytest.param(lambda pem: pem[pem.index(b"\n") :], id="no header"),
        ],
    )
    def test_a_damaged_leaf_is_made_again(
        self, folder: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        open_tls(folder, now=NOW)
        leaf = folder / "leaf.pem"
        leaf.write_bytes(damage(leaf.read_bytes()))
        shown_certificate(open_tls(folder, now=NOW).context, None)

    def test_a_leaf_of_a_ca_that_was_deleted_is_made_again(self, folder: Path) -> None:
        now = datetime.now(UTC).timestamp()
        open_tls(folder, now=now)
        for name in ("ca.pem", "ca-key.pem"):
            (folder / name).unlink()
        shown_certificate(open_tls(folder, now=now).context, folder / "ca.pem")

    @pytest.mark.parametrize("written", range(len(FILES)))
    def test_a_start_interrupted_anywhere_is_taken_up_by_the_next(
        self, folder: Path, written: int
    ) -> None:
        now = datetime.now(UTC).timestamp()
        open_tls(folder, now=now)
        for name in FILES[written:]:
            (folder / name).unlink()
        (folder / f".{FILES[written]}.new").write_text("half a fi")
        shown_certificate(open_tls(folder, now=now).context, folder / "ca-bundle.pem")


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


def test_an_open_tls_keeps_its_own_context(folder: Path) -> None:
    first, second = open_tls(folder, now=NOW), open_tls(folder, now=NOW)
    assert isinstance(first, Tls)
    assert first.context is not second.context
