"""Servers that do anything but answer as the API does, each on a port of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Serve = Callable[[socket.socket, bytes], bytes | None]
"""Answers a request on a connection; None leaves it unanswered, and the connection open."""


class Dead(Exception):
    """Raised by what serves: from now on nobody listens."""


@contextmanager
def open_server(serve: Serve) -> Iterator[str]:
    """Its URL. A request is read whole; an answer of no bytes closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()
        port = listener.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(listener, serve, over), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)


def reply(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _accept(listener: socket.socket, serve: Serve, over: threading.Event) -> None:
    while not over.is_set():
        try:
            connection, _address = listener.accept()
        except OSError:
            return
        talk = (listener, connection, serve, over)
        threading.Thread(target=_talk, args=talk, daemon=True).start()


def _talk(
    listener: socket.socket, connection: socket.socket, serve: Serve, over: threading.Event
) -> None:
    with connection, suppress(OSError):
        try:
            _answer(connection, serve, over)
        except Dead:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _answer(connection: socket.socket, serve: Serve, over: threading.Event) -> None:
    while (request := _read(connection)) is not None:
        answer = serve(connection, request)
        if answer is None:
            over.wait(60)
            return
        connection.sendall(answer)
        if not answer:
            return


def _read(connection: socket.socket) -> bytes | None:
    head = b""
    while b"\r\n\r\n" not in head:
        got = connection.recv(65536)
        if not got:
            return None
        head += got
    head, _, body = head.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    size = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    while len(body) < size:
        got = connection.recv(65536)
        if not got:
            return None
        body += got
    return head + b"\r\n\r\n" + body
