"""Whom a command trusts: the local CA besides, by the variables that programs read for that."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fakerelay.web.ca_folder import TRUSTSTORE_PASSWORD, digest
from fakerelay.web.tls import TlsFiles

# Those of the first kind replace a program's own roots, so they name a file that has such, too.
_BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_EXTRAS: Final = ("NODE_EXTRA_CA_CERTS",)
_JAVA: Final = "JAVA_TOOL_OPTIONS"
_STORE: Final = "-Djavax.net.ssl.trustStore"
_WORD: Final = re.compile(r"""(?:'[^']*'|"[^"]*"|[^'"\s])+""")
_QUOTED: Final = re.compile(r"""'([^']*)'|"([^"]*)["]""")


def add_trust(environ: Mapping[str, str], files: TlsFiles) -> tuple[dict[str, str], list[str]]:
    """The environment with these files in it, and notes on what had to be left as it is.

    A variable that names a file of the user's gets a copy of it with our CA added, which stays in
    the CA's folder: so nothing is left of a run that is killed.
    """
    changed, notes = dict(environ), list[str]()
    if not (files.ca_file and files.ca_bundle and files.truststore):
        return changed, notes
    named = dict.fromkeys(_BUNDLES, files.ca_bundle) | dict.fromkeys(_EXTRAS, files.ca_file)
    for name, path in named.items():
        own = environ.get(name)
        try:
            changed[name] = str(_extend(Path(own), files.ca_file) if own else path)
        except OSError as error:
            notes.append(_explain(name, f"{error.strerror or error}: {error.filename!r}"))
    options = environ.get(_JAVA, "")
    if f"{_STORE}=" not in options:
        changed[_JAVA] = f"{options} {_java_options(files.truststore)}".lstrip()
    elif str(files.truststore) not in options:
        notes.append(
            _explain(_JAVA, "it names a trust store of its own", _import_ca(options, files))
        )
    return changed, notes


def _import_ca(options: str, files: TlsFiles) -> str:
    """The command to paste that adds our CA to the store which the options name."""
    store = next(word for word in _split(options) if word.startswith(f"{_STORE}="))
    words = ["keytool", "-importcert", "-noprompt", "-alias", "fakerelay"]
    words += ["-file", str(files.ca_file), "-keystore", store.partition("=")[2]]
    return f"add our CA to it ({shlex.join(words)})"


def _split(options: str) -> Iterator[str]:
    """As Java reads the variable: quotes of either kind, anywhere, and no escapes."""
    for found in _WORD.finditer(options):
        yield _QUOTED.sub(r"\1\2", found[0])


def _extend(own: Path, ca_file: Path) -> Path:
    """A file with what the user's one has, and our CA."""
    roots, ca = own.read_bytes(), ca_file.read_bytes()
    if ca.strip() in roots:
        return own
    name = f"ca-with-{digest(os.fsencode(own.absolute()))[:16]}.pem"
    copy, extended = ca_file.with_name(name), roots + b"\n" + ca
    if not copy.exists() or copy.read_bytes() != extended:
        temporary = copy.with_name(f".{name}.{os.getpid()}")
        temporary.write_bytes(extended)
        temporary.replace(copy)
    return copy


def _java_options(truststore: Path) -> str:
    settings = {"": truststore, "Type": "PKCS12", "Password": TRUSTSTORE_PASSWORD}
    return " ".join(_quote(f"{_STORE}{key}={value}") for key, value in settings.items())


def _quote(option: str) -> str:
    """As Java reads the variable: quotes of either kind, and no escapes."""
    if not any(letter.isspace() or letter in "'\"" for letter in option):
        return option
    return f"'{option}'" if '"' in option else f'"{option}"'


def _explain(name: str, reason: str, way_out: str = "add the CA in FAKERELAY_CA_FILE there") -> str:
    return (
        f"{name} is left as it is ({reason}), so programs that read it may refuse the relay's"
        f" certificate: {way_out}, or use FAKERELAY_HTTP_URL"
    )
