"""Seconds from starting the process to its first answer, beside a bare aiohttp server's.

`fakerelay serve` with its defaults: TLS, control plane, the demo app.
"""

import http.client
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fakerelay.client import make_token
from fakerelay.config import DEMO_APP

ROUNDS = 15
BARE = Path(__file__).with_name("bare.py")
BODY = b'{"appid":%d,"roomid":"r","rtmpurl":"rtmp://a/b","streamtype":2,"uid":"u"}' % DEMO_APP.appid
PATH = f"/app/{DEMO_APP.appid}/v2/rtmpforward/startrtmp?traceId=1"
HEADERS = {
    "token": make_token(DEMO_APP.certificate_id, DEMO_APP.certificate_key),
    "Content-Type": "application/json;charset=utf-8",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measure_relay(folder)  # makes the CA, and compiles
        measure_bare()
        pairs = [(measure_bare(), measure_relay(folder)) for _ in range(ROUNDS)]
    ratio = statistics.median(relay / bare for bare, relay in pairs)
    bare, relay = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"fakerelay {relay * 1000:.0f} ms, bare {bare * 1000:.0f} ms, ratio {ratio:.2f}")


def measure_bare() -> float:
    port = free_port()
    return time_first_answer([sys.executable, str(BARE), str(port)], port, None)


def measure_relay(folder: str) -> float:
    port, control_port = free_port(), free_port()
    command = [sys.executable, "-m", "fakerelay", "serve", "--port", str(port)]
    command += ["--control-port", str(control_port), "--ca-dir", folder]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return time_first_answer(command, port, context)


def time_first_answer(command: list[str], port: int, context: ssl.SSLContext | None) -> float:
    # Compiled files are used by whoever installs it, whatever this shell says.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    try:
        while not answers(port, context):
            assert process.poll() is None, f"{command} ended"
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def answers(port: int, context: ssl.SSLContext | None) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    if context:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    try:
        connection.request("POST", PATH, BODY, HEADERS)
        return b'"code": 0' in connection.getresponse().read()
    except ConnectionError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
