"""What became of each status that was foreseen, once it is time to say so: pure."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from fakerelay.contract.callbacks.arrivals import Arrival, Terms
from fakerelay.contract.callbacks.books import PER_ADDRESS, REPEATS, Book, Found
from fakerelay.contract.callbacks.forms import show
from fakerelay.contract.callbacks.ledgers import Foreseen, Ledger
from fakerelay.contract.judgements import Finding

SILENCE_SECONDS: Final = 5.0
GIVEN_UP: Final = "callback-given-up"
TIMEOUT: Final = "callback-timeout"
DELAY: Final = "callback-delay"
_NOT_SOONER: Final = 0.7
_HASTE_SECONDS: Final = 0.1
_NOT_LATER: Final = 1.5
_SLACK_SECONDS: Final = 2.0


def conclude(book: Book, now: float, silence_seconds: float = SILENCE_SECONDS) -> Iterator[Found]:
    """What is missing by `now`, and retries that are not as the schedule says."""
    for ledger in book.ledgers:
        for foreseen in ledger.foreseen:
            due = _lane_due_at(ledger.lanes[foreseen.lane], book.terms)
            if foreseen.call.is_judged and (due is None or due + silence_seconds <= now):
                missing = _find_missing(book, ledger, foreseen)
                found = missing or _judge_retries(book, ledger, foreseen)
                if found is not None:
                    yield found


def due_at(book: Book, silence_seconds: float = SILENCE_SECONDS) -> float | None:
    """When what has not come yet is missing; None where nothing is awaited."""
    times = [
        due
        for ledger in book.ledgers
        for lane in ledger.lanes.values()
        if (due := _lane_due_at(lane, book.terms)) is not None
    ]
    return max(times) + silence_seconds if times else None


def _lane_due_at(lane: list[Foreseen], terms: Terms) -> float | None:
    judged = [each for each in lane if each.call.is_judged]
    due = None
    for each in judged:
        begin = max(each.call.answered_at or each.call.sent_at, due or 0.0)
        if not each.attempts:
            due = begin + terms.delay_seconds
        elif (next_at := _next_at(each, terms)) is not None:
            due = max(begin, next_at)
    return due


def _next_at(foreseen: Foreseen, terms: Terms) -> float | None:
    """By when it would have been tried again; None where it is through, or given up."""
    attempts = foreseen.attempts
    if attempts[-1].answer.is_success or len(attempts) > len(terms.retry_delays_seconds):
        return None
    delay = terms.retry_delays_seconds[len(attempts) - 1]
    return _failed_at(attempts[-1], terms) + delay * _NOT_LATER


def _failed_at(attempt: Arrival, terms: Terms) -> float:
    return attempt.at + (terms.timeout_seconds if attempt.answer.is_late else 0.0)


def _find_missing(book: Book, ledger: Ledger, foreseen: Foreseen) -> Found | None:
    for rule in (foreseen.rule, DELAY):
        book.counts[rule] += 1
    if foreseen.attempts:
        return None
    call = foreseen.call
    others = [each for each in ledger.list_foreseen(call) if each.attempts]
    is_part = bool(others) and foreseen.rule == "callback-start"
    rule = PER_ADDRESS if is_part else foreseen.rule
    (text, *_others) = sorted(foreseen.texts)
    told = "of this call only " + "; ".join(show(each.attempts[0]) for each in others)
    nothing = f"nothing{', nor of any other call: is it posted here?' if book.is_silent else ''}"
    got = told if others else nothing
    return Found(ledger, [call], Finding(rule, f"status {foreseen.status} for {text}", got))


def _judge_retries(book: Book, ledger: Ledger, foreseen: Foreseen) -> Found | None:
    for finding, is_so in _compare(book, foreseen):
        book.counts[finding.rule] += 1
        if not is_so:
            return Found(ledger, [foreseen.call], finding)
    return None


def _compare(book: Book, foreseen: Foreseen) -> Iterator[tuple[Finding, bool]]:
    terms, attempts = book.terms, foreseen.attempts
    delays = terms.retry_delays_seconds
    if foreseen.is_spoiled or all(each.answer.is_success for each in attempts):
        return
    if book.repeats_what_was_taken:
        return  # one who tells twice what was taken may do so at any time
    for number, (one, other) in enumerate(pairwise(attempts)):
        if one.answer.is_success:
            return
        if number < len(delays):
            yield _compare_gap(number, one, other, terms)
    last = attempts[-1]
    most = len(delays) + 1
    got = f"{len(attempts)} attempts, the last answered {_name(last)}"
    expected = f"{most} attempts in all where none is taken"
    if len(attempts) > most or (len(attempts) == most and not last.answer.is_success):
        yield Finding(GIVEN_UP, expected, got), len(attempts) <= most
    elif not last.answer.is_success:
        rule = GIVEN_UP if len(attempts) > 1 else REPEATS
        yield Finding(TIMEOUT if last.answer.is_late else rule, expected, got), False


def _compare_gap(number: int, one: Arrival, other: Arrival, terms: Terms) -> tuple[Finding, bool]:
    delay = terms.retry_delays_seconds[number]
    gap = other.at - _failed_at(one, terms)
    rule = TIMEOUT if one.answer.is_late else REPEATS
    told = f"attempt {number + 2} {delay:g} s after the one before, answered {_name(one)}, failed"
    is_so = delay * _NOT_SOONER - _HASTE_SECONDS <= gap <= delay * _NOT_LATER + _SLACK_SECONDS
    return Finding(rule, told, f"{gap:.2f} s after it"), is_so


def _name(attempt: Arrival) -> str:
    if attempt.answer.is_late:
        return "too late"
    status = attempt.answer.status
    return "by closing the connection" if status is None else f"HTTP {status}"
