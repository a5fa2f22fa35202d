"""What is told of a callback URL that can't be used."""

import re
from typing import Final

from fakerelay.errors import ConfigError
from fakerelay.targets import check_callback_url

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|", re.IGNORECASE | re.ASCII)
_MOST_SHOWN: Final = 60


def explain_url(url: str) -> str:
    """What is wrong with a URL, which is shown as far as it can't hold a secret."""
    try:
        check_callback_url(url)
    except ConfigError as error:
        told = str(error)
    else:
        told = (
            "Can't use the callback URL: it must be http:// or https:// with"
            " [USER:PASSWORD@]HOST[:PORT][/PATH], of at most 2000 ASCII characters;"
            " give one like http://127.0.0.1:9000/callbacks"
        )
    return told.replace("the callback URL", f"the callback URL {_mask(url)!r}", 1)


def _mask(url: str) -> str:
    """Scheme, host and port, as far as what need not be a URL can be said to have any."""
    found = _SCHEME.match(url)
    scheme = found[0] if found else ""
    _, at, rest = url[len(scheme) :].rpartition("@")
    host = re.match(r"[^/?#]*[/?#]?", rest)
    shown = scheme + ("***@" if at else "") + (host[0] if host else "")
    if len(shown) > _MOST_SHOWN:
        return f"{shown[:_MOST_SHOWN]}..."
    return f"{shown}..." if host and host.end() < len(rest) else shown
