import pytest

from fakerelay.core.problems import RuleWarning, invalid_parameter, token_missing
from fakerelay.journal import MOST_BODY_BYTES, Exchange, Journal


def exchange(trace_id: str = "t", appid: int | None = None) -> Exchange:
    one = Exchange("POST", "/app", 1.0)
    one.trace_id = trace_id
    one.appid = appid
    return one


def traces(journal: Journal) -> list[str]:
    return [one.trace_id for one in journal]


def test_journal_numbers_exchanges_from_one() -> None:
    journal = Journal(10)
    for trace_id in "abc":
        journal.add(exchange(trace_id))
    assert [(one.number, one.trace_id) for one in journal] == [(1, "a"), (2, "b"), (3, "c")]


def test_journal_keeps_the_newest_and_counts_what_had_to_go() -> None:
    journal = Journal(2)
    for trace_id in "abcde":
        journal.add(exchange(trace_id))
    assert (traces(journal), len(journal), journal.evicted) == (["d", "e"], 2, 3)
    assert [one.number for one in journal] == [4, 5]


def test_journal_of_size_zero_keeps_nothing() -> None:
    journal = Journal(0)
    journal.add(exchange())
    assert (len(journal), journal.evicted, journal.has_trace("t")) == (0, 1, False)


def test_trace_is_known_as_long_as_an_exchange_bears_it() -> None:
    journal = Journal(2)
    journal.add(exchange("a"))
    journal.add(exchange("a"))
    assert (journal.has_trace("a"), journal.has_trace("b")) == (True, False)
    journal.add(exchange("b"))
    assert journal.has_trace("a")
    journal.add(exchange("b"))
    assert not journal.has_trace("a")


def test_clear_drops_all_and_goes_on_numbering() -> None:
    journal = Journal(10)
    for trace_id in "ab":
        journal.add(exchange(trace_id))
    assert journal.clear() == 2
    assert (len(journal), journal.has_trace("a"), journal.evicted) == (0, False, 0)
    journal.add(exchange("c"))
    assert [one.number for one in journal] == [3]


def test_clear_drops_what_is_wanted() -> None:
    journal = Journal(10)
    for number, trace_id in enumerate("abab"):
        journal.add(exchange(trace_id, number % 2))
    assert journal.clear(lambda one: one.appid == 1) == 2
    assert traces(journal) == ["a", "a"]
    assert not journal.has_trace("b")
    assert journal.clear(lambda one: one.appid == 9) == 0


@pytest.mark.parametrize("size", [0, 1, MOST_BODY_BYTES, MOST_BODY_BYTES + 1, 10 * MOST_BODY_BYTES])
def test_exchange_keeps_as_much_of_a_body_as_there_is_room_for(size: int) -> None:
    one = exchange()
    one.keep_body(b"x" * size)
    assert (len(one.body), one.body_bytes) == (min(size, MOST_BODY_BYTES), size)


def test_exchange_names_the_rule_that_refused_it() -> None:
    one = exchange()
    assert one.rule is None
    one.problem = token_missing()
    assert one.rule == "token-required"


def test_journal_keeps_little_of_very_much() -> None:
    one = exchange("x" * 10_000)
    one.target = "/" + "y" * 60_000
    one.warnings = [RuleWarning("field-unknown", "not a field we know of")] * 70_000
    one.keep_body(b"z" * (MOST_BODY_BYTES + 1))
    one.problem = invalid_parameter("rtmpurl-count", "rtmpurl", "too many", "r" * 1_000_000)
    journal = Journal(2)
    journal.add(one)
    assert len(one.trace_id) + len(one.target) + len(one.problem.explanation["value"]) == 6000
    assert [len(one.warnings), one.warnings[-1].detail] == [51, "and 69950 more warnings"]
    assert journal.has_trace("x" * 10_000)


def test_large_value_of_a_field_is_left_out_of_the_explanation() -> None:
    one = exchange()
    one.keep_body(b"z" * (MOST_BODY_BYTES + 1))
    one.problem = invalid_parameter("input-fields", "mixconfig.input", "wrong", [1] * 10_000)
    Journal(2).add(one)
    assert one.problem.explanation["value"] == "too large to keep"
