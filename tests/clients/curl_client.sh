#!/bin/sh
# A business server's calls, made with curl; knows nothing of fakerelay.
set -eu

call() { # step request fields
    body="{\"appid\": $RELAY_APPID, \"roomid\": \"room-1\", \"streamtype\": 1, $3}"
    path="/app/$RELAY_APPID/v2/rtmpforward/$2?traceId=curl-$1"
    reply=$(curl --silent --show-error --max-time 10 --write-out '\n%{http_code}' \
        --header "token: $RELAY_TOKEN" \
        --header 'Content-Type: application/json;charset=utf-8' \
        --data "$body" "$RELAY_URL$path")
    printf '{"step": "%s", "status": %s, "reply": %s}\n' \
        "$1" "$(echo "$reply" | tail -n 1)" "$(echo "$reply" | sed '$d')"
}

one=rtmp://cdn.example/live/one
two=rtmp://cdn.example/live/two
layout='"mixconfig": {"templateid": 1, "output": {"width": 640, "height": 360}}'
other='"mixconfig": {"templateid": 3, "output": {"width": 1280, "height": 720}}'

call start startrtmp "\"taskid\": \"show\", \"rtmpurl\": \"$one\", $layout"
call update startrtmp "\"taskid\": \"show\", \"rtmpurl\": \"$one,$two\", $other"
call conflict startrtmp "\"taskid\": \"rival\", \"rtmpurl\": \"$two\", $layout"
call stop stoprtmp '"taskid": "show"'
