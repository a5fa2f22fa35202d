"""Whom a command trusts: the local CA besides, by the variables that programs read for that."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from fakerelay.web.ca_folder import TRUSTSTORE_PASSWORD
from fakerelay.web.tls import TlsFiles

# Those of the first kind replace a program's own roots, so they name a file that has such, too.
_BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_EXTRAS: Final = ("NODE_EXTRA_CA_CERTS",)
_JAVA: Final = "JAVA_TOOL_OPTIONS"
_STORE: Final = "-Djavax.net.ssl.trustStore"


@contextmanager
def trusting(
    environ: Mapping[str, str], files: TlsFiles
) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The environment with these files in it, and notes on what had to be left as it is.

    A variable that names a file already gets a copy of it, with our CA added, while this lasts.
    """
    changed, notes = dict(environ), list[str]()
    with ExitStack() as stack:
        if files.ca_file and files.ca_bundle and files.truststore:
            copies = _Copies(stack, files.ca_file)
            named = dict.fromkeys(_BUNDLES, files.ca_bundle) | dict.fromkeys(_EXTRAS, files.ca_file)
            for name, path in named.items():
                try:
                    changed[name] = str(copies.extend(name, environ.get(name)) or path)
                except OSError as error:
                    notes.append(_explain(name, f"can't read {environ[name]!r}: {error.strerror}"))
            options = environ.get(_JAVA, "")
            if f"{_STORE}=" not in options:
                changed[_JAVA] = f"{options} {_java_options(files.truststore)}".lstrip()
            elif str(files.truststore) not in options:
                notes.append(_explain(_JAVA, "it names a trust store of its own"))
        yield changed, notes


class _Copies:
    """The user's files with a CA added, in a folder that is made only where one is needed."""

    def __init__(self, stack: ExitStack, ca_file: Path) -> None:
        self._stack = stack
        self._ca = ca_file.read_bytes()
        self._folder: Path | None = None

    def extend(self, name: str, own: str | None) -> Path | None:
        """Where a file is that has the CA in it; None where the user named none."""
        if not own:
            return None
        roots = Path(own).read_bytes()
        if self._ca.strip() in roots:
            return Path(own)
        if self._folder is None:
            made = tempfile.TemporaryDirectory(prefix="fakerelay-exec-")
            self._folder = Path(self._stack.enter_context(made))
        copy = self._folder / f"{name}.pem"
        copy.write_bytes(roots + b"\n" + self._ca)
        return copy


def _java_options(truststore: Path) -> str:
    settings = {"": truststore, "Type": "PKCS12", "Password": TRUSTSTORE_PASSWORD}
    return " ".join(_quote(f"{_STORE}{key}={value}") for key, value in settings.items())


def _quote(option: str) -> str:
    """As Java reads the variable: quotes of either kind, and no escapes."""
    if not any(letter.isspace() or letter in "'\"" for letter in option):
        return option
    return f"'{option}'" if '"' in option else f'"{option}"'


def _explain(name: str, reason: str) -> str:
    return (
        f"{name} is left as it is ({reason}), so programs that read it may refuse the relay's"
        " certificate: add the CA in FAKERELAY_CA_FILE there, or use FAKERELAY_HTTP_URL"
    )
