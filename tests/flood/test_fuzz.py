"""Mutated requests by the thousand: `FAKERELAY_TEST_FUZZ=100000` for the full number."""

import asyncio
import json
import os
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any

import pytest

from fakerelay.core.world import World
from fakerelay.journal import Exchange
from fakerelay.server import Server
from tests.web.wires import (
    CHUNKED,
    JSON_TYPE,
    MIXED,
    SOURCE,
    START,
    STOP,
    TOKEN,
    Wire,
    build,
    chunked,
    path_of,
)

pytestmark = pytest.mark.slow
OpenServer = Callable[..., Awaitable[Server]]

REQUESTS = int(os.environ.get("FAKERELAY_TEST_FUZZ", "5000"))
WORKERS = 16
SEED = int(os.environ.get("FAKERELAY_TEST_FUZZ_SEED", "1"))

CUSTOM = {
    **MIXED,
    "mixconfig": {
        "input": [{"uid": "a", "width": 320, "alpha": 0.5}, {"uid": "b", "x": 320, "zorder": 1}],
        "output": {"width": 640, "height": 360, "fps": 15},
    },
}
BODIES: list[dict[str, Any]] = [SOURCE, MIXED, CUSTOM]  # type: ignore[list-item]
STOPS = [{key: body[key] for key in body if key not in ("rtmpurl", "mixconfig")} for body in BODIES]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 1.5, -0.0, 2**31, 2**53, 2**64, 10**400, 1e300, "", " ",
    "0", "x" * 65, "x" * 600, "a b", "\0", "\u202e", "直播", "\ud800", "🎥", "'; --", "../..",
    "%s%n", "{path}", [], {}, [[]], {"a": {}}, [None] * 20, "rtmp://", "rtmp://h,rtmp://h",
    "rtmp://h:0", "rtmp://[::1]/a", "rtmp://a@b@c:1/d?e#f", ",", "rtmps://h/" + "x" * 300,
]  # fmt: skip
LITERALS = ["NaN", "-Infinity", "1e400", "9" * 5000, "[" * 2000 + "]" * 2000, "01", "'a'", "\\"]
HEADERS: list[tuple[str, str | bytes]] = [
    ("token", TOKEN),
    ("token", b"\xff\xfe"),
    ("Content-Type", "text/plain"),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked"),
    ("Transfer-Encoding", "gzip, chunked"),
    ("Content-Length", "0"),
    ("Content-Length", "1048577"),
    ("Expect", "100-continue"),
    ("Connection", "close"),
    ("Connection", "upgrade"),
    ("Upgrade", "websocket"),
    ("Cookie", "a=b; c"),
    ("X-Forwarded-For", "::1"),
    ("x", b"\x80" * 100),
    ("x", "y" * 9000),
    ("Authorization", "Basic x"),
]
TOKENS = [None, "", "Basic", "Basic ", "basic " + TOKEN[6:], TOKEN + "=", TOKEN[:-2], TOKEN[::-1]]
TYPES = [None, "", "application/json", "text/json", "application/json;charset=gbk", "a" * 5000]
STATUS = re.compile(rb"HTTP/\d\.\d (\d{3}) ")
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
METHODS = ["GET", "HEAD", "PUT", "OPTIONS", "CONNECT", "post", "PRI", "X" * 40]
PIECES = ["/", "//", "..", "%2e", "%00", "%ff", "?", "&traceId=", "app", "7", "08", "*", "\\", "#"]


