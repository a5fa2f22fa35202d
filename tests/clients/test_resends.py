"""Which clients silently send a POST again when a kept-alive connection ends without a reply."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fakerelay import FakeRelay
from tests.clients.programs import need

pytestmark = pytest.mark.slow

ENDINGS = ("reset", "close_before_reply", "drop_after_commit")


def spoil(relay: FakeRelay, prefix: str) -> None:
    for fault in ENDINGS:
        step = {"fault": fault, "count": "always"}
        relay.control("create_fault", match={"uid": f"{prefix}{fault}"}, steps=[step])


def count_sent(relay: FakeRelay, prefix: str) -> dict[str, int]:
    sent = Counter(request["traceid"] for request in relay.requests())
    return {fault: sent[f"{prefix}{fault}"] for fault in ENDINGS}


def test_curl_sends_again() -> None:
    need("curl")
    with FakeRelay(settings={"concurrent_pushes": 0}) as relay:
        spoil(relay, "")
        for fault in ENDINGS:
            command = ["curl", "-sS", *_post(relay, "warm"), "--next", *_post(relay, fault)]
            subprocess.run(command, capture_output=True, timeout=20)
        assert count_sent(relay, "") == dict.fromkeys(ENDINGS, 2)


def _post(relay: FakeRelay, uid: str) -> list[str]:
    body: dict[str, Any] = {"appid": relay.appid, "roomid": "room", "streamtype": 2, "uid": uid}
    body["rtmpurl"] = f"rtmp://cdn.example/{uid}"
    headers = [each for pair in relay.headers.items() for each in ("--header", ": ".join(pair))]
    url = f"{relay.url}/app/{relay.appid}/v2/rtmpforward/startrtmp?traceId={uid}"
    return ["--max-time", "5", *headers, "--data", json.dumps(body), url]


def test_one_of_javas_clients_sends_again() -> None:
    need("javac")  # a java without it can't run a source file
    with FakeRelay(settings={"concurrent_pushes": 0}) as relay:
        spoil(relay, "client-")
        spoil(relay, "connection-")
        environment = {
            "PATH": os.environ["PATH"],
            "RELAY_URL": relay.url,
            "RELAY_APPID": str(relay.appid),
            "RELAY_TOKEN": relay.token,
        }
        command = ["java", str(Path(__file__).parent / "Resend.java"), *ENDINGS]
        subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
        assert count_sent(relay, "client-") == dict.fromkeys(ENDINGS, 1)
        assert count_sent(relay, "connection-") == dict.fromkeys(ENDINGS, 2)
