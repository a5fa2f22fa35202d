import threading
import time

from tests.mutants import open_mutant
from tests.mutants.calls import Player, mixed, no, open_receiver, other, source, stop
from tests.mutants.tokens import ACCOUNTS


def test_broadcast_is_told_as_the_contract_says() -> None:
    with open_mutant() as mutant:
        player = Player(mutant)
        with open_receiver(player, 0) as (url, told):
            mutant.callback_url = url
            before = time.time() * 1000 - 1
            player.play([source("a b"), source("b c"), stop()])
            mutant.settle()
    contexts = [each.body["context"] for each in told]
    changes = sorted((each["rtmpurl"][-1], each["traceId"], each["status"]) for each in contexts)
    assert changes == [
        ("a", "trace-0", 0),
        ("a", "trace-1", 3),
        ("b", "trace-0", 0),
        ("b", "trace-2", 3),
        ("c", "trace-1", 0),
        ("c", "trace-2", 3),
    ]
    assert len({each.body["msgid"] for each in told}) == 6
    assert {(each["uid"], each["roomid"], each["streamtype"]) for each in contexts} == {
        ("u", "r", 2)
    }
    (starttime,) = {each["starttime"] for each in contexts}
    assert before <= starttime <= min(each.body["notifytime"] for each in told)


def test_app_without_a_callback_url_is_told_nothing() -> None:
    with open_mutant() as mutant:
        player = Player(mutant)
        with open_receiver(player, 0) as (_url, told):
            player.play([source(), stop()])
            mutant.settle()
    assert told == []


def test_body_over_a_mebibyte_is_refused() -> None:
    body = b" " * (2**20 + 1)
    with open_mutant() as mutant:
        reply = Player(mutant).make(no("body_too_large", source())._replace(body=body))
    assert (reply.status, reply.problem) == (413, "body_too_large")


def test_accounts_open_their_own_app() -> None:
    with open_mutant() as mutant:
        assert mutant.accounts == ACCOUNTS
        replies = Player(mutant).play([source("a"), other(mixed("b"))])
    assert [reply.problem for reply in replies] == ["accepted", "accepted"]


def test_nothing_of_a_server_is_left() -> None:
    before = set(threading.enumerate())
    with open_mutant("callbacks-never", profile={"concurrent_pushes": 9}) as mutant:
        assert mutant.profile == {"concurrent_pushes": 9}
        Player(mutant).make(source())
    assert set(threading.enumerate()) <= before
