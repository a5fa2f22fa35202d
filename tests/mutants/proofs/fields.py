"""Proofs of the faults of what a body may hold."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.mutants.calls import (
    FULL,
    Call,
    layout,
    mixed,
    no,
    output,
    source,
    stop,
    tile,
    urls,
)
from tests.mutants.proofs.wordings import (
    ONE,
    TEXT,
    TWO,
    bad,
)


def of_name(field: str) -> Mapping[str, Sequence[Call]]:
    """The proofs of a field that bears a name."""

    def call(value: Any) -> Call:
        return (mixed() if field == "taskid" else source()).but(**{field: value})

    return {
        f"{field}-missing-accepted": [bad(call(None))],
        f"{field}-number-accepted": [bad(call(5))],
        f"{field}-empty-accepted": [bad(call(""))],
        f"{field}-65-accepted": [bad(call("x" * 65))],
        f"{field}-characters-accepted": [bad(call("x y"))],
        f"{field}-64-refused": [call("x" * 64)],
        f"{field}-dash-refused": [call("x-y_Z9")],
    }


PROOFS: Final[Mapping[str, Sequence[Call]]] = {
    "appid-missing-accepted": [bad(source(appid=None))],
    "appid-string-accepted": [bad(source(appid=str(ONE.appid)))],
    "other-appid-accepted": [no("appid_mismatch", source(appid=TWO.appid))],
    **of_name("roomid"),
    **of_name("taskid"),
    **of_name("uid"),
    "streamtype-missing-accepted": [bad(source(streamtype=None))],
    "streamtype-string-accepted": [bad(source(streamtype="2"))],
    "streamtype-boolean-accepted": [bad(mixed(streamtype=True))],
    "streamtype-0-accepted": [bad(source(streamtype=0))],
    "streamtype-3-accepted": [bad(source(streamtype=3))],
    "rtmpurl-missing-accepted": [bad(source(rtmpurl=None))],
    "rtmpurl-list-accepted": [bad(source(rtmpurl=[urls("a")]))],
    "rtmpurl-empty-accepted": [bad(source(rtmpurl=""))],
    "six-addresses-accepted": [bad(source("a b c d e f"))],
    "five-addresses-refused": [source("a b c d e")],
    "mixconfig-missing-accepted": [bad(mixed(mixconfig=None))],
    "mixconfig-string-accepted": [bad(mixed(mixconfig="{}"))],
    "templateid-0-accepted": [bad(layout(templateid=0))],
    "templateid-5-accepted": [bad(layout(templateid=5))],
    "templateid-string-accepted": [bad(layout(templateid="1"))],
    "template-1-refused": [layout(templateid=1)],
    "template-4-refused": [layout(templateid=4)],
    "template-needs-input": [layout(templateid=2)],
    "input-missing-accepted": [bad(layout())],
    "input-object-accepted": [bad(layout(input={"uid": "u"}))],
    "input-items-unchecked": [bad(layout(input=[5]))],
    "input-empty-accepted": [bad(layout(input=[]))],
    "input-uid-unchecked": [bad(tile(uid=5))],
    "input-width-unchecked": [bad(tile(width=0))],
    "input-zorder-unchecked": [bad(tile(zorder=101))],
    "input-crop-unchecked": [bad(tile(crop=2))],
    "input-alpha-unchecked": [bad(tile(alpha=1.5))],
    "input-uid-twice-accepted": [bad(layout(input=[{"uid": "u"}, {"uid": "u"}]))],
    "input-own-room-apart": [bad(layout(input=[{"uid": "u"}, {"uid": "u", "roomid": "r"}]))],
    "tile-outside-accepted": [bad(tile(x=400))],
    "output-missing-accepted": [bad(mixed(mixconfig={"templateid": 1}))],
    "output-list-accepted": [bad(mixed(mixconfig={"templateid": 1, "output": [FULL]}))],
    "output-width-unchecked": [bad(output(width=641))],
    "output-height-unchecked": [bad(output(height=3842))],
    "output-fps-unchecked": [bad(output(fps=61))],
    "output-bitrate-unchecked": [bad(output(bitrate=0))],
    "output-channels-unchecked": [bad(output(channels="2"))],
    "fps-60-refused": [output(fps=60)],
    "ignored-fields-checked": [source(taskid=5)],
    "unknown-field-refused": [source(region="eu")],
    "nan-accepted": [no("malformed_json", source().but(more=1).raw(('"more": 1', '"more": NaN')))],
    "json-in-a-string-accepted": [
        no("malformed_json", source()._replace(body=json.dumps(json.dumps(source().body)).encode()))
    ],
    "first-key-wins": [source().raw(('"roomid": "r"', '"roomid": 5, "roomid": "r"'))],
    "whole-float-refused": [source(streamtype=2.0)],
    "surrogates-accepted": [
        no("malformed_json", source(more="x").raw(('"more": "x"', '"more": "\\ud800"')))
    ],
    "content-type-unchecked": [no("unsupported_content_type", source()._replace(headers=TEXT))],
    "stop-roomid-missing-accepted": [source(), bad(stop(roomid=None))],
    "stop-streamtype-3-accepted": [source(), bad(stop(streamtype=3))],
    "stop-no-address-accepted": [source(), bad(stop(rtmpurl="x"))],
    "stop-appid-missing-accepted": [source(), bad(stop(appid=None))],
}
