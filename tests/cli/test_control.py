"""The control plane from the command line, against a real one."""

import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli
from fakerelay.cli.values import Value
from fakerelay.control.verbs import VERBS, Verb
from fakerelay.faults import vocabulary
from fakerelay.relay import FakeRelay

from .conftest import serving, start


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


def test_world_of_the_environment_is_that_of_its_url(
    relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeRelay(server=relay._host) as guest:
        for name, value in guest.env().items():
            monkeypatch.setenv(name, value)
        guest.start("rtmp://h/a")
        by_environment = CliRunner().invoke(cli, ["control", "tasks"])
        assert [task["uid"] for task in json.loads(by_environment.stdout)["items"]] == ["user-1"]
        assert CliRunner().invoke(cli, ["control", "reset"]).exit_code == 0
        assert answer(relay, "clock")["world"] == "default"
        assert guest.tasks() == []


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


def test_clock_is_moved_by_seconds_or_until_something(relay: FakeRelay) -> None:
    assert answer(relay, "create-world", "--id", "slow", "--clock", "frozen", "--now", "1000")
    for args, now in [
        (("--seconds", "60"), 1060),
        (("--until", "idle"), 1060),
        (("--until", "next", "--seconds", "5"), 1065),
        (("--until", '{"callbacks": {"count": 2}}', "--seconds", "5"), 1070),
    ]:
        assert answer(relay, "advance-clock", "--world", "slow", *args)["now"] == now


REFUSALS = {
    "unknown verb": (["task"], "did you mean 'tasks'"),
    "no such app": (["app", "5"], "No world has app 5"),
    "no target": (["reset"], "appid=, world= or all="),
    "out of range": (["tasks", "--limit", "0"], "limit"),
    "no number": (["app", "x"], "'x' is no integer"),
    "until nothing known": (["advance-clock", "--until", "idel"], "^(idle|next)$"),
    "no JSON": (["put-app", "1", "--live-rooms", "{"], "is no JSON"),
    "no object": (["put-app", "1", "--body", "[]"], "is no JSON object"),
    "one of two": (["replay-callbacks"], "Give exactly one of --appid and --msgids"),
    "neither": (["advance-clock"], "by so many --seconds, or --until something (at --seconds)"),
    "unknown scenario": (["scenario", "nope"], "(at SCENARIO)"),
    "unknown event": (["events", "--event", "cal"], "(at --event)"),
    "unknown fault": (["create-fault", "--steps", '[{"fault": "x"}]'], "(at --steps: /0/fault)"),
    "missing seed": (
        ["create-fault", "--steps", '[{"fault": "hang", "probability": 0.5}]'],
        "needs the plan's --seed, an integer, to repeat it (at --seed)",
    ),
    "in the body": (
        ["create-fault", "--body", '{"steps": [{"fault": "seed"}]}'],
        "(at --body: /steps/0/fault)",
    ),
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


@pytest.fixture(scope="module")
def guarded(ca_dir: Path) -> Iterator[dict[str, Any]]:
    """A server whose control plane is bound wide, so with TLS and a token, as its ready file."""
    with TemporaryDirectory() as folder:
        options = ("--control-host", "0.0.0.0", "--control-token", "S3CRET")
        with serving(ca_dir, Path(folder) / "ready.json", *options) as relay:
            yield relay.ready


def test_https_control_plane_is_asked_with_its_ca_and_token(guarded: dict[str, Any]) -> None:
    args = ["--url", guarded["control_url"], "--ca-file", guarded["ca_file"], "--token", "S3CRET"]
    assert CliRunner().invoke(cli, ["control", *args, "health"]).exit_code == 0


WRONG_WAYS: dict[str, tuple[Callable[[str], str], list[str], list[str]]] = {
    "unknown CA": (str, [], ["--ca-file", "FAKERELAY_CA_FILE", "certificate"]),
    "plain HTTP": (
        lambda url: url.replace("https:", "http:"),
        [],
        ["speaks HTTPS", "--url https://", "--ca-file"],
    ),
    "no scheme": (lambda url: url.partition("//")[2], [], ["has no scheme", "'http://127.0.0.1:"]),
}


@pytest.mark.parametrize(("spell", "args", "hints"), WRONG_WAYS.values(), ids=WRONG_WAYS.keys())
def test_wrong_way_to_a_guarded_control_plane_is_told_with_the_right_one(
    guarded: dict[str, Any], spell: Callable[[str], str], args: list[str], hints: list[str]
) -> None:
    url = spell(guarded["control_url"])
    result = CliRunner().invoke(cli, ["control", "--url", url, *args, "health"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "start 'fakerelay serve'" not in result.stderr
    for hint in hints:
        assert hint in result.stderr


@pytest.mark.parametrize("token", [[], ["--token", "wrong"]], ids=["missing", "wrong"])
def test_token_that_is_wanted_is_told_by_our_own_option(
    guarded: dict[str, Any], token: list[str]
) -> None:
    args = ["--url", guarded["control_url"], "--ca-file", guarded["ca_file"], *token]
    result = CliRunner().invoke(cli, ["control", *args, "tasks"])
    assert result.exit_code == 2
    assert "--token or FAKERELAY_CONTROL_TOKEN" in result.stderr


def test_https_to_a_plain_control_plane_is_told(relay: FakeRelay) -> None:
    url = relay.control_url.replace("http:", "https:")
    result = CliRunner().invoke(cli, ["control", "--url", url, "health"])
    assert result.exit_code == 2
    assert "--url http://" in result.stderr


@pytest.mark.parametrize("option", ["--url", "--token", "--ca-file"])
def test_option_of_the_group_behind_the_verb_is_told_its_place(option: str) -> None:
    result = CliRunner().invoke(cli, ["control", "tasks", option, "x"])
    assert result.exit_code == 2
    assert f"{option} stands before the verb: fakerelay control {option} ... tasks" in result.stderr


def test_unknown_option_of_a_verb_is_clicks_own() -> None:
    result = CliRunner().invoke(cli, ["control", "tasks", "--tasked", "x"])
    assert "No such option" in result.stderr


def test_help_of_a_fault_names_all_that_can_go_wrong() -> None:
    shown = CliRunner().invoke(cli, ["control", "create-fault", "--help"]).stdout
    for on, faults in vocabulary().items():
        assert f"--on {on}:" in shown
        assert all(f"\n    {fault} " in shown for fault in faults)


def test_help_of_a_fault_is_enough_to_write_a_plan() -> None:
    shown = CliRunner().invoke(cli, ["control", "create-fault", "--help"]).stdout
    words = " ".join(shown.split())
    for faults in vocabulary().values():
        for row in faults.values():
            assert row["doc"].replace("`", "") in words
            for key, schema in row["settings"].items():
                mark = "*" if key in row.get("required", ()) else " "
                assert f"\n      {key}{mark} " in shown
                assert schema["description"].replace("`", "") in words
    for key in ("count", "for_seconds", "probability"):
        assert f"\n    {key} " in shown
    assert '"always"' in shown
    assert "--on call operation, roomid, taskid, uid, rtmpurl --on callback roomid" in words
    assert "uid, rtmpurl, status --on push roomid, taskid, uid, rtmpurl --on tls none" in words


def test_help_shows_each_variable() -> None:
    shown = CliRunner().invoke(cli, ["control", "--help"]).stdout
    for name in ("FAKERELAY_CONTROL_URL", "FAKERELAY_CONTROL_TOKEN", "FAKERELAY_CA_FILE"):
        assert f"[env: {name}]" in " ".join(shown.split())


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


def test_events_are_a_line_of_json_each(relay: FakeRelay) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        listening = elsewhere.submit(control, relay, "events", "--event", "control", "--most", "2")
        while "fakerelay_event_listeners 1" not in relay.control("metrics"):
            pass
        relay.control("reset", world="default")
        relay.control("put_app", appid=78)
        result = listening.result(timeout=30)
    assert result.exit_code == 0, result.stderr
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["data"]["verb"] for each in told] == ["reset", "put_app"]


def test_events_of_a_wrong_kind_are_refused(relay: FakeRelay) -> None:
    result = control(relay, "events", "--event", "cal")
    assert result.exit_code == 2
    assert "did you mean 'call'" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal for one child alone")
def test_listening_ends_quietly_by_ctrl_c(relay: FakeRelay) -> None:
    command = [sys.executable, "-m", "fakerelay", "control", "--url", relay.control_url, "events"]
    with start(command) as process:
        assert process.stdout is not None
        while "fakerelay_event_listeners 1" not in relay.control("metrics"):
            assert process.poll() is None
        relay.control("reset", world="default")
        assert json.loads(process.stdout.readline())["event"] == "control"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_metrics_are_text(relay: FakeRelay) -> None:
    assert "# TYPE fakerelay_tasks gauge\n" in control(relay, "metrics").stdout


def test_snapshot_goes_to_a_file_and_back(relay: FakeRelay, tmp_path: Path) -> None:
    saved = control(relay, "snapshot", "--keys").stdout
    (tmp_path / "world.json").write_text(saved)
    for source in ("@" + str(tmp_path / "world.json"), saved):
        assert answer(relay, "put-snapshot", "--body", source)["id"] == "default"
    command = ["control", "--url", relay.control_url, "put-snapshot"]
    result = CliRunner().invoke(cli, command, input=saved)
    assert json.loads(result.stdout)["apps"] == [app["appid"] for app in json.loads(saved)["apps"]]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [("@no-such-file", "no-such-file"), ("nonsense", "no JSON"), ("[1]", "no JSON object")],
)
def test_body_that_cannot_be_read_is_a_usage_error(
    relay: FakeRelay, source: str, complaint: str
) -> None:
    result = control(relay, "put-snapshot", "--body", source)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_snapshot_that_is_refused_says_where(relay: FakeRelay) -> None:
    saved = json.loads(control(relay, "snapshot").stdout)
    result = control(relay, "put-snapshot", "--body", json.dumps({**saved, "version": 9}))
    assert result.exit_code == 2
    assert "/version" in result.stderr


def test_server_that_is_not_there_is_told_without_a_word_of_tls() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        result = CliRunner().invoke(cli, ["control", "--url", url, "health"])
    assert result.exit_code != 0
    told = result.stderr + str(result.exception)
    assert f"No answer from {url}: connection refused; start 'fakerelay serve'" in told
    assert "ssl" not in told
