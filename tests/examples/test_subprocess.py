import os
import subprocess
import sys

from fakerelay import FakeRelay

SERVICE = """
import json, os, urllib.request

env = os.environ
body = {"appid": int(env["FAKERELAY_APPID"]), "roomid": "room1", "streamtype": 2, "uid": "anna"}
body["rtmpurl"] = "rtmp://cdn.example.com/live/anna"
url = f"{env['FAKERELAY_URL']}/app/{body['appid']}/v2/rtmpforward/startrtmp?traceId=first"
headers = {"token": env["FAKERELAY_TOKEN"], "Content-Type": "application/json"}
call = urllib.request.Request(url, json.dumps(body).encode(), headers)
print(urllib.request.urlopen(call).read().decode())
"""


def test_a_service_in_a_process_of_its_own(fakerelay: FakeRelay) -> None:
    command = [sys.executable, "-c", SERVICE]
    ran = subprocess.run(
        command, env=os.environ | fakerelay.env(), capture_output=True, text=True, check=True
    )
    assert '"code": 0' in ran.stdout
    fakerelay.assert_called("startrtmp", times=1, uid="anna", traceid="first")
