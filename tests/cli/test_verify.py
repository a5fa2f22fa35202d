"""The contract kit from the command line."""

import socket

import pytest
from click.testing import CliRunner, Result

from fakerelay.cli import cli
from fakerelay.relay import FakeRelay


def verify(*args: str, key: str = "", other_key: str | None = None) -> Result:
    variables = {"FAKERELAY_CERTIFICATE_KEY": key, "FAKERELAY_OTHER_CERTIFICATE_KEY": other_key}
    return CliRunner().invoke(cli, ["verify", *args], env=variables)


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("level", ["documented", "assumed"])
def test_fake_of_its_own_agrees(level: str) -> None:
    result = verify("--level", level)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("AGREES: ")


def test_server_that_breaks_a_rule_is_told_of_with_a_script() -> None:
    with FakeRelay(quota=6, callback_url=None) as relay:
        app = f"{relay.appid}:{relay.certificate_id}"
        args = ("--target", relay.http_url, "--app", app, "--max-calls", "700")
        result = verify(*args, key=relay.certificate_key)
        assert result.exit_code == 1
        assert result.stdout.startswith("BROKEN: ")
        assert "concurrent-pushes (D): By default an app may push five streams" in result.stdout
        assert result.stdout.count("\n  6. start") == 1
        assert relay.certificate_key not in result.stdout
        again = verify(*args, "--set", "concurrent_pushes=6", key=relay.certificate_key)
        assert again.exit_code == 0


NOBODY = ("--target", "http://127.0.0.1:1", "--app", "1:a")
CAUSES = {
    "nobody there": (
        (*NOBODY, "--max-calls", "20"),
        "Gave up: 12 calls in a row were not answered; of the last: nobody listens at",
    ),
    "few calls": (("--max-calls", "20"), "--max-calls 20 ran out before 31 rules were compared"),
    "little time": (("--max-seconds", "0.0001"), "--max-seconds 0.0001 ran out before 35 rules"),
    "a rule that is only assumed": (
        ("--rules", "reply-codes"),
        "--rules reply-codes: judged at --level assumed only",
    ),
    "a rule that nothing shows": (
        ("--rules", "hosts"),
        "hosts was not judged: it says where the vendor's own service is",
    ),
    "callbacks, and nobody listens": (
        (*NOBODY, "--level", "assumed", "--rules", "callback-start"),
        "callback-start was not judged: no callback route: --callback-listen",
    ),
}


@pytest.mark.parametrize(("args", "cause"), CAUSES.values(), ids=CAUSES.keys())
def test_what_left_a_run_without_a_verdict_is_said_and_nothing_else(
    args: tuple[str, ...], cause: str
) -> None:
    result = verify(*args, key="k")
    assert result.exit_code == 3
    verdict, empty, told = result.stdout.splitlines()
    assert verdict.startswith("INCONCLUSIVE: ")
    assert empty == ""
    assert told.strip().startswith(cause)


@pytest.mark.parametrize("wrong", ["key", "app", "key of the other app", "rooms"])
def test_target_that_lets_nobody_in_is_asked_about_who_asks(wrong: str) -> None:
    settings = {"requires_live_room": True} if wrong == "rooms" else {}
    told = {
        "key": "is FAKERELAY_CERTIFICATE_KEY the key of certificate",
        "app": "has the target app 8, and may certificate",
        "key of the other app": "is FAKERELAY_OTHER_CERTIFICATE_KEY the key of certificate 'b'",
        "rooms": "name some that are by --room ROOM:UID",
    }
    with FakeRelay(callback_url=None, settings=settings) as relay:
        app = f"{8 if wrong == 'app' else relay.appid}:{relay.certificate_id}"
        args = ["--target", relay.http_url, "--app", app, "--level", "assumed"]
        args += ["--other-app", "9:b"] if "other" in wrong else []
        key = "wrong" if wrong == "key" else relay.certificate_key
        result = verify(*args, key=key, other_key="wrong")
    assert result.exit_code == 3
    assert told[wrong] in result.stdout
    assert "Gave up: the target refuses every start of app" in result.stdout.splitlines()[2]


def test_place_for_callbacks_is_not_passed_over_in_silence() -> None:
    listen = ("--callback-listen", f"127.0.0.1:{find_port()}")
    result = verify("--rules", "start-path", *listen)
    assert result.exit_code == 0
    assert "--callback-listen is of no use at --level documented" in result.stdout


WRONG = {
    "not of this machine": (
        ("--target", "https://api.jocloud.com", "--app", "1:a"),
        "what a real one bills",
    ),
    "no app": (("--target", "http://127.0.0.1:1"), "--target needs --app APPID:CERTID"),
    "no certificate": (("--target", "http://127.0.0.1:1", "--app", "5"), "write APPID:CERTID"),
    "a key with the certificate": (
        ("--target", "http://127.0.0.1:1", "--app", "1:a:k"),
        "Can't use --app '1:a:k': write APPID:CERTID; the key isn't part of it",
    ),
    "the URL of a call": (
        ("--target", "http://127.0.0.1:1/app/1", "--app", "1:a"),
        "each call adds /app/... by itself",
    ),
    "no profile": (("--profile", "rset"), "did you mean 'rest'"),
    "no setting": (("--set", "quota=1"), "quota"),
    "no port": (("--callback-listen", "9000", "--level", "assumed"), "write HOST:PORT"),
    "no such port": (("--callback-listen", "a:99999", "--level", "assumed"), "write HOST:PORT"),
    "no place to listen": (
        ("--callback-listen", "192.0.2.1:0", "--level", "assumed"),
        "choose an address of this machine",
    ),
    "a room that is none": (
        (*NOBODY, "--room", "a room:u"),
        "Can't use room 'a room'",
    ),
    "no live room": (
        (*NOBODY, "--set", "requires_live_room=true"),
        "no room that is live: --room",
    ),
    "a long release": (("--set", "release_seconds=60"), "release_seconds=60"),
    "no push base": (("--push-base", "http://cdn.test/live"), "push base 'http://cdn.test/live'"),
    "no URL": (("--target", "127.0.0.1:8481", "--app", "1:a"), "write it as http://127.0.0.1"),
    "no such port of a target": (
        ("--target", "http://127.0.0.1:99999", "--app", "1:a"),
        "--target 'http",
    ),
    "nobody to trust": (
        ("--target", "https://127.0.0.1:1", "--app", "1:a", "--ca", "no-such-file"),
        "Can't read the certificates of --ca 'no-such-file'",
    ),
    "trust without TLS": (
        (*NOBODY, "--ca", "ca.pem"),
        "--ca 'ca.pem' is of no use",
    ),
    "app of no target": (("--app", "1:a"), "--app says something of a --target"),
    "no key of the other": (
        (*NOBODY, "--other-app", "2:b"),
        "FAKERELAY_OTHER_CERTIFICATE_KEY",
    ),
}


