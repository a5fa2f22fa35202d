"""What the kit makes of servers that do not answer as the API does: the right word, and soon."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

import pytest

from fakerelay import FakeRelay, schemas
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.catalogue.lives import list_lives
from fakerelay.contract.drafts import Account
from fakerelay.contract.efforts import plan_scenarios
from fakerelay.contract.events import Broke, Unclear
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level, Start, Stop
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.scopes import find_scope
from fakerelay.contract.targets import PATIENCE_SECONDS, Target
from fakerelay.contract.verdicts import Tally
from tests.contract.misbehaving import Dead, Serve, open_server, reply

ERRORS = schemas.read_json("profiles/default")["errors"]
ACCOUNT = Account(1, "certificate", "Key-One")
SUCCESS = reply(b'{"code": 0, "message": "success", "traceId": "t"}')
LEVELS: tuple[Level, ...] = ("documented", "assumed")


BRIEF_SECONDS = 0.2
"""For servers that never answer: of any other a busy machine would make one of them."""


def judge(
    url: str,
    level: Level = "documented",
    account: Account = ACCOUNT,
    timeout_seconds: float = PATIENCE_SECONDS,
) -> Tally:
    target = Target(url, {0: account})
    with closing(target.open_client(timeout_seconds)) as client:
        run = Run(target, client, Judge(level, ERRORS), Budget(max_calls=1200))
        tally = Tally(level, run.counts, find_scope(target, level))
        for event in run.play(plan_scenarios(target, level, 0, 0)):
            tally.add(event)
    tally.gave_up = run.gave_up
    return tally


def always(answer: bytes | None) -> Serve:
    return lambda connection, request: answer


def drip(connection: socket.socket, request: bytes) -> bytes:
    """A byte now and then, each well before a socket's patience ends."""
    pause = threading.Event()
    for _byte in range(100):
        connection.sendall(b"H")
        pause.wait(0.05)
    return b""


