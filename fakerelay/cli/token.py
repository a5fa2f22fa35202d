"""`fakerelay token`: the value of the header that authenticates a call."""

import click

from fakerelay.cli.keys import ask_key, read_key
from fakerelay.errors import ConfigError


@click.command(short_help='Print the value of the "token" header.')
@click.argument("certificate_id", metavar="CERTID")
def token(certificate_id: str) -> None:
    """Print the value of the "token" header for a certificate.

    Its key comes from FAKERELAY_CERTIFICATE_KEY, from the file that FAKERELAY_CERTIFICATE_KEY_FILE
    names, or from a prompt; never from an argument, which others could see.
    """
    from fakerelay.client import make_token  # brings an HTTP client along

    if not certificate_id or ":" in certificate_id:
        raise ConfigError(f"Not a certificate id: {certificate_id!r}; it has no colon in it")
    click.echo(make_token(certificate_id, read_key() or ask_key(certificate_id)))
