"""Calls that tests of the vendor API have in common."""

import json
from collections.abc import Awaitable, Callable

from fakerelay.server import Server
from tests.web.wires import SOURCE

OpenServer = Callable[..., Awaitable[Server]]
RAW = json.dumps(SOURCE).encode()
STOP_SOURCE = {key: SOURCE[key] for key in ("appid", "roomid", "streamtype", "uid")}
EXPECT = ("Expect", "100-continue")
