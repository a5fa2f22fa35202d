"""All scenarios of a run, and what came of them: pure, each arrival held against what was foreseen.

What nobody here has caused is left alone: late mail, and that of other apps.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from fakerelay.contract.callbacks.arrivals import Arrival, Terms, read_text
from fakerelay.contract.callbacks.forms import (
    CONTEXT,
    ENVELOPE,
    Told,
    compare_form,
    read_told,
    show,
)
from fakerelay.contract.callbacks.ledgers import Call, Foreseen, Ledger
from fakerelay.contract.judgements import Finding

PER_ADDRESS: Final = "callback-per-address"
REPEATS: Final = "callback-at-least-once"
ORDER: Final = "callback-order"
AFTER_REPLY: Final = "callback-after-reply"
NOTIFYTIME: Final = "callback-notifytime"

_CLEARLY_SECONDS: Final = 0.2
_EARLY_ENOUGH: Final = 2
_EARLY_SHARE: Final = 0.25
_CLOCKS_APART_SECONDS: Final = 300.0
_LAG_SECONDS: Final = 1.5
_BY_ITSELF: Final = (1, 2)


class Found(NamedTuple):
    """A finding, and the calls of its scenario that it takes: the last of them shows it."""

    ledger: Ledger
    calls: Sequence[Call]
    finding: Finding


class Book:
    """Takes ledgers and arrivals in; `counts` has how often each rule was compared.

    It `is_silent` until anything came that was caused here.
    """

    def __init__(self, terms: Terms, appid: int, other_appid: int | None = None) -> None:
        self.terms = terms
        self.counts: Counter[str] = Counter()
        self.ledgers: list[Ledger] = []
        self.repeats_what_was_taken = False
        self.is_silent = True
        self._appid = appid
        self._other_appid = other_appid
        self._calls: dict[str, tuple[Ledger, Call]] = {}
        self._names: dict[str, Ledger] = {}
        self._msgids: dict[str, Foreseen] = {}
        self._starttimes: dict[tuple[int, Any, int], int] = {}
        self._early = 0

    def add(self, ledger: Ledger) -> None:
        """Take in a scenario that is over."""
        self.ledgers.append(ledger)
        for call in ledger.calls:
            step = call.step
            envelope = step.observed.envelope or {}
            for trace_id in (step.request.trace_id, envelope.get("traceId")):
                if isinstance(trace_id, str) and trace_id:
                    self._calls.setdefault(trace_id, (ledger, call))
            for field in ("roomid", "taskid", "uid"):
                name = step.request.body.get(field)
                if isinstance(name, str) and ledger.is_own(name):
                    self._names.setdefault(name, ledger)
        self._names |= dict.fromkeys(filter(ledger.is_own, ledger.symbols), ledger)

    def judge(self, arrival: Arrival) -> Found | None:
        """What an arrival breaks, if anything; it is what was foreseen from now on."""
        content = arrival.content
        ledger, call = self._attribute(arrival, content)
        if ledger is None or self._is_others(content, call):
            return None
        self.is_silent = False
        about = call or self._find_call(ledger, content)
        if about is None or not about.is_judged:
            return None
        for expected, is_so in compare_form(arrival, self.terms):
            self.counts[expected.rule] += 1
            if not is_so:
                self._mark(ledger, about, content, arrival)
                return Found(ledger, [about], expected)
        return self._judge_told(ledger, call, about, read_told(content), arrival)

    # Whose it is.

    def _attribute(self, arrival: Arrival, content: Any) -> tuple[Ledger | None, Call | None]:
        trace_id = read_text(content, "traceId")
        if trace_id in self._calls:
            return self._calls[trace_id]
        address = (read_text(content, "rtmpurl") or "").partition(",")[0]
        names = [address, *(read_text(content, each) or "" for each in ("taskid", "uid", "roomid"))]
        for name in names:
            if name in self._names:
                return self._names[name], None
        if any(names):
            return None, None
        text = arrival.body.decode("utf-8", "replace")
        return next((self._names[name] for name in self._names if name in text), None), None

    def _is_others(self, content: Any, call: Call | None) -> bool:
        """Whether it is told of the other account's app, which nobody judges."""
        if call is not None:
            return call.step.operation.app != 0
        context = content.get("context") if isinstance(content, dict) else None
        appid = context.get("appid") if isinstance(context, dict) else None
        return appid is not None and appid == self._other_appid

    def _find_call(self, ledger: Ledger, content: Any) -> Call | None:
        """The likely cause of what does not say it."""
        symbol = ledger.symbols.get(read_text(content, "rtmpurl") or "")
        likely = [each for each in ledger.foreseen if symbol in (None, each.symbol)]
        open_ones = [each for each in likely if not each.attempts]
        return next((each.call for each in open_ones or likely), None)

    def _mark(self, ledger: Ledger, call: Call, content: Any, arrival: Arrival) -> None:
        """It came, whatever is wrong with it: it is not missing, too."""
        symbol = ledger.symbols.get(read_text(content, "rtmpurl") or "")
        mine = [each for each in ledger.list_foreseen(call) if symbol in (None, each.symbol)]
        open_ones = [each for each in mine if not each.attempts]
        for each in open_ones[:1]:
            each.attempts.append(arrival)
            each.is_spoiled = True

    # What it says.

    def _judge_told(
        self, ledger: Ledger, call: Call | None, about: Call, told: Told, arrival: Arrival
    ) -> Found | None:
        symbol = ledger.symbols.get(told.address)
        if call is None and told.trace_id is None and told.status in _BY_ITSELF:
            return None  # the CDN's doing, or the vendor's: no call has caused it
        if symbol is None:
            self._mark(ledger, about, None, arrival)
            rule = PER_ADDRESS if "," in told.address else CONTEXT
            known = ", ".join(ledger.symbols)
            return Found(ledger, [about], Finding(rule, f"rtmpurl, one of {known}", show(arrival)))
        if call is None:
            return self._judge_stray(ledger, symbol, told, arrival)
        for foreseen in ledger.list_foreseen(call):
            if foreseen.symbol == symbol:
                return self._judge_foreseen(ledger, foreseen, told, arrival)
        return Found(ledger, [call], self._refuse_surplus(call, told, arrival))

    def _judge_stray(
        self, ledger: Ledger, symbol: int, told: Told, arrival: Arrival
    ) -> Found | None:
        """Its traceId is of no call, or missing."""
        lanes = [each for each in ledger.foreseen if each.symbol == symbol]
        same = [each for each in lanes if each.status == told.status]
        meant = next((each for each in same if not each.attempts), next(iter(same or lanes), None))
        if meant is None:
            return None
        meant.attempts.append(arrival)
        meant.is_spoiled = True
        trace_id = meant.call.step.request.trace_id
        finding = Finding(CONTEXT, f"traceId {trace_id!r}, of the call", show(arrival))
        return Found(ledger, [meant.call], finding)

    def _refuse_surplus(self, call: Call, told: Told, arrival: Arrival) -> Finding:
        """Nothing was to be told of that address."""
        is_start = call.step.request.operation == "startrtmp"
        rule = "callback-update" if is_start else "callback-stop"
        if not call.step.observed.is_accepted:
            rule = "refusal-changes-nothing"
        return Finding(rule, f"nothing told of {told.address}", show(arrival))

    def _judge_foreseen(
        self, ledger: Ledger, foreseen: Foreseen, told: Told, arrival: Arrival
    ) -> Found | None:
        before = foreseen.attempts[-1] if foreseen.attempts else None
        for finding, is_so in self._compare(ledger, foreseen, told, arrival, before):
            self.counts[finding.rule] += 1
            if not is_so:
                foreseen.attempts.append(arrival)
                foreseen.is_spoiled = True
                return Found(ledger, [foreseen.call], finding)
        late = self._find_overtaken(ledger, foreseen, arrival)
        foreseen.attempts.append(arrival)
        return late or self._note_early(ledger, foreseen, arrival)

    def _compare(
        self,
        ledger: Ledger,
        foreseen: Foreseen,
        told: Told,
        arrival: Arrival,
        before: Arrival | None,
    ) -> Iterator[tuple[Finding, bool]]:
        got = show(arrival)
        wanted = f"status {foreseen.status} for {told.address}"
        yield Finding(foreseen.rule, wanted, got), told.status == foreseen.status
        yield from self._compare_task(ledger, foreseen, told, got)
        if before is not None:
            yield from self._compare_again(before, arrival, told)
            return
        owner = self._msgids.setdefault(told.msgid, foreseen)
        yield Finding(ENVELOPE, "a msgid of its own", got), owner is foreseen
        yield Finding(PER_ADDRESS, "one notification of each address", got), True
        yield from self._compare_times(ledger, foreseen, told, arrival)

    def _compare_task(
        self, ledger: Ledger, foreseen: Foreseen, told: Told, got: str
    ) -> Iterator[tuple[Finding, bool]]:
        request = foreseen.call.step.request
        body: Mapping[str, Any] = request.body
        number = int(body["streamtype"])
        name = body["taskid" if number == 1 else "uid"]
        spelled = " or ".join(sorted(foreseen.texts))
        yield Finding(CONTEXT, f"rtmpurl {spelled}", got), told.address in foreseen.texts
        yield Finding(ENVELOPE, f"appid {self._appid}", got), told.appid == self._appid
        yield Finding(ENVELOPE, f"roomid {body['roomid']!r}", got), told.room == body["roomid"]
        yield Finding(CONTEXT, f"streamtype {number}", got), told.streamtype == number
        yield Finding(CONTEXT, f"the name {name!r}", got), told.name == name

    def _compare_again(
        self, before: Arrival, arrival: Arrival, told: Told
    ) -> Iterator[tuple[Finding, bool]]:
        """At least once is fine, as long as it is the same."""
        content = before.content
        msgid = content.get("msgid") if isinstance(content, dict) else None
        is_retry = not before.answer.is_success
        rule = REPEATS if is_retry else PER_ADDRESS
        expected = f"msgid {msgid!r}, as before"
        yield Finding(rule, expected, show(arrival)), told.msgid == msgid
        is_same = content == arrival.content
        yield Finding(REPEATS, f"the same body: {show(before)}", show(arrival)), is_same
        self.repeats_what_was_taken |= not is_retry

    def _compare_times(
        self, ledger: Ledger, foreseen: Foreseen, told: Told, arrival: Arrival
    ) -> Iterator[tuple[Finding, bool]]:
        got = show(arrival)
        key, life, _symbol = foreseen.lane
        first = self._starttimes.setdefault((id(ledger), key, life), told.starttime)
        of_task = f"starttime {first}, as told of this task before"
        yield Finding(CONTEXT, of_task, got), told.starttime == first
        sent = self._to_ms(foreseen.call.sent_at)
        apart = f"within {_CLOCKS_APART_SECONDS:g} s of {sent}"
        most = _CLOCKS_APART_SECONDS * 1000
        if foreseen.rule == "callback-start":
            near = f"starttime {apart}"
            yield Finding(CONTEXT, near, got), abs(told.starttime - sent) <= most
        near = f"notifytime {apart}"
        yield Finding(ENVELOPE, near, got), abs(told.notifytime - sent) <= most
        lag = arrival.at - foreseen.call.sent_at
        if lag > _LAG_SECONDS + self.terms.delay_seconds:
            yield from self._compare_notifytime(ledger, foreseen, told, arrival, lag)

    def _compare_notifytime(
        self, ledger: Ledger, foreseen: Foreseen, told: Told, arrival: Arrival, lag: float
    ) -> Iterator[tuple[Finding, bool]]:
        """It waited for an earlier one: told is when the status changed, by the same clock."""
        earlier = ledger.lanes[foreseen.lane][0]
        if earlier is foreseen or not earlier.attempts:
            return
        content = earlier.attempts[0].content
        between = foreseen.call.sent_at - earlier.call.sent_at
        told_between = (told.notifytime - content["notifytime"]) / 1000
        expected = f"notifytime {between:.1f} s after that of the status before"
        yield Finding(NOTIFYTIME, expected, show(arrival)), told_between - between < lag / 2

    def _to_ms(self, at: float) -> int:
        return round((at + self.terms.epoch) * 1000)

    # When it came.

    def _find_overtaken(self, ledger: Ledger, foreseen: Foreseen, arrival: Arrival) -> Found | None:
        """A later status that came before this one was through."""
        lane = ledger.lanes[foreseen.lane]
        if len(lane) < 2:
            return None
        attempts = foreseen.attempts
        is_given_up = len(attempts) > len(self.terms.retry_delays_seconds)
        is_through = is_given_up or (bool(attempts) and attempts[-1].answer.is_success)
        later = lane[lane.index(foreseen) + 1 :]
        # Whether an address that is spelled anew is still in the same queue, nobody says.
        same = [each for each in later if each.texts & foreseen.texts]
        overtaker = next((each for each in same if each.attempts), None)
        self.counts[ORDER] += 1
        if overtaker is None or is_through:
            return None
        expected = f"status {foreseen.status} before status {overtaker.status}"
        finding = Finding(ORDER, expected, show(arrival))
        return Found(ledger, [foreseen.call, overtaker.call], finding)

    def _note_early(self, ledger: Ledger, foreseen: Foreseen, arrival: Arrival) -> Found | None:
        """Now and then may be a thread that slept; a server that does so does it each time."""
        answered_at = foreseen.call.answered_at
        if answered_at is None or len(foreseen.attempts) > 1:
            return None
        self.counts[AFTER_REPLY] += 1
        early = answered_at - arrival.at
        self._early += early > _CLEARLY_SECONDS
        often = max(_EARLY_ENOUGH, self.counts[AFTER_REPLY] * _EARLY_SHARE)
        if early <= _CLEARLY_SECONDS or self._early < often:
            return None
        got = f"{early:.2f} s before the reply: {show(arrival)}"
        return Found(ledger, [foreseen.call], Finding(AFTER_REPLY, "after the reply", got))
