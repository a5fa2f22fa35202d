"""The story of an address: which calls, and what of the vendor's doing, began and ended pushes."""

from collections.abc import Iterator, Sequence
from typing import Final

from fakerelay.core.addresses import address_key
from fakerelay.core.pushes import STOPPED
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.histories import Moment, read_moments, split_addresses
from fakerelay.evidence.wording import (
    Told,
    body_of,
    count,
    explain_problem,
    name_call,
    name_status,
    name_task,
    show_offset,
    show_outcome,
    show_told,
    show_value,
)

_MOST_TOLD: Final = 5


class Story:
    """What the journal and the callbacks tell of addresses."""

    def __init__(self, control: Control) -> None:
        self.requests = read_list(control, "requests")
        self.callbacks = read_list(control, "callbacks")
        self.moments = read_moments(self.requests.items, self.callbacks.items)
        self.start = find_start(self.moments, control("clock"))

    def has_started(self, key: str) -> bool:
        """Whether it was ever pushed to, or at least begun to be."""
        return any(
            key in map(address_key, (*moment.effect.started, *moment.effect.stopped))
            or (moment.callback is not None and is_about(moment, key))
            for moment in self.moments
        )

    def known(self) -> set[str]:
        """The addresses that were ever pushed to."""
        return {
            text
            for moment in self.moments
            for text in (*moment.effect.started, *moment.effect.stopped)
        }

    def about(self, key: str) -> list[Moment]:
        """The requests that name an address or end a push to it, and what the vendor did to it."""
        return [
            moment
            for moment in self.moments
            if is_about(moment, key) or key in map(address_key, moment.effect.stopped)
        ]

    def tell_end(self, key: str) -> list[str]:
        """The last that is known of an address: what ended it, or refused it."""
        told = [line for moment in self.about(key) for line in self._tell_moment(moment, key)]
        if told:
            return show_last(told)
        doubt = self.find_doubt()
        names = f"no request names it ({count(len(self.requests.items), 'request')} in the journal)"
        return [f"  {names}{f', but {doubt}' if doubt else ''}"]

    def find_doubt(self) -> str | None:
        """Why there may have been more than the journal tells; None: it tells everything."""
        items = self.requests.items
        if missing := items[-1]["number"] - len(items) if items else self.requests.evicted:
            return f"the journal has no more of {count(missing, 'earlier request')}"
        for moment in self.moments:
            if moment.request is not None and moment.effect.is_unclear:
                return (
                    f"request {moment.request['number']}, {name_call(moment.request)}, was accepted"
                    " on a task whose addresses the journal doesn't have"
                )
        return None

    def _tell_moment(self, moment: Moment, key: str) -> Iterator[Told]:
        """What a moment means for an address; nothing where it is of no consequence."""
        if moment.request is not None:
            is_end = key in map(address_key, moment.effect.stopped)
            end = "left it out" if moment.effect.is_update else "stopped it"
            told = self.tell_request(moment)
            yield told._replace(text=f"{told.text}: this {end}") if is_end else told
        elif moment.callback is not None:
            context = moment.callback["body"]["context"]
            if "traceId" not in context:
                status = name_status(context["status"])
                by = "stopped by the vendor" if context["status"] == STOPPED else f"became {status}"
                yield Told(show_offset(moment.at, self.start), f"{by}, without a call")

    def tell_request(self, moment: Moment) -> Told:
        """What a request asked, and what became of it."""
        request = moment.request or {}
        body = body_of(request)
        text = f"{name_call(request)} of {name_task(body)}"
        if body.get("rtmpurl") is not None:
            text += f" with {show_value(body['rtmpurl'])}"
        which = f"request {request['number']} at {show_offset(moment.at, self.start)}"
        return Told(which, f"{text}, {_tell_end(request, moment)}")


def find_start(moments: Sequence[Moment], clock: Json) -> float:
    """What times in texts are counted from: the first of what happened, else now."""
    return float(moments[0].at if moments else clock["now"])


def show_last(told: Sequence[Told]) -> list[str]:
    """The last of them, and how many there were before."""
    return [f"  {line}" for line in show_told(told, _MOST_TOLD)]


def is_about(moment: Moment, key: str) -> bool:
    if moment.callback is not None:
        return address_key(moment.callback["body"]["context"]["rtmpurl"]) == key
    return moment.request is not None and key in split_addresses(
        body_of(moment.request).get("rtmpurl")
    )


def _tell_end(request: Json, moment: Moment) -> str:
    if request["fault"] is not None:
        reasons = explain_problem(request["problem"]) if request["problem"] else ()
        return "; ".join([show_outcome(request), *reasons])
    if request["problem"] is not None:
        told = show_outcome(request).removeprefix("refused, ")
        return f"was refused, {told}: {'; '.join(explain_problem(request['problem']))}"
    return f"was accepted{' as an update of the running task' * moment.effect.is_update}"
