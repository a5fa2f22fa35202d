"""Found by any Python through PYTHONPATH: looks names of `TEST_HOST` up as 127.0.0.1."""

import os
import socket
from typing import Any

_lookup = socket.getaddrinfo


def _getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
    return _lookup("127.0.0.1" if host == os.environ["TEST_HOST"] else host, *rest, **options)


socket.getaddrinfo = _getaddrinfo
