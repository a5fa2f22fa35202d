"""What calls the vendor API of a relay, and where."""

from fakerelay.hosts.clients import HostedClient
from fakerelay.hosts.errands import Errands
from fakerelay.server import Server
from fakerelay.wants import Wanted


def make_client(host: Errands, server: Server, wanted: Wanted) -> HostedClient:
    return HostedClient(
        host,
        find_url(server, is_tls=wanted.tls),
        wanted.app.appid,
        wanted.app.certificate_id,
        wanted.app.certificate_key,
        ca_file=server.tls_files.ca_file if wanted.tls else None,
    )


def find_url(server: Server, *, is_tls: bool) -> str:
    """The vendor API of a relay."""
    return server.url if is_tls else (server.http_url or "")
