"""Commands that are run with a relay of their own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SECONDS = 60
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
Exec = Callable[..., subprocess.CompletedProcess[str]]

# Knows nothing of fakerelay but what is in its environment.
CLIENT = """
import json, os, urllib.request
url = f"{os.environ['FAKERELAY_URL']}/app/{os.environ['FAKERELAY_APPID']}"
body = {"appid": int(os.environ["FAKERELAY_APPID"]), "roomid": "room1", "streamtype": 2,
        "uid": "anna", "rtmpurl": "rtmp://cdn.example.com/live/anna"}
headers = {"token": os.environ["FAKERELAY_TOKEN"], "Content-Type": "application/json"}
call = urllib.request.Request(
    f"{url}/v2/rtmpforward/startrtmp?traceId=t", json.dumps(body).encode(), headers)
print(urllib.request.urlopen(call, timeout=30).read().decode())
"""
TELL = "import json, os; print(json.dumps(dict(os.environ)))"


def compose(ca_dir: Path, *words: str) -> list[str]:
    """Options, and behind `--` Python's own arguments."""
    where = words.index("--") if "--" in words else len(words)
    options, arguments = words[:where], words[where + 1 :]
    command = [sys.executable, "-m", "fakerelay", "exec", "--ca-dir", str(ca_dir), *options]
    return [*command, "--", sys.executable, *arguments]
