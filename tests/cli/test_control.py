"""The control plane from the command line, against a real one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli
from fakerelay.cli.values import Value
from fakerelay.control.verbs import VERBS, Verb
from fakerelay.relay import FakeRelay


@pytest.fixture(scope="module")
def relay() -> Iterator[FakeRelay]:
    with FakeRelay() as relay:
        yield relay


def control(relay: FakeRelay, *args: str) -> Result:
    return CliRunner().invoke(cli, ["control", "--url", relay.control_url, *args])


def answer(relay: FakeRelay, *args: str) -> Any:
    result = control(relay, *args)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_every_verb_is_a_command_with_its_parameters(verb: Verb) -> None:
    result = CliRunner().invoke(cli, ["control", verb.name.replace("_", "-"), "--help"])
    assert result.exit_code == 0
    for name in verb.path_parameters:
        assert name.upper() in result.stdout
    for name in verb.query:
        assert f"--{name.replace('_', '-')}" in result.stdout


def test_answer_is_json(relay: FakeRelay) -> None:
    assert answer(relay, "health")["status"] == "ok"


def test_url_comes_from_the_environment(relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKERELAY_CONTROL_URL", relay.control_url)
    assert CliRunner().invoke(cli, ["control", "health"]).exit_code == 0


def test_arguments_and_options_become_path_and_body(relay: FakeRelay) -> None:
    url, rooms = "http://127.0.0.1:9000/cb", '{"room1": ["user1"]}'
    put = answer(relay, "put-app", "77", "--callback-url", url, "--live-rooms", rooms)
    assert (put["appid"], put["callback_url"]) == (77, url)
    assert put["live_rooms"] == {"room1": ["user1"]}
    assert (
        answer(relay, "put_app", "77", "--body", '{"callback_url": null}')["callback_url"] is None
    )
    assert answer(relay, "delete-app", "77")["appid"] == 77


def test_flags_and_filters_become_the_query(relay: FakeRelay) -> None:
    assert answer(relay, "requests", "--code", "0", "--limit", "3")["limit"] == 3
    assert "tasks" in answer(relay, "reset", "--all")


def test_profile_is_set_by_its_keys(relay: FakeRelay) -> None:
    args = ("--concurrent-pushes", "7", "--requires-live-room", "--release-seconds", "0.5")
    shown = json.dumps(answer(relay, "put-profile", *args))
    for part in ('"concurrent_pushes": 7', '"requires_live_room": true', '"release_seconds": 0.5'):
        assert part in shown
    shown = json.dumps(answer(relay, "put-profile", "--no-requires-live-room"))
    assert '"requires_live_room": false' in shown


REFUSALS = {
    "unknown verb": (["task"], "did you mean 'tasks'"),
    "no such app": (["app", "5"], "No world has app 5"),
    "no target": (["reset"], "destroys"),
    "out of range": (["tasks", "--limit", "0"], "limit"),
    "no number": (["app", "x"], "'x' is no integer"),
    "no JSON": (["put-app", "1", "--live-rooms", "{"], "is no JSON"),
    "no object": (["put-app", "1", "--body", "[]"], "is no JSON object"),
    "unknown key": (["put-app", "1", "--body", '{"callbackurl": null}'], "callback_url"),
}


@pytest.mark.parametrize(("args", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_done_is_told_on_stderr(
    relay: FakeRelay, args: list[str], message: str
) -> None:
    result = control(relay, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_no_server_is_told_in_one_line() -> None:
    result = CliRunner().invoke(cli, ["control", "--url", "http://127.0.0.1:1", "health"])
    assert result.exit_code == 2
    assert "http://127.0.0.1:1" in result.stderr
    assert "--url" in result.stderr
    assert result.stderr.count("\n") == 1


def test_unreadable_ca_file_is_named() -> None:
    args = ["control", "--ca-file", "/nowhere/ca.pem", "health"]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert "'/nowhere/ca.pem'" in result.stderr


VALUES: dict[str, tuple[dict[str, Any], str, Any]] = {
    "integer": ({"type": "integer"}, "18446744073709551615", 2**64 - 1),
    "number": ({"type": "number"}, "0.5", 0.5),
    "text that is a number": ({"type": "string"}, "5", "5"),
    "name of a status": ({"enum": [0, 1, "pushing"]}, "pushing", "pushing"),
    "number of a status": ({"enum": [0, 1, "pushing"]}, "1", 1),
    "array": ({"type": "array"}, "[1]", [1]),
    "reference": ({"$ref": "#/components/schemas/x"}, '{"a": 1}', {"a": 1}),
}


@pytest.mark.parametrize(("schema", "text", "value"), VALUES.values(), ids=VALUES.keys())
def test_text_becomes_the_value_its_schema_wants(
    schema: dict[str, Any], text: str, value: Any
) -> None:
    assert Value(schema).convert(text, None, None) == value
