"""A business server's calls, made with requests; knows nothing of fakerelay."""

import json
import os
import sys
from typing import Any

import requests

URL = f"{os.environ['RELAY_URL']}/app/{os.environ['RELAY_APPID']}/v2/rtmpforward"
HEADERS = {
    "token": os.environ["RELAY_TOKEN"],
    "Content-Type": "application/json;charset=utf-8",
}


def call(step: str, request: str, **body: Any) -> None:
    body |= {"appid": int(os.environ["RELAY_APPID"]), "roomid": "room-1", "streamtype": 1}
    reply = requests.post(
        f"{URL}/{request}?traceId=requests-{step}",
        headers=HEADERS,
        data=json.dumps(body),
        timeout=10,
    )
    line = {"step": step, "status": reply.status_code, "reply": reply.json()}
    sys.stdout.write(json.dumps(line) + "\n")


ONE = "rtmp://cdn.example/live/one"
TWO = "rtmp://cdn.example/live/two"
layout = {"templateid": 1, "output": {"width": 640, "height": 360}}
other = {"templateid": 3, "output": {"width": 1280, "height": 720}}

call("start", "startrtmp", taskid="show", rtmpurl=ONE, mixconfig=layout)
call("update", "startrtmp", taskid="show", rtmpurl=f"{ONE},{TWO}", mixconfig=other)
call("conflict", "startrtmp", taskid="rival", rtmpurl=TWO, mixconfig=layout)
call("stop", "stoprtmp", taskid="show")
