"""Calls as values, and what a server answers to them and tells because of them."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from tests.mutants.conduct import CODES
from tests.mutants.servers import Mutant
from tests.mutants.tokens import ACCOUNTS

PATIENCE_SECONDS: Final = 60.0
HELD_SECONDS: Final = 1.0
JSON_TYPE: Final = "application/json;charset=utf-8"
FULL: Final[Mapping[str, Any]] = {"width": 640, "height": 360, "fps": 15, "bitrate": 500}
PROBLEMS: Final = {code: problem for problem, code in CODES.items()} | {0: "accepted"}


class Call(NamedTuple):
    """One request, and what a correct server makes of it."""

    operation: str
    body: Mapping[str, Any] | bytes
    expects: str = "accepted"
    appid: int = ACCOUNTS[0].appid
    tokens: tuple[str, ...] = (ACCOUNTS[0].token,)
    headers: Mapping[str, str] = {"Content-Type": JSON_TYPE}
    method: str = "POST"
    has_trace: bool = True
    prefix: str = "v2/rtmpforward"

    def but(self, **changes: Any) -> Self:
        """The same with other fields in the body; None leaves one out."""
        assert not isinstance(self.body, bytes)
        body = {key: value for key, value in {**self.body, **changes}.items() if value is not None}
        return self._replace(body=body)

    def by(self, *tokens: str) -> Self:
        return self._replace(tokens=tokens)

    def raw(self, *changes: tuple[str, str]) -> Self:
        """The same with a body written by hand: old text and new."""
        text = json.dumps(self.body)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return self._replace(body=text.encode("utf-8", "surrogatepass"))


class Race(NamedTuple):
    """Calls made at the same time; what they expect may come in any order."""

    calls: tuple[Call, ...]


def urls(names: str) -> str:
    """Addresses by short names: `a b`."""
    return ",".join(n if "://" in n else f"rtmp://cdn.example/live/{n}" for n in names.split())


def source(at: str = "a", uid: str = "u", room: str = "r", **changes: Any) -> Call:
    body = {"appid": ACCOUNTS[0].appid, "roomid": room, "rtmpurl": urls(at), "streamtype": 2}
    return Call("startrtmp", {**body, "uid": uid}).but(**changes)


def mixed(at: str = "a", taskid: str = "t", room: str = "r", **changes: Any) -> Call:
    layout = {"templateid": 1, "output": FULL}
    call = source(at, room=room, streamtype=1, taskid=taskid, mixconfig=layout)
    return call.but(uid=None).but(**changes)


def layout(**config: Any) -> Call:
    """A mixed start with this configuration and the usual output."""
    return mixed(mixconfig={"output": FULL, **config})


def tile(**changes: Any) -> Call:
    whole = {"uid": "u", "x": 0, "y": 0, "width": 320, "height": 180, "zorder": 0}
    return layout(input=[{**whole, **changes}])


def output(**changes: Any) -> Call:
    return mixed(mixconfig={"templateid": 1, "output": {**FULL, **changes}})


def stop(uid: str = "u", room: str = "r", **changes: Any) -> Call:
    body = {"appid": ACCOUNTS[0].appid, "roomid": room, "streamtype": 2, "uid": uid}
    return Call("stoprtmp", body).but(**changes)


def stop_mixed(taskid: str = "t", room: str = "r", **changes: Any) -> Call:
    return stop(room=room, streamtype=1, taskid=taskid).but(uid=None).but(**changes)


def other(call: Call) -> Call:
    """The same call of the second account, for its app."""
    account = ACCOUNTS[1]
    return call.but(appid=account.appid)._replace(appid=account.appid, tokens=(account.token,))


def no(problem: str, call: Call) -> Call:
    return call._replace(expects=problem)


class Reply(NamedTuple):
    """What came back; `envelope` is None where the body is no JSON."""

    status: int
    headers: Mapping[str, str | None]
    envelope: Any

    @property
    def problem(self) -> str:
        return PROBLEMS.get(self.envelope["code"], "?")


class Player:
    """Makes calls, each with a traceId of its own."""

    def __init__(self, mutant: Mutant) -> None:
        self._place = urlsplit(mutant.url)
        self._numbers = count()
        self.has_reply = threading.Event()

    def play(self, calls: Sequence[Call | Race]) -> list[Reply]:
        replies: list[Reply] = []
        for call in calls:
            replies += self._race(call) if isinstance(call, Race) else [self.make(call)]
        return replies

    def make(self, call: Call) -> Reply:
        return self._read(call, self._send(call))

    def _race(self, race: Race) -> list[Reply]:
        sent = [(call, self._send(call)) for call in race.calls]
        return sorted((self._read(*each) for each in sent), key=lambda reply: reply.problem)

    def _send(self, call: Call) -> HTTPConnection:
        trace_id = f"trace-{next(self._numbers)}"
        target = f"/app/{call.appid}/{call.prefix}/{call.operation}"
        connection = HTTPConnection(
            str(self._place.hostname), self._place.port, timeout=PATIENCE_SECONDS
        )
        body = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        connection.putrequest(call.method, target + f"?traceId={trace_id}" * call.has_trace)
        for token in call.tokens:
            connection.putheader("token", token)
        for name, value in {**call.headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection

    def _read(self, call: Call, connection: HTTPConnection) -> Reply:
        response = connection.getresponse()
        self.has_reply.set()
        raw = response.read()
        connection.close()
        headers = {name: response.headers[name] for name in ("Content-Type", "Allow")}
        return Reply(response.status, headers, _parse(raw, has_trace=call.has_trace))


def _parse(raw: bytes, *, has_trace: bool) -> Any:
    try:
        envelope = json.loads(raw)
    except ValueError:
        return None
    if not has_trace and isinstance(envelope.get("traceId"), str):
        envelope["traceId"] = "made up"
    return envelope


class Told(NamedTuple):
    """A notification as it arrived; `came_after_reply` where the player had its reply by then."""

    method: str
    content_type: str
    body: Mapping[str, Any]
    came_after_reply: bool
    at: float


@contextmanager
def open_receiver(player: Player, fails: int) -> Iterator[tuple[str, list[Told]]]:
    """A customer's server: its URL and what it is told. The first `fails` posts get a 500."""
    told: list[Told] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(size))
            after = player.has_reply.wait(HELD_SECONDS)
            kind = self.headers["Content-Type"]
            told.append(Told(self.command, kind, body, after, time.monotonic()))
            self.send_response(500 if len(told) <= fails else 204)
            self.end_headers()

        do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/push-status", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)
