"""The schemas of replies, callbacks and settings."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from fakerelay.errors import ConfigError
from fakerelay.schemas import (
    check_settings,
    load_schema,
)
from tests.schemas.test_calls import BOTH, GONE, MOST_UINT64, RulesOf, change

REPLY = {"code": 0, "message": "success", "traceId": "t"}
CALLBACK: dict[str, Any] = {
    "msgid": "m1",
    "product": 2,
    "msgtype": 1,
    "notifytime": 1_700_000_000_000,
    "context": {
        "msgname": "rtmptask_status",
        "appid": MOST_UINT64,
        "roomid": "room_1",
        "streamtype": 2,
        "uid": "anchor-1",
        "rtmpurl": "rtmp://cdn.example.com/live/one",
        "status": 0,
        "starttime": 1_700_000_000_000,
    },
}
CONFIG: dict[str, Any] = {
    "port": 0,
    "tls_name": ["relay.test"],
    "set": {"concurrent_pushes": 0},
    "ready_file_mode": "0640",
    "app": [
        {
            "appid": MOST_UINT64,
            "certificate_id": "c",
            "certificate_key": "k:k",
            "callback_url": "http://127.0.0.1:9000/",
            "live_rooms": {"room_1": ["anchor-1"], "room_2": []},
        }
    ],
}


@BOTH
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("reply", REPLY),
        ("reply", {**REPLY, "more": 1}),
        ("callback", CALLBACK),
        ("callback", change(CALLBACK, "context/traceId", "t")),
    ],
)
def test_message_schema_accepts(rules_of: RulesOf, name: str, data: Any) -> None:
    assert rules_of(name, data) == set()


@BOTH
@pytest.mark.parametrize(
    ("name", "body", "pointer", "value", "rule"),
    [
        ("reply", REPLY, "code", "0", "reply-envelope"),
        ("reply", REPLY, "message", GONE, "reply-envelope"),
        ("reply", REPLY, "traceId", GONE, "reply-trace-id"),
        ("reply", REPLY, "traceId", 1, "reply-trace-id"),
        ("callback", CALLBACK, "msgid", "", "callback-envelope"),
        ("callback", CALLBACK, "notifytime", 1.5, "callback-envelope"),
        ("callback", CALLBACK, "context/roomid", GONE, "callback-envelope"),
        ("callback", CALLBACK, "context/status", 4, "callback-statuses"),
        ("callback", CALLBACK, "context/uid", GONE, "callback-context"),
        ("callback", CALLBACK, "context/taskid", "t", "callback-context"),
        ("callback", CALLBACK, "context/starttime", GONE, "callback-context"),
        ("callback", CALLBACK, "context/traceId", None, "callback-context"),
    ],
)
def test_message_schema_rejects_naming_the_rule(
    rules_of: RulesOf, name: str, body: Mapping[str, Any], pointer: str, value: Any, rule: str
) -> None:
    assert rules_of(name, change(body, pointer, value)) == {rule}


def test_config_schema_accepts() -> None:
    check_settings("config", CONFIG, "test")
    check_settings("config", change(CONFIG, "ready_file_mode", 0o600), "test")
    check_settings("config", {}, "test")


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        ("prt", 1, "Unknown key /prt in 'f.toml' (did you mean 'port'?)"),
        ("app/0/appids", 1, "Unknown key /app/0/appids in 'f.toml' (did you mean 'appid'?)"),
        ("app/0/appid", GONE, "Missing /app/0/appid in 'f.toml': expected integer"),
        ("port", 65536, "Can't use 65536 at /port of 'f.toml': expected integer, at least 0"),
        ("log_format", "jsn", "'jsn' at /log_format of 'f.toml' (did you mean 'json'?)"),
        ("control_token", 12345, "Can't use a secret at /control_token of 'f.toml'"),
        ("app/0/certificate_key", "", "Can't use a secret at /app/0/certificate_key"),
        ("ready_file_mode", "0999", "matching ^(0o?)?[0-7]{3}$"),
        ("ready_file_mode", 600, "expected string or integer, at least 0, at most 511"),
        ("port", date(2020, 1, 1), "Can't use 'f.toml': Object of type date"),
        ("profile", "\ud800", "surrogates not allowed"),
        ("host", ["h" * 1000], "hhh... at /host of 'f.toml'"),
    ],
)
def test_check_settings_says_what_to_mend(pointer: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings("config", change(CONFIG, pointer, value), "'f.toml'")
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert "12345" not in text


def test_properties_of_settings_are_described() -> None:
    for name in ("config", "profile"):
        for key, node in load_schema(name)["properties"].items():
            assert key == "$schema" or node["description"].endswith("."), key
