"""Where push statuses come in: a server that answers on any path, and notes what it was sent."""

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from fakerelay.contract.callbacks.arrivals import Answer, Arrival
from fakerelay.errors import ConfigError

Choose = Callable[[bytes], Answer]
"""The answer to a body."""

_MOST_BYTES: Final = 1024 * 1024
_SOCKET_SECONDS: Final = 5.0
_BEYOND_PATIENCE: Final = 1.0


class Receiver:
    """Listens while it is entered; `take` gives what has come since it was asked last.

    `timeout_seconds` is the sender's patience, which a late answer outlasts. Raises ConfigError.
    """

    def __init__(
        self, choose: Choose, host: str = "127.0.0.1", port: int = 0, timeout_seconds: float = 5.0
    ) -> None:
        self._choose = choose
        self._late_seconds = timeout_seconds + _BEYOND_PATIENCE
        self._arrivals: list[Arrival] = []
        self._news = threading.Condition()
        self._is_over = threading.Event()
        try:
            server = _ServerOverIpv6 if ":" in host else _Server
            self._server = server((host, port), self._make_handler())
        except (OSError, OverflowError) as cause:
            raise ConfigError(
                f"Can't listen on --callback-listen '{host}:{port}' ({cause}): choose an address"
                " of this machine and a free port"
            ) from cause
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="callback receiver",
            daemon=True,
        )
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self) -> list[Arrival]:
        with self._news:
            taken, self._arrivals = self._arrivals, []
        return taken

    def wait(self, seconds: float) -> None:
        """Until something is there to be taken, or so long."""
        with self._news:
            self._news.wait_for(lambda: bool(self._arrivals), max(seconds, 0.0))

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Note a request; for threads of the server."""
        at = time.monotonic()
        answer = self._choose(body)
        with self._news:
            self._arrivals.append(Arrival(at, method, path, headers, body, answer))
            self._news.notify_all()
        if answer.is_late:
            self._is_over.wait(self._late_seconds)
        return answer

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        parts: dict[str, Any] = {"receiver": self}
        return type("ReceiverHandler", (_Handler,), parts)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 1024  # a run tells of many addresses at once, and none is to be lost


class _ServerOverIpv6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"
    timeout = _SOCKET_SECONDS

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True  # the sender has gone, or hangs, or speaks no HTTP

    def do_POST(self) -> None:
        self.close_connection = True
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.answer(self.command, self.path, headers, self._read())
        if answer.status is not None:
            self.send_response(answer.status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """What comes is judged, not printed."""

    def _read(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        return self._read_whole(int(self.headers.get("Content-Length", "0")))

    def _read_chunk(self) -> bytes:
        chunk = self._read_whole(int(self.rfile.readline(64).partition(b";")[0], 16))
        self.rfile.readline(64)
        return chunk

    def _read_whole(self, size: int) -> bytes:
        """Raises ValueError where it breaks off, or is too much."""
        body = self.rfile.read(min(max(size, 0), _MOST_BYTES))
        if len(body) != size:
            raise ValueError(f"{len(body)} bytes of {size}")
        return body
