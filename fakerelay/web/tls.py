"""TLS of the vendor's port: the certificate it shows, renewed in place, and what clients trust."""

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from fakerelay.errors import ConfigError
from fakerelay.web.ca_folder import RENEW_BEFORE_SECONDS, CaFolder, default_ca_dir
from fakerelay.web.plaintext import AnsweringContext

NAMES = ("localhost", "127.0.0.1", "::1", "api.jocloud.com", "api-oversea.jocloud.com")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")


class TlsFiles(NamedTuple):
    """What clients are told to trust, absolute; None each where the certificate is the user's."""

    ca_file: Path | None = None
    ca_bundle: Path | None = None
    truststore: Path | None = None


class _Source(Protocol):
    files: TlsFiles
    cert: Path
    key: Path | None

    def refresh(self, now: float) -> None: ...


class Tls:
    """A server's certificate, in a context that stays the same while the certificate changes."""

    def __init__(self, source: _Source) -> None:
        self.files = source.files
        self.context = server_context()
        self._source = source
        self._loaded: list[tuple[int, int]] = []

    def ensure_fresh(self, now: float) -> bool:
        """Renew the certificate if that is due, load it if it changed, and say whether it did.

        `now` is real time as clients see it, in seconds since 1970. Raises ConfigError, and the
        context goes on with what it had.
        """
        self._source.refresh(now)
        cert, key = self._source.cert, self._source.key
        stamps = [_stamp(path) for path in (cert, key) if path]
        if stamps == self._loaded:
            return False
        if self._loaded:  # Then what can't be loaded mustn't spoil a live context.
            _load(server_context(), cert, key)
        _load(self.context, cert, key)
        self._loaded = stamps
        return True


def open_tls(
    ca_dir: Path | None,
    names: Sequence[str] = (),
    cert: Path | None = None,
    key: Path | None = None,
    *,
    now: float,
) -> Tls:
    """Have a certificate ready: the user's own, or one of the CA in `ca_dir`, made where missing.

    Without `key`, the file `cert` holds both. Raises ConfigError.
    """
    if key and not cert:
        raise ConfigError(f"The TLS key {str(key)!r} has no certificate; add --tls-cert")
    source = _OwnPair(cert, key) if cert else _LocalCa(ca_dir or default_ca_dir(), names)
    tls = Tls(source)
    tls.ensure_fresh(now)
    return tls


class _OwnPair:
    """The user's certificate: loaded again when its files change, otherwise left alone."""

    files = TlsFiles()

    def __init__(self, cert: Path, key: Path | None) -> None:
        self.cert = cert
        self.key = key

    def refresh(self, now: float) -> None:
        """Nothing is renewed that isn't ours."""


class _LocalCa:
    """A certificate of our own CA, in a folder that other processes may use at the same time."""

    key: Path | None = None

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        folder = self._folder = CaFolder(path)
        self._names = list(dict.fromkeys((*NAMES, *map(_plain_name, names))))
        self.cert = folder.leaf
        self.files = TlsFiles(folder.ca, folder.bundle, folder.truststore)

    def refresh(self, now: float) -> None:
        folder = self._folder
        try:
            if not folder.is_fresh(self._names, now):
                self._renew(now)
        except OSError as error:
            raise ConfigError(
                f"Can't use the CA folder {str(folder.path)!r}: {error.strerror or error}"
                f" ({error.filename or folder.path}); make it readable and writable for this"
                " user, or choose another with --ca-dir"
            ) from error

    def _renew(self, now: float) -> None:
        try:
            self._make(now)
        except (OSError, ConfigError) as error:
            # Such as a secret mounted read-only, or without the CA's key: it serves while it can.
            if not self._is_sealed(error) or self._folder.read_leaf() is None:
                raise
            if fault := self._folder.find_fault(self._names, now):
                raise ConfigError(self._explain(fault, error)) from error

    def _is_sealed(self, error: Exception) -> bool:
        return isinstance(error, OSError) or not self._folder.ca_key.exists()

    def _explain(self, fault: str, error: Exception) -> str:
        """What is wrong with the leaf, why there's no other, and how to get one."""
        folder = self._folder
        reason, way_out = f"there is no {folder.ca_key.name}", ""
        if isinstance(error, OSError):
            reason = f"{error.strerror or error} ({error.filename or folder.path})"
            way_out = "make it readable and writable for this user, or "
        added = "".join(f" --tls-name {name}" for name in self._names if name not in NAMES)
        return (
            f"Can't use the CA folder {str(folder.path)!r}: {fault}, and can't be renewed:"
            f" {reason}; {way_out}make the folder again{' with' if added else ''}{added},"
            " or choose another with --ca-dir"
        )

    def _make(self, now: float) -> None:
        from fakerelay.web import authority  # Slow to import, and hardly ever needed.

        folder = self._folder
        with authority.locked(folder):
            if folder.is_fresh(self._names, now):
                return
            # Others may serve names we don't know; without them they'd renew in their turn.
            leaf = folder.read_leaf()
            others = leaf.names if leaf and now + RENEW_BEFORE_SECONDS < leaf.valid_until else []
            authority.renew(folder, list(dict.fromkeys((*self._names, *others))), now)


def _plain_name(name: str) -> str:
    """A name in the one form in which two can be compared."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        plain = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        plain = ""
    plain = plain.lower().removesuffix(".")
    if not _HOST_NAME.fullmatch(plain):
        raise ConfigError(
            f"Not a name for a certificate: {name!r}; give an IP address or a host name"
            " (letters, digits, hyphens and dots)"
        )
    return plain


def server_context() -> ssl.SSLContext:
    """A context of the vendor's port, still without a certificate."""
    # Not create_default_context: it writes session keys to a file where SSLKEYLOGFILE says so.
    context = AnsweringContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp(path: Path) -> tuple[int, int]:
    """Changes whenever the file does."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return status.st_mtime_ns, status.st_ino


def _load(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(cert, key, password=_refuse_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"The key in {str(key or cert)!r} isn't that of the certificate {str(cert)!r}"
        else:
            where = f" and {str(key)!r}" if key else ""
            problem = f"No certificate with its key, in PEM, is in {str(cert)!r}{where}"
        raise ConfigError(f"{problem}; see --tls-cert and --tls-key") from error
    except OSError as error:
        raise _unreadable(cert, error) from error


def _refuse_password() -> str:
    """OpenSSL would ask at the terminal, where often nobody is."""
    raise ConfigError("The TLS key is encrypted; give --tls-key one without a passphrase")


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"Can't read {str(error.filename or path)!r}: {error.strerror or error};"
        " see --tls-cert and --tls-key"
    )
