"""What a server shows of its certificates."""

import ssl
from pathlib import Path

from cryptography import x509

NOW = 1_700_000_000.0
DAY = 86400.0
# In the order in which they are written.
FILES = ("ca-key.pem", "ca.pem", "ca-bundle.pem", "truststore.p12", "leaf.pem")


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
