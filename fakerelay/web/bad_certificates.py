"""Certificates that clients must refuse: each wrong in one way, and right in all others.

Imported only when one has to be made: cryptography takes as long to load as all else.
"""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fakerelay.errors import ConfigError
from fakerelay.web.authority import locked, open_ca
from fakerelay.web.ca_folder import CaFolder
from fakerelay.web.tls import server_context

_OTHER_NAME: Final = "wrong.fakerelay.test"
_LIFETIME = timedelta(days=90)
_Validity = tuple[datetime, datetime]


def open_context(
    fault: str,
    settings: Mapping[str, Any],
    names: Sequence[str],
    folder: CaFolder | None,
    now: float,
) -> ssl.SSLContext:
    """A server's context with the certificate that a fault of the vocabulary is about.

    `names` are what clients would accept. The CA of `folder` issues it; None: one nobody knows.
    `now` is real time, in seconds since 1970. Raises ConfigError.
    """
    validity = _find_validity(fault, settings, datetime.fromtimestamp(now, UTC))
    shown = [settings.get("name", _OTHER_NAME)] if fault == "wrong_name" else names
    if fault == "self_signed":
        leaf = _sign_itself(shown, validity)
    else:
        leaf = _issue(folder, shown, validity)
    context = server_context()
    leaf.configure_cert(context)
    return context


def _find_validity(fault: str, settings: Mapping[str, Any], now: datetime) -> _Validity:
    if fault == "expired":
        end = now - timedelta(days=settings.get("days", 1))
        return end - _LIFETIME, end
    if fault == "not_yet_valid":
        start = now + timedelta(days=settings.get("days", 30))
        return start, start + _LIFETIME
    return now - timedelta(days=1), now + _LIFETIME


def _issue(folder: CaFolder | None, names: Iterable[str], validity: _Validity) -> trustme.LeafCert:
    if folder is None:
        ca = trustme.CA(organization_name="nobody", organization_unit_name="an unknown CA")
    else:
        with locked(folder):
            ca = open_ca(folder)
    start, end = validity
    try:
        return ca.issue_cert(*names, organization_name="fakerelay", not_before=start, not_after=end)
    except ValueError as error:
        raise ConfigError(f"Can't make a certificate for {', '.join(names)}: {error}") from error


def _sign_itself(names: Iterable[str], validity: _Validity) -> trustme.LeafCert:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "fakerelay")])
    start, end = validity
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return trustme.LeafCert(pem, certificate.public_bytes(Encoding.PEM), [])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
