import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from fakerelay import FakeRelay

ARRIVED: Queue[Any] = Queue()


class Receiver(BaseHTTPRequestHandler):
    """Your service's callback endpoint."""

    def do_POST(self) -> None:
        ARRIVED.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def callback_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/callbacks"
        server.shutdown()
        thread.join()


async def test_a_failing_cdn_is_told(callback_url: str) -> None:
    async with FakeRelay(callback_url=callback_url) as relay, relay.client() as client:
        await client.start_source("room1", "anna", "rtmp://cdn.example.com/live/anna")
        relay.control("set_push_status", appid=relay.appid, uid="anna", status="cdn_failed")
        told = await relay.acontrol("callbacks", state="delivered", count=2, wait_seconds=5)
    assert [each["attempts"][0]["status"] for each in told["items"]] == [200, 200]
    assert [ARRIVED.get()["context"]["status"] for _ in range(2)] == [0, 1]
