"""The local CA at work: makes itself, its leaf, and the files with which clients trust it.

Imported only when something has to be made: cryptography takes as long to load as all else.
"""

import json
import os
import ssl
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from fakerelay.errors import ConfigError
from fakerelay.web.ca_folder import TRUSTSTORE_PASSWORD, CaFolder, LeafHeader, digest

_DAY = 86400
# Clients refuse more than 397 days in all; a day back helps those whose clock is behind.
_LIFETIME_SECONDS = 365 * _DAY
_LEEWAY_SECONDS = _DAY


@contextmanager
def locked(folder: CaFolder) -> Iterator[None]:
    """Keep other processes and threads from making files in the folder, which is made if missing.

    The operating system frees the lock of a process that dies.
    """
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def renew(folder: CaFolder, names: Sequence[str], now: float) -> None:
    """Write a new leaf for these names and what goes with it; the CA stays, if there is one."""
    ca = open_ca(folder)
    ca_pem = ca.cert_pem.bytes()
    _write(folder.ca, ca_pem, 0o644)
    roots = [ssl.PEM_cert_to_DER_cert(ca_pem.decode()), *_system_roots(folder)]
    _write(folder.bundle, _bundle(roots), 0o644)
    _write(folder.truststore, _truststore(roots), 0o644)
    # Last, since the others are looked for only by those who find a leaf.
    _write(folder.leaf, _issue(ca, names, now), 0o600)


def open_ca(folder: CaFolder) -> trustme.CA:
    """The CA of the folder, made where it is missing; only under the lock. Raises ConfigError."""
    try:
        pem = folder.ca_key.read_bytes()
    except FileNotFoundError:
        return _create_ca(folder)
    try:
        return trustme.CA.from_pem(pem, pem)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{str(folder.ca_key)!r} is damaged; delete the folder {str(folder.path)!r} to have"
            " a new CA made, or choose another with --ca-dir"
        ) from error


def _create_ca(folder: CaFolder) -> trustme.CA:
    if folder.ca.exists():
        raise ConfigError(
            f"{str(folder.ca)!r} has no {folder.ca_key.name!r} beside it; delete it to have"
            " a new CA made, or choose another folder with --ca-dir"
        )
    ca = trustme.CA(
        path_length=0,
        organization_name="fakerelay",
        organization_unit_name=f"fakerelay local CA {os.urandom(4).hex()}",
    )
    # Certificate and key in one file, so that there is never one without the other.
    _write(folder.ca_key, ca.cert_pem.bytes() + ca.private_key_pem.bytes(), 0o600)
    return ca


def _issue(ca: trustme.CA, names: Sequence[str], now: float) -> bytes:
    start, end = now - _LEEWAY_SECONDS, now + _LIFETIME_SECONDS
    try:
        leaf = ca.issue_cert(
            *names,
            organization_name="fakerelay",
            organization_unit_name="fakerelay",
            not_before=datetime.fromtimestamp(start, UTC),
            not_after=datetime.fromtimestamp(end, UTC),
        )
    except ValueError as error:
        raise ConfigError(f"Can't make a certificate for {', '.join(names)}: {error}") from error
    pem = leaf.private_key_and_cert_chain_pem.bytes()
    header = LeafHeader([*names], start, end, digest(ca.cert_pem.bytes()), digest(pem))
    return json.dumps(header._asdict()).encode() + b"\n" + pem


def _system_roots(folder: CaFolder) -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in folder.system_roots():
        # A folder given as such is only searched for a known name, never listed.
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            try:
                context.load_verify_locations(file)
            except OSError:  # Not a certificate, or not for us to read.
                continue
        if roots := context.get_ca_certs(binary_form=True):
            return roots
    context.load_default_certs()  # What a system keeps elsewhere than in files.
    return context.get_ca_certs(binary_form=True)


def _bundle(roots: Sequence[bytes]) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, roots)).encode()


def _truststore(roots: Sequence[bytes]) -> bytes:
    certificates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of old roots that bend the standards.
        for number, der in enumerate(roots):
            try:
                certificate = x509.load_der_x509_certificate(der)
            except ValueError:
                continue
            alias = f"system-{number}" if number else "fakerelay"
            certificates.append(pkcs12.PKCS12Certificate(certificate, alias.encode()))
        encryption = BestAvailableEncryption(TRUSTSTORE_PASSWORD.encode())
        return pkcs12.serialize_java_truststore(certificates, encryption)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replace a file as a whole; only under the lock, which makes the temporary name ours."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    temporary.chmod(mode)
    temporary.replace(path)
