"""Operations as a right server answers and tells them, to be spoiled by tests: values only."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fakerelay.contract.callbacks.arrivals import Answer, Arrival, Terms
from fakerelay.contract.callbacks.books import Book, Found
from fakerelay.contract.callbacks.ledgers import Foreseen, Ledger
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Observed
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import Step, make_request
from fakerelay.contract.operations import Operation

ACCOUNTS = {0: Account(7101, "one", "key-one"), 1: Account(7102, "two", "key-two")}
TERMS = Terms(retry_delays_seconds=(1, 2), epoch=1_700_000_000.0)
TAKEN, REFUSED = Answer(), Answer(500)
JSON: Mapping[str, str] = {"content-type": "application/json"}


class Story:
    """One scenario: each operation is done a tenth of a second after the one before."""

    def __init__(
        self, number: int = 1, terms: Terms = TERMS, live_rooms: Sequence[str] = ()
    ) -> None:
        self.ledger = Ledger(Scenario(f"story {number}", ()), "run")
        self.book = Book(terms, 7101, 7102)
        self._names = Names("run", number, "rtmp://push.invalid/live", live_rooms)
        self._now = 100.0

    def do(self, *operations: Operation, is_accepted: bool | None = True) -> None:
        for operation in operations:
            self._now += 0.1
            request = make_request(operation, ACCOUNTS, self._names)
            envelope = {"code": 0 if is_accepted else 1, "message": "success"}
            envelope["traceId"] = request.trace_id or "made-up"
            body = json.dumps(envelope).encode()
            step = Step(operation, request, Observed(200, {}, body, envelope))
            sent_at, answered_at = self._now, self._now + 0.01
            self.ledger.note(step, sent_at, answered_at, is_accepted=is_accepted)

    def end(self) -> list[Foreseen]:
        """What is to be told."""
        self.book.add(self.ledger)
        return self.ledger.foreseen

    def tell(
        self, foreseen: Foreseen, after: float = 0.02, answer: Answer = TAKEN, **changes: Any
    ) -> Arrival:
        """A notification as it should be, but for what changes in it, of the context first.

        It comes so many seconds after its call was sent; None takes a field away.
        """
        call = foreseen.call
        request = call.step.request
        wall = round((call.sent_at + TERMS.epoch) * 1000)
        context: dict[str, Any] = {
            "msgname": "rtmptask_status",
            **{key: request.body[key] for key in ("appid", "roomid", "streamtype")},
            **{key: request.body[key] for key in ("uid", "taskid") if key in request.body},
            "rtmpurl": min(foreseen.texts),
            "status": foreseen.status,
            "starttime": round((100.1 + TERMS.epoch) * 1000),
            "traceId": request.trace_id or "made-up",
        }
        message: dict[str, Any] = {
            "msgid": f"{call.number}-{foreseen.symbol}",
            "product": 2,
            "msgtype": 1,
            "notifytime": wall,
        }
        for key, value in changes.items():
            (context if key in context else message)[key] = value
        message["context"] = {key: value for key, value in context.items() if value is not None}
        body = json.dumps({key: value for key, value in message.items() if value is not None})
        return Arrival(call.sent_at + after, "POST", "/", JSON, body.encode(), answer)

    def judge(self, arrivals: Iterable[Arrival]) -> list[Found]:
        return [found for each in arrivals if (found := self.book.judge(each)) is not None]


def rules(found: Iterable[Found]) -> list[str]:
    return [each.finding.rule for each in found]
