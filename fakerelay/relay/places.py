"""Where a relay is, and what opens it."""

import ssl

from fakerelay.client import make_token
from fakerelay.config import AppConfig
from fakerelay.environment import describe_relay
from fakerelay.lodgings import Lodging
from fakerelay.lodgings.clients import find_url
from fakerelay.server import Server
from fakerelay.web.tls import TlsFiles


class Place:
    """Of one relay: URLs and credentials. Raises FakerelayError where it isn't running."""

    def __init__(self, app: AppConfig, lodging: Lodging, *, tls: bool) -> None:
        self._app = app
        self._tls = tls
        self._lodging = lodging
        self._host = lodging.host

    @property
    def is_open(self) -> bool:
        return self._lodging.is_open

    @property
    def url(self) -> str:
        """The vendor API: HTTPS with `tls`, else plain HTTP."""
        return find_url(self._running(), is_tls=self._tls)

    @property
    def http_url(self) -> str:
        """The vendor API over plain HTTP."""
        return self._running().http_url or ""

    @property
    def control_url(self) -> str:
        """The control plane, for other languages; `control` needs none."""
        return self._running().control_url or ""

    @property
    def ca_file(self) -> str | None:
        """What a client has to trust; None without TLS."""
        path = self._running().tls_files.ca_file if self._tls else None
        return str(path) if path else None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """A client's context that trusts this relay; None without TLS."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None

    @property
    def appid(self) -> int:
        """The app that calls are about: a random one on the server of others."""
        return self._app.appid

    @property
    def certificate_id(self) -> str:
        """Opens the app, together with the key: the first half of the `token` header's value."""
        return self._app.certificate_id

    @property
    def certificate_key(self) -> str:
        """The secret half of it."""
        return self._app.certificate_key

    @property
    def callback_url(self) -> str | None:
        """Where its callbacks go; None is nowhere, or where its snapshot says."""
        inbox = self._lodging.inbox
        return self._app.callback_url if inbox is None else inbox.url

    @property
    def token(self) -> str:
        """The whole value of the `token` header."""
        return make_token(self.certificate_id, self.certificate_key)

    @property
    def headers(self) -> dict[str, str]:
        """What every call of the vendor API needs."""
        return {"token": self.token, "Content-Type": "application/json;charset=utf-8"}

    def env(self) -> dict[str, str]:
        """The same for a subprocess, as environment variables."""
        files = self._running().tls_files if self._tls else TlsFiles()
        world = self._lodging.world_id
        return describe_relay(self.url, self.http_url, self.control_url, self._app, files, world)

    def _running(self) -> Server:
        """The server, as long as the relay's world is there."""
        return self._lodging.server