SILENT: dict[str, Serve] = {
    "no answer": always(None),
    "no end": always(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
    "drop by drop": drip,
}


@pytest.mark.parametrize("serve", SILENT.values(), ids=SILENT.keys())
def test_silent_server_is_not_waited_for_long(serve: Serve) -> None:
    with open_server(serve) as url:
        tally = judge(url, timeout_seconds=BRIEF_SECONDS)
    told = "3 calls in a row were not answered; of the last: no answer within 0.2 s"
    assert (tally.exit_code, tally.gave_up) == (3, told)
    assert (tally.findings, tally.left) == ([], [])


UNANSWERED: dict[str, tuple[Serve, str]] = {
    "not HTTP": (always(b"SSH-2.0-OpenSSH_9.6\r\n"), "is not HTTP: it sent 'SSH-2.0"),
    "closed": (always(b""), "the connection was lost"),
    "pages": (always(reply(b"<p>Welcome</p>")), "none of 20 calls was answered as this API does"),
    "not found": (always(reply(b'{"detail": "Not Found"}', "404 No")), 'HTTP 404 {"detail":'),
    "broken down": (always(reply(b"oops", "500 Oops")), "HTTP 500 oops"),
    "long nesting": (always(reply(b"[" * 100_000)), "none of 20 calls"),
}


@pytest.mark.parametrize(("serve", "told"), UNANSWERED.values(), ids=UNANSWERED.keys())
def test_server_without_answers_is_inconclusive(serve: Serve, told: str) -> None:
    with open_server(serve) as url:
        tally = judge(url)
    assert tally.exit_code == 3
    assert told in (tally.gave_up or "")
    assert (tally.findings, tally.left) == ([], [])


@pytest.mark.parametrize("level", LEVELS)
def test_server_that_agrees_with_all_breaks_many_rules(level: Level) -> None:
    with open_server(always(SUCCESS)) as url:
        tally = judge(url, level)
    assert tally.exit_code == 1
    broken = {each.finding.rule for each in tally.findings}
    assert {"address-unique", "token-required"} <= broken
    assert 5 <= len(broken) <= 6
    assert max(len(each.steps) for each in tally.findings) <= 6
    assert "calls were accepted, right or wrong" in (tally.gave_up or "")


REFUSALS = {
    "for nothing known": (
        1,
        "is --app 1:certificate an app of the target, and FAKERELAY_CERTIFICATE_KEY",
    ),
    "for the key": (40103, "is FAKERELAY_CERTIFICATE_KEY the key of certificate 'certificate'"),
    "for the app": (40301, "has the target app 1"),
    "for the room": (40404, "--room ROOM:UID"),
    "for the quota": (42901, "do tasks run in app 1 already?"),
}


@pytest.mark.parametrize(("code", "hint"), REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("level", LEVELS)
def test_server_that_refuses_all_is_judged_in_nothing(level: Level, code: int, hint: str) -> None:
    """It may be the caller's key, and is no agreement either."""
    refusal = json.dumps({"code": code, "message": "no", "traceId": ""}).encode()
    with open_server(always(reply(refusal))) as url:
        tally = judge(url, level)
    assert (tally.exit_code, tally.findings) == (3, [])
    assert f'refuses every start of app 1 (HTTP 200 {{"code": {code}' in (tally.gave_up or "")
    assert hint in (tally.gave_up or "")
    assert tally.steps == 1


CHOOSY = {
    "sources": '"streamtype": 2',
    "mixed tasks": '"streamtype": 1',
    "one address": '-1-0"',
    "dashes": '"roomid": "r0-',
}


@pytest.mark.parametrize("what", CHOOSY.values(), ids=CHOOSY.keys())
def test_server_that_refuses_some_forms_only_breaks_a_rule(what: str) -> None:
    refusal = reply(b'{"code": 40103, "message": "no", "traceId": ""}')
    with spoiled(lambda request: refusal if what in body_of(request) else None) as (url, account):
        tally = judge(url, account=account)
    assert tally.exit_code == 1
    assert tally.findings[0].finding.rule == "start-path"


def test_object_of_another_form_is_no_acceptance() -> None:
    with open_server(always(reply(b'{"code": "0", "message": "success"}'))) as url:
        (broke,) = judge(url).findings
    assert broke.finding.rule == "accepted-sense"
    assert len(broke.steps) == 1


@contextmanager
def spoiled(spoils: Callable[[bytes], bytes | None]) -> Iterator[tuple[str, Account]]:
    """A proxy before a fake: some requests are answered by itself."""
    with FakeRelay(callback_url=None) as relay:
        host, port = relay.http_url.removeprefix("http://").split(":")

        def serve(connection: socket.socket, request: bytes) -> bytes | None:
            own = spoils(request)
            return own if own is not None else ask(host, int(port), request)

        with open_server(serve) as url:
            yield url, Account(relay.appid, relay.certificate_id, relay.certificate_key)


def ask(host: str, port: int, request: bytes) -> bytes:
    closing_request = request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.create_connection((host, port)) as server:
        server.sendall(closing_request)
        return b"".join(iter(lambda: server.recv(65536), b""))


def body_of(request: bytes) -> str:
    return request.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")


ENVELOPE = json.dumps({"code": 50001, "message": "oops", "traceId": "t"}).encode()
BREAKDOWNS = {
    "where it is to accept": ('"streamtype": 1', reply(ENVELOPE, "500 Oops"), "start-path"),
    "where it is to refuse": ('"streamtype": 3', reply(ENVELOPE, "500 Oops"), "reply-envelope"),
    "with a page": ('"streamtype": 3', reply(b"<p>oops</p>", "400 No"), "reply-envelope"),
}


@pytest.mark.parametrize(("what", "answer", "rule"), BREAKDOWNS.values(), ids=BREAKDOWNS.keys())
@pytest.mark.parametrize("level", LEVELS)
def test_breakdown_that_repeats_is_a_finding(
    what: str, answer: bytes, rule: str, level: Level
) -> None:
    with spoiled(lambda request: answer if what in body_of(request) else None) as (url, account):
        tally = judge(url, level, account)
    assert tally.exit_code == 1
    assert rule in {each.finding.rule for each in tally.findings}
    assert min(len(each.steps) for each in tally.findings) == 1


def test_breakdown_that_does_not_repeat_is_inconclusive() -> None:
    numbers = count()
    once = reply(b"oops", "500 Oops")
    with spoiled(lambda request: once if next(numbers) == 3 else None) as (url, account):
        tally = judge(url, account=account)
    assert (tally.exit_code, tally.findings, len(tally.unclear)) == (0, [], 1)


def is_first(numbers: Iterator[int]) -> bool:
    return next(numbers) == 0


def test_what_runs_when_a_server_stops_answering_is_told() -> None:
    numbers = count()
    with open_server(lambda *_call: SUCCESS if is_first(numbers) else b"") as url:
        tally = judge(url)
    (left,) = tally.left
    assert (tally.exit_code, tally.findings) == (4, [])
    assert isinstance(left.step.operation, Stop)
    assert left.step.observed.error is not None


def test_nothing_is_left_of_a_server_that_is_gone() -> None:
    numbers = count()

    def serve(connection: socket.socket, request: bytes) -> bytes:
        if not is_first(numbers):
            raise Dead
        return SUCCESS

    with open_server(serve) as url:
        tally = judge(url)
    assert (tally.exit_code, tally.findings, tally.left) == (3, [], [])
    assert "nobody listens" in (tally.gave_up or "")


@pytest.mark.parametrize(
    ("level", "rules"),
    [("documented", []), ("assumed", ["reply-trace-id", "reply-envelope"])],
    ids=LEVELS,
)
def test_refusal_of_another_form_is_one_all_the_same_where_only_the_documented_counts(
    level: Level, rules: list[str]
) -> None:
    """Of a reply's form only the sense of an acceptance is taken for granted."""
    refusal = reply(b'{"error": {"reason": "no such certificate"}}', "400 Bad Request")
    with open_server(lambda _, request: SUCCESS if b"\ntoken:" in request else refusal) as url:
        target = Target(url, {0: ACCOUNT})
        with closing(target.open_client()) as client:
            run = Run(target, client, Judge(level, ERRORS))
            wrong = Scenario("no token", [Start(0, (0,), credential="no token")])
            events = list(run.play([Scenario("right", [Start(0, (0,))]), wrong]))
    assert [each.finding.rule for each in events if isinstance(each, Broke)] == rules
    assert not [each for each in events if isinstance(each, Unclear)]


def test_rule_is_inconclusive_where_the_connection_is_lost_each_time() -> None:
    with open_server(lambda _, request: SUCCESS if b"\ntoken:" in request else b"") as url:
        target = Target(url, {0: ACCOUNT})
        with closing(target.open_client()) as client:
            run = Run(target, client, Judge("documented", ERRORS))
            tally = Tally("documented", run.counts)
            wrong = [Start(0, (0,), credential="no token") for _ in range(2)]
            for event in run.play([Scenario("some", [Start(0, (0,)), *wrong, Start(0, (0,))])]):
                tally.add(event)
    (lost,) = [each for each in tally.verdicts() if each.state == "inconclusive"]
    assert (lost.rule, tally.findings) == ("token-required", [])
    assert lost.reason is not None
    assert "the connection was lost each time" in lost.reason


def test_what_one_sort_of_call_does_is_no_reason_to_give_up() -> None:
    """Nor to spend all calls on it."""
    with open_server(lambda _, request: b"" if b"taskid" in request else SUCCESS) as url:
        target = Target(url, {0: ACCOUNT})
        with closing(target.open_client()) as client:
            run = Run(target, client, Judge("documented", ERRORS))
            answered = Scenario("answered", [Start(0, (0,))])
            mixed = [
                each for each in list_lives(target.policy, "documented") if "mixed" in each.name
            ]
            played = [each for one in mixed for each in (answered, one)]
            list(run.play(played))
    assert run.gave_up is None
    assert run.calls < 4 * sum(len(scenario.operations) for scenario in played)
