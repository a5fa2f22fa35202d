"""The kit's own receiver of push statuses, over sockets."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from fakerelay.contract.callbacks.arrivals import Answer, Arrival
from fakerelay.contract.callbacks.receivers import Receiver
from fakerelay.errors import ConfigError


def choose(body: bytes) -> Answer:
    return {b"500": Answer(500), b"drop": Answer(None), b"late": Answer(is_late=True)}.get(
        body, Answer()
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(choose, timeout_seconds=-1.0) as receiver:
        yield receiver


def post(receiver: Receiver, body: bytes, method: str = "POST", **options: object) -> int:
    place = urlsplit(receiver.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    with closing(connection):
        connection.request(method, "/any/path?a=b", body, **options)  # type: ignore[arg-type]
        return connection.getresponse().status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_any_path_and_method_is_noted(receiver: Receiver, method: str) -> None:
    assert post(receiver, b"told", method, headers={"X-Own": "1"}) == 200
    (arrival,) = receiver.take()
    assert (arrival.method, arrival.path, arrival.body) == (method, "/any/path?a=b", b"told")
    assert arrival.headers["x-own"] == "1"
    assert receiver.take() == []


def test_body_may_come_in_chunks(receiver: Receiver) -> None:
    assert post(receiver, iter([b"to", b"ld"])) == 200  # type: ignore[arg-type]
    assert [each.body for each in receiver.take()] == [b"told"]


def test_answer_is_the_one_chosen_for_the_body(receiver: Receiver) -> None:
    assert post(receiver, b"500") == 500
    with pytest.raises(http.client.RemoteDisconnected):
        post(receiver, b"drop")
    assert post(receiver, b"late") == 200
    assert [each.answer.is_success for each in receiver.take()] == [False, False, False]


def test_waiting_ends_with_the_first_that_comes(receiver: Receiver) -> None:
    post(receiver, b"told")
    receiver.wait(60)
    assert len(receiver.take()) == 1


POST = b"POST / HTTP/1.1\r\n"
NOISE = {
    "nothing": b"",
    "a word": b"hello\r\n\r\n",
    "breaks off": POST + b"Content-Length: 9\r\n\r\ntold",
    "too long": POST + b"Content-Length: 9999999\r\n\r\ntold",
    "a length in words": POST + b"Content-Length: nine\r\n\r\ntold",
    "chunks that break off": POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nto",
    "chunks of no size": POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\ntold",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_what_is_no_request_is_not_noted(receiver: Receiver, noise: bytes) -> None:
    place = urlsplit(receiver.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as sender:
        sender.sendall(noise)
        sender.shutdown(socket.SHUT_WR)
        while sender.recv(1024):
            pass
    assert post(receiver, b"told") == 200
    assert [each.body for each in receiver.take()] == [b"told"]


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_it_listens_on_ipv6_too() -> None:
    with Receiver(choose, "::1") as receiver:
        assert post(receiver, b"told") == 200


def test_port_that_is_taken_is_said() -> None:
    with Receiver(choose) as receiver:
        port = urlsplit(receiver.url).port or 0
        with pytest.raises(ConfigError, match=r"--callback-listen '127\.0\.0\.1:\d+'"):
            Receiver(choose, port=port)


def test_arrival_has_the_json_that_came() -> None:
    arrival = Arrival(0.0, "POST", "/", {}, b'{"a": 1}', Answer())
    assert arrival.content == {"a": 1}
    assert arrival._replace(body=b"{").content is None
