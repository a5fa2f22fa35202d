"""Whom a command trusts: the variables with our files in them, and with the user's."""

import shlex
from pathlib import Path

import pytest

from fakerelay.cli.trust import add_trust
from fakerelay.web.tls import TlsFiles

BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    files = TlsFiles(*(tmp_path / name for name in ("ca.pem", "bundle.pem", "store.p12")))
    for path in files:
        assert path is not None
        path.write_text(f"{path.name}\n")
    return files


def java_options(store: str) -> str:
    prefix = "-Djavax.net.ssl.trustStore"
    return f"{prefix}={store} {prefix}Type=PKCS12 {prefix}Password=changeit"


def test_nothing_is_lost_of_an_environment_without_any(files: TlsFiles) -> None:
    environ, notes = add_trust({"PATH": "/bin", "SSL_CERT_FILE": ""}, files)
    assert environ == {
        "PATH": "/bin",
        **dict.fromkeys(BUNDLES, str(files.ca_bundle)),
        "NODE_EXTRA_CA_CERTS": str(files.ca_file),
        "JAVA_TOOL_OPTIONS": java_options(str(files.truststore)),
    }
    assert notes == []


def test_without_files_it_is_left_as_it_is() -> None:
    given = {"SSL_CERT_FILE": "/mine", "JAVA_TOOL_OPTIONS": "-Xmx1g"}
    environ, notes = add_trust(given, TlsFiles())
    assert (environ, notes) == (given, [])


@pytest.mark.parametrize("name", [*BUNDLES, "NODE_EXTRA_CA_CERTS"])
def test_file_of_the_users_is_copied_with_ours_added(
    files: TlsFiles, tmp_path: Path, name: str
) -> None:
    own = tmp_path / "own.pem"
    own.write_text("own")
    environ, notes = add_trust({name: str(own)}, files)
    copy = Path(environ[name])
    assert copy.read_text() == "own\nca.pem\n"
    assert own.read_text() == "own"
    assert notes == []


def test_copy_follows_the_file_and_is_one(files: TlsFiles, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    before = {*tmp_path.iterdir(), own}
    for text in ("old", "old", "new"):
        own.write_text(text)
        environ, _ = add_trust(dict.fromkeys(BUNDLES, str(own)), files)
        (copy,) = {Path(environ[name]) for name in BUNDLES}
        assert copy.read_text() == f"{text}\nca.pem\n"
        assert {*tmp_path.iterdir()} - before == {copy}


def test_file_that_has_ours_is_used_as_it_is(files: TlsFiles, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text("own\nca.pem")
    environ, notes = add_trust({"SSL_CERT_FILE": str(own)}, files)
    assert environ["SSL_CERT_FILE"] == str(own)
    assert notes == []


@pytest.mark.parametrize("own", ["/no/such.pem", "/"], ids=["missing", "a folder"])
def test_what_cannot_be_read_is_left_and_told(files: TlsFiles, own: str) -> None:
    environ, notes = add_trust({"REQUESTS_CA_BUNDLE": own}, files)
    assert environ["REQUESTS_CA_BUNDLE"] == own
    assert environ["SSL_CERT_FILE"] == str(files.ca_bundle)
    (note,) = notes
    assert note.startswith("REQUESTS_CA_BUNDLE is left as it is (")
    assert f": {own!r})" in note


def test_options_for_java_are_added_to(files: TlsFiles) -> None:
    environ, _ = add_trust({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, files)
    assert environ["JAVA_TOOL_OPTIONS"] == f"-Xmx1g {java_options(str(files.truststore))}"


@pytest.mark.parametrize(("store", "count"), [("/mine.p12", 1), ("{}", 0)], ids=["other", "ours"])
def test_trust_store_that_java_has_is_left(files: TlsFiles, store: str, count: int) -> None:
    given = f"-Djavax.net.ssl.trustStore={store.format(files.truststore)}"
    environ, notes = add_trust({"JAVA_TOOL_OPTIONS": given}, files)
    assert environ["JAVA_TOOL_OPTIONS"] == given
    assert len(notes) == count


@pytest.mark.parametrize(
    ("options", "store"),
    [
        ("-Xmx1g -Djavax.net.ssl.trustStore=/a.p12 -Dx=y", "/a.p12"),
        ('"-Djavax.net.ssl.trustStore=/it\'s a.p12"', "/it's a.p12"),
        ("-Djavax.net.ssl.trustStore='/a b.p12'", "/a b.p12"),
    ],
    ids=["bare", "quoted", "quoted in part"],
)
def test_note_on_a_trust_store_has_the_command_that_adds_ours(
    files: TlsFiles, options: str, store: str
) -> None:
    _, (note,) = add_trust({"JAVA_TOOL_OPTIONS": options}, files)
    command = ["keytool", "-importcert", "-noprompt", "-alias", "fakerelay"]
    command += ["-file", str(files.ca_file), "-keystore", store]
    assert f": add our CA to it ({shlex.join(command)}), or use FAKERELAY_HTTP_URL" in note


@pytest.mark.parametrize(
    ("folder", "quoted"),
    [("a b", '"{}"'), ("it's", '"{}"'), ('a "b"', "'{}'")],
    ids=["space", "apostrophe", "quotes"],
)
def test_paths_are_quoted_as_java_reads_them(
    files: TlsFiles, tmp_path: Path, folder: str, quoted: str
) -> None:
    store = tmp_path / folder / "store.p12"
    environ, _ = add_trust({}, files._replace(truststore=store))
    option = quoted.format(f"-Djavax.net.ssl.trustStore={store}")
    assert environ["JAVA_TOOL_OPTIONS"].startswith(f"{option} ")