class Fuzzer:
    """Makes requests from valid ones, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(self) -> bytes:
        choose = self._random.random()
        if choose < 0.5:
            return self._from_body()
        if choose < 0.65:
            return self._from_text()
        if choose < 0.8:
            return self._from_head()
        if choose < 0.95:
            return self._from_bytes()
        return self._random.randbytes(self._random.randrange(1, 400))

    def _body(self) -> tuple[str, dict[str, Any]]:
        """A valid body of few names and addresses, so that they collide."""
        operation = self._random.choice([START, START, STOP])
        chosen = self._random.choice(BODIES if operation == START else STOPS)
        body: dict[str, Any] = json.loads(json.dumps(chosen))
        for name in ("uid", "taskid"):
            if name in body:
                body[name] = self._random.choice("abcd")
        body["roomid"] = self._random.choice(["r"] * 9 + ["q"])
        if operation == START:
            count = self._random.choice([1, 1, 2])
            urls = [f"rtmp://h/{self._random.randrange(40)}" for _ in range(count)]
            body["rtmpurl"] = ",".join(urls)
        return operation, body

    def _from_body(self) -> bytes:
        operation, body = self._body()
        for _ in range(self._random.choice([0, 0, 0, 1, 1, 1, 2, 3])):
            self._break(body)
        return build(_dump(body), path_of(operation))

    def _break(self, body: dict[str, Any]) -> None:
        """Change, add or take away one value, anywhere inside."""
        node: Any = body
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                return
            key = self._random.choice(keys)
            if not isinstance(node[key], dict | list) or self._random.random() < 0.3:
                break
            node = node[key]
        if isinstance(node, dict) and self._random.random() < 0.3:
            node.pop(key)
        elif isinstance(node, dict) and self._random.random() < 0.2:
            node[str(self._random.choice(VALUES))] = deepcopy(self._random.choice(VALUES))
        else:
            node[key] = deepcopy(self._random.choice(VALUES))

    def _from_text(self) -> bytes:
        """JSON that Python would not write."""
        operation, body = self._body()
        text = json.dumps(body)
        for _ in range(self._random.choice([1, 1, 2])):
            start = self._random.randrange(len(text))
            end = min(len(text), start + self._random.randrange(8))
            text = text[:start] + self._random.choice([*LITERALS, ""]) + text[end:]
        raw = text.encode(self._random.choice(["utf-8"] * 5 + ["utf-16", "utf-8-sig"]))
        return build(raw, path_of(operation))

    def _from_head(self) -> bytes:
        operation, body = self._body()
        target = path_of(operation, query=self._random.choice(["traceId=t", "", "traceId=%ff"]))
        if self._random.random() < 0.4:
            place = self._random.randrange(len(target))
            target = target[:place] + self._random.choice(PIECES) + target[place:]
        raw = json.dumps(body).encode()
        headers = self._random.sample(HEADERS, self._random.choice([0, 1, 1, 2]))
        is_chunked = self._random.random() < 0.2
        request = build(
            None if is_chunked else raw,
            target,
            method=self._random.choice(["POST"] * 6 + METHODS),
            token=self._random.choice([TOKEN] * 6 + TOKENS),
            content_type=self._random.choice([JSON_TYPE] * 6 + TYPES),
            headers=[*headers, *([CHUNKED] if is_chunked else [])],
        )
        return request + (chunked(raw, self._random.randrange(1, 60)) if is_chunked else b"")

    def _from_bytes(self) -> bytes:
        raw = bytearray(self._from_head() if self._random.random() < 0.5 else self._from_body())
        for _ in range(self._random.choice([1, 1, 2, 5])):
            place = self._random.randrange(len(raw))
            choose = self._random.random()
            if choose < 0.5:
                raw[place] = self._random.randrange(256)
            elif choose < 0.75:
                del raw[place : place + self._random.randrange(1, 20)]
            else:
                raw[place:place] = self._random.randbytes(self._random.randrange(1, 5))
            if not raw:
                break
        return bytes(raw)


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=True).encode()


async def test_fuzzed_requests_never_break_anything(
    open_server: OpenServer,
) -> None:
    """The fixture watches the log: what a request made anything complain of fails this as well."""
    witness = Witness()
    server = await open_server(journal_size=10, on_exchange=witness.see)
    witness.view = server.tenants.default.service.view
    fuzzer = Fuzzer(SEED)
    requests = (fuzzer.request() for _ in range(REQUESTS))
    statuses: Counter[int] = Counter()

    async def talk_on() -> None:
        for raw in requests:
            replies = await talk(server, raw)
            statuses.update(int(status) for status in STATUS.findall(replies))
            assert b"Traceback" not in replies, raw

    await asyncio.gather(*(talk_on() for _ in range(WORKERS)))
    assert [status for status in statuses if status >= 500] == []
    assert witness.mistakes == []
    # Or else it has not been the vendor API that was fuzzed.
    assert witness.codes[0] > REQUESTS / 50, witness.codes
    assert len(witness.codes) >= 12, witness.codes


class Witness:
    """Sees each exchange before anything else can happen in the world."""

    def __init__(self) -> None:
        self.view = World()
        self.codes: Counter[int | None] = Counter()
        self.mistakes: list[tuple[str, int | None, int]] = []
        self._revision: int | None = None

    def see(self, exchange: Exchange) -> None:
        moved = self.view.revision - (self._revision or self.view.revision)
        self._revision = self.view.revision
        self.codes[exchange.code] += 1
        if (exchange.status or 0) >= 500 or (moved and exchange.problem is not None):
            self.mistakes.append((exchange.target, exchange.code, moved))


async def talk(server: Server, raw: bytes) -> bytes:
    """What comes back for bytes that may be no, one or several requests."""
    opened = await Wire.open(server.url)
    replies = b""
    try:
        await opened.send(raw + LAST)
        # Where the bytes ask for more than they bring, nobody says anything any more.
        while more := await opened.some(patience_seconds=0.1):
            replies += more
    except OSError:
        pass  # cut off, which is fine
    finally:
        opened.abort()
    return replies