@pytest.mark.parametrize(("args", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_verified_is_said(args: tuple[str, ...], told: str) -> None:
    result = verify(*args, key="k")
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("path", "word"), [("told", "AGREES: 2 agree"), (None, "BROKEN: 2 broken")]
)
def test_server_elsewhere_posts_what_it_tells_to_the_kit(path: str | None, word: str) -> None:
    listen = f"127.0.0.1:{find_port()}"
    url = None if path is None else f"http://{listen}/{path}"
    settings = {"callback.retry_delays_seconds": [0.05], "callback.timeout_seconds": 1}
    with FakeRelay(callback_url=url, settings=settings) as relay:
        args = ["--target", relay.http_url, "--app", f"{relay.appid}:{relay.certificate_id}"]
        args += ["--level", "assumed", "--rules", "callback-start,callback-stop"]
        args += [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        result = verify(*args, "--callback-listen", listen, key=relay.certificate_key)
    assert result.stdout.startswith(word)
    assert result.exit_code == (1 if path is None else 0)
    assert ("No callback came in at all: does" in result.stdout) == (path is None)


def test_without_a_route_callbacks_are_skipped() -> None:
    with FakeRelay(callback_url=None) as relay:
        args = ("--target", relay.http_url, "--app", f"{relay.appid}:{relay.certificate_id}")
        rules = ("--rules", "callback-start,start-path", "--level", "assumed")
        result = verify(*args, *rules, key=relay.certificate_key)
    assert result.exit_code == 0
    assert "1 agree, 1 skipped" in result.stdout


def args_of(relay: FakeRelay, url: str) -> tuple[str, ...]:
    return ("--target", url, "--app", f"{relay.appid}:{relay.certificate_id}")


def test_server_with_tls_is_verified_by_those_who_trust_it() -> None:
    with FakeRelay(tls=True, callback_url=None) as relay:
        args = (*args_of(relay, relay.url), "--max-calls", "20")
        trusting = verify(*args, "--ca", str(relay.ca_file), key=relay.certificate_key)
        wary = verify(*args, key=relay.certificate_key)
        calls = len(relay.requests())
    assert trusting.stdout.startswith("INCONCLUSIVE: ")
    assert calls > 0
    assert "is not trusted" not in trusting.stdout
    assert (wary.exit_code, "is not trusted" in wary.stdout) == (3, True)
    assert "named by --ca FILE" in wary.stdout


def test_target_without_tls_is_said_to_have_none() -> None:
    with FakeRelay(callback_url=None) as relay:
        url = relay.http_url.replace("http:", "https:")
        told = f"where it speaks plain HTTP, the target is {relay.http_url}"
        result = verify(*args_of(relay, url), key=relay.certificate_key)
    assert (result.exit_code, told in result.stdout) == (3, True)


def test_shared_account_is_no_place_to_fill_a_quota() -> None:
    with FakeRelay(callback_url=None) as relay:
        relay.start("rtmp://push.test/others")
        args = args_of(relay, relay.http_url)
        alone = verify(*args, "--max-calls", "400", key=relay.certificate_key)
        shared = verify(*args, "--shared-account", key=relay.certificate_key)
        assert len(relay.tasks()) == 1
    assert alone.exit_code == 1
    assert (shared.exit_code, shared.stdout.partition(":")[0]) == (0, "AGREES")


PROFILES = {
    "another": ["--profile=rest", "--set=concurrent_pushes=7"],
    "little": [
        "--set=address_scope=app",
        "--set=concurrent_pushes=1",
        "--set=errors.quota_exceeded.http_status=503",
        "--set=taskid_style=alphanumeric20",
    ],
    "much": [
        "--set=concurrent_pushes=1000000",
        "--set=mixed_tasks_per_room=2",
        "--set=rate_limit_per_second=400",
        "--set=requires_live_room=true",
    ],
}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())
def test_fake_of_its_own_is_of_the_profile(profile: list[str]) -> None:
    result = verify(*profile, "--level", "assumed")
    assert (result.exit_code, result.stderr) == (0, "")


def test_live_rooms_are_used_where_they_are_asked_for() -> None:
    with FakeRelay(settings={"requires_live_room": True}, callback_url=None) as relay:
        relay.control("put_app", appid=relay.appid, live_rooms={"live-1": ["u"], "live-2": ["u"]})
        args = (*args_of(relay, relay.http_url), "--set", "requires_live_room=true")
        result = verify(*args, "--room", "live-1:u,live-2:u", key=relay.certificate_key)
    assert (result.exit_code, result.stderr) == (0, "")
