"""The story of an address: which calls, and what of the vendor's doing, began and ended pushes."""

from collections.abc import Iterator
from typing import Final

from fakerelay.core.addresses import address_key
from fakerelay.core.pushes import STOPPED
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.histories import Moment, read_moments, split_addresses
from fakerelay.evidence.wording import (
    body_of,
    count,
    explain_problem,
    name_call,
    name_status,
    name_task,
    show_time,
    show_value,
)

MOST_TOLD: Final = 2


class Story:
    """What the journal and the callbacks tell of addresses."""

    def __init__(self, control: Control) -> None:
        self.requests = read_list(control, "requests")
        self.callbacks = read_list(control, "callbacks")
        self.moments = read_moments(self.requests.items, self.callbacks.items)

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
        told = [line for moment in self.about(key) for line in _tell_moment(moment, key)]
        if told:
            return [f"  {line}" for line in told[-MOST_TOLD:]]
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


def is_about(moment: Moment, key: str) -> bool:
    if moment.callback is not None:
        return address_key(moment.callback["body"]["context"]["rtmpurl"]) == key
    return moment.request is not None and key in split_addresses(
        body_of(moment.request).get("rtmpurl")
    )


def _tell_moment(moment: Moment, key: str) -> Iterator[str]:
    """What a moment means for an address; nothing where it is of no consequence."""
    if moment.request is not None:
        is_end = key in map(address_key, moment.effect.stopped)
        if is_end and moment.effect.is_update:
            yield f"left out by an update: {tell_request(moment.request)}"
        elif is_end:
            yield f"stopped: {tell_request(moment.request)}"
        else:
            yield tell_request(moment.request)
    elif moment.callback is not None:
        context = moment.callback["body"]["context"]
        if "traceId" not in context:
            status = name_status(context["status"])
            by = "stopped by the vendor" if context["status"] == STOPPED else f"became {status}"
            yield f"{by} at {show_time(moment.at)}, without a call"


def tell_request(request: Json) -> str:
    body = body_of(request)
    told = f"request {request['number']}, {name_call(request)} of {name_task(body)}"
    if body.get("rtmpurl") is not None:
        told += f" with {show_value(body['rtmpurl'])}"
    if request["problem"] is not None:
        return f"{told}, was refused: {'; '.join(explain_problem(request['problem']))}"
    if not request["accepted"]:
        return f"{told}, met a fault and was not done"
    return f"{told}, was accepted"
