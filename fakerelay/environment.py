"""How another process learns of a relay: the variables that `FakeRelay.env()` and `exec` set."""

from typing import Final

from fakerelay.client import make_token
from fakerelay.config import AppConfig
from fakerelay.web.tls import TlsFiles

VARIABLES: Final = (
    "FAKERELAY_URL",
    "FAKERELAY_HTTP_URL",
    "FAKERELAY_CONTROL_URL",
    "FAKERELAY_APPID",
    "FAKERELAY_CERTIFICATE_ID",
    "FAKERELAY_CERTIFICATE_KEY",
    "FAKERELAY_TOKEN",
    "FAKERELAY_CA_FILE",
    "FAKERELAY_CA_BUNDLE",
    "FAKERELAY_TRUSTSTORE",
    "FAKERELAY_WORLD",
)


def describe_relay(
    url: str,
    http_url: str | None,
    control_url: str | None,
    app: AppConfig | None,
    files: TlsFiles,
    world: str,
) -> dict[str, str]:
    """The variables that have a value; without TLS there are no files, without an app no token."""
    urls = (url, http_url, control_url)
    opens = (
        (None,) * 4
        if app is None
        else (
            str(app.appid),
            app.certificate_id,
            app.certificate_key,
            make_token(app.certificate_id, app.certificate_key),
        )
    )
    trust = (str(path) if path else None for path in files)
    values = zip(VARIABLES, (*urls, *opens, *trust, world), strict=True)
    return {name: value for name, value in values if value}
