"""The events of a timeline: calls, status changes that callbacks tell, and posts of these."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from fakerelay.core.addresses import address_key
from fakerelay.core.callbacks import DELIVERED, PENDING
from fakerelay.core.plain import printable
from fakerelay.evidence import Json
from fakerelay.evidence.histories import Effect, Moment
from fakerelay.evidence.wording import (
    body_of,
    explain_problem,
    hide_secrets,
    name_call,
    name_status,
    name_task,
    show_address,
    show_addresses,
    show_attempt,
    show_offset,
    show_outcome,
    show_rule,
    show_value,
)

# What is posted this soon after a change needs no line of its own.
_PROMPT_SECONDS: Final = 0.1
# The kinds of events; those that are dull are left out first.
DULL_CALL: Final = "accepted call"
_REFUSED_CALL: Final = "refused call"
_SPOILED_CALL: Final = "call that met a fault"
_DULL_POST: Final = "callback without trouble"
_BAD_POST: Final = "callback with trouble"
DULL: Final = frozenset((DULL_CALL, _DULL_POST))


class Entry(NamedTuple):
    """One event; `details` go below it. Those alike but for time and `label` may be folded.

    `kind` is what it is counted as where it is left out.
    """

    at: float
    text: str
    details: tuple[str, ...] = ()
    label: str = ""
    kind: str = DULL_CALL

    @property
    def likeness(self) -> object:
        return self.text, self.details


def read_entries(moments: Sequence[Moment], start: float) -> list[Entry]:
    """All events in order of time; times in texts are counted from `start`."""
    entries: list[Entry] = []
    in_the_way: dict[str, int] = {}
    for moment in moments:
        if moment.request is not None:
            entries.append(_read_request(moment.request, moment.effect))
        elif moment.callback is not None:
            entries += _read_callback(moment.callback, start, in_the_way)
    return sorted(entries, key=lambda entry: entry.at)  # and else in the order they have


# Calls.


def _read_request(request: Json, effect: Effect) -> Entry:
    details = tuple(_list_details(request, effect))
    return Entry(request["at"], _tell_request(request), details, kind=_name_kind(request))


def _name_kind(request: Json) -> str:
    if request["fault"] is not None:
        return _SPOILED_CALL
    return _REFUSED_CALL if request["problem"] is not None else DULL_CALL


def _tell_request(request: Json) -> str:
    body = body_of(request)
    head = f"{name_call(request)} {show_outcome(request)}"
    if not body:
        return f"{head}: a body that is no JSON object" if request["body_bytes"] else head
    told = f"{head}: {name_task(body)}, room {show_value(body.get('roomid'))}"
    return f"{told}, {_show_addresses(body['rtmpurl'])}" if "rtmpurl" in body else told


def _show_addresses(rtmpurl: object) -> str:
    return show_addresses(rtmpurl.split(",")) if isinstance(rtmpurl, str) else show_value(rtmpurl)


def _list_details(request: Json, effect: Effect) -> Iterator[str]:
    if request["problem"] is not None:
        yield from explain_problem(request["problem"])
    if told := _tell_effect(request, effect):
        yield told
    for warning in request["warnings"]:
        rule = f"{show_rule(warning['rule'])}: " if warning["rule"] else ""
        yield f"warning: {rule}{printable(hide_secrets(warning['detail']))}"


def _tell_effect(request: Json, effect: Effect) -> str:
    """What an accepted call did beyond what it says itself."""
    parts = []
    if effect.is_update:
        parts.append("accepted as an update of the running task")
        parts += [f"starts {show_addresses(effect.started)}"] if effect.started else []
    if effect.stopped and (effect.is_update or "rtmpurl" not in body_of(request)):
        parts.append(f"stops {show_addresses(effect.stopped)}")
    if effect.kept:
        parts.append(f"the task goes on pushing to {show_addresses(effect.kept)}")
    return "; ".join(parts)


# Callbacks.


def _read_callback(callback: Json, start: float, in_the_way: dict[str, int]) -> Iterator[Entry]:
    """The status change with its first post, then each further one, at its time.

    `in_the_way` are the first callbacks by address that others wait for.
    """
    posts, at = callback["attempts"], callback["at"]
    is_prompt = bool(posts) and posts[0]["at"] - at < _PROMPT_SECONDS
    later = posts[1:] if is_prompt else posts
    told = show_attempt(posts[0]) if is_prompt else _tell_unposted(callback)
    end = tuple(_list_ends(callback, start, in_the_way))
    fate = tuple(_list_fates(callback))
    number = callback["number"]
    change = _tell_change(callback["body"]["context"])
    details = fate if later else fate + end
    is_bad = bool(details) or (is_prompt and not _is_taken(posts[0]))
    yield Entry(at, f"{told}: {change}", details, f"callback {number} ", _name_post(is_bad=is_bad))
    for index, post in enumerate(later):
        again = "again" if is_prompt or index else "now"
        text = f"callback {number} {again} {show_attempt(post)}"
        kind = _name_post(is_bad=not _is_taken(post))
        yield Entry(post["at"], text, end if post is later[-1] else (), kind=kind)


def _tell_unposted(callback: Json) -> str:
    if callback["attempts"]:
        return "posted later"
    return "posted, no answer yet" if callback["in_flight"] else "not posted"


def _is_taken(post: Json) -> bool:
    return post["status"] is not None and 200 <= post["status"] < 300


def _name_post(*, is_bad: bool) -> str:
    return _BAD_POST if is_bad else _DULL_POST


def _tell_change(context: Json) -> str:
    address, status = show_address(context["rtmpurl"]), name_status(context["status"])
    cause = "" if "traceId" in context else ", without a call"
    return f"{address} {status}{cause} ({name_task(context)})"


def _list_fates(callback: Json) -> Iterator[str]:
    if callback["fault"] is not None:
        yield f"fault {callback['fault']} (plan {callback['plan']})"


def _list_ends(callback: Json, start: float, in_the_way: dict[str, int]) -> Iterator[str]:
    """How far it is, unless it was delivered."""
    number, due_at = callback["number"], callback["next_attempt_at"]
    if callback["state"] == PENDING:
        context = callback["body"]["context"]
        lane = f"{context['appid']} {address_key(context['rtmpurl'])}"
        first = in_the_way.setdefault(lane, number)
    if callback["in_flight"]:
        if callback["attempts"]:
            yield "posted again, no answer yet"
    elif callback["held"]:
        yield "held until it is released"
    elif callback["state"] == PENDING and due_at is not None:
        yield f"pending, next attempt due at {show_offset(due_at, start)}"
    elif callback["state"] == PENDING:
        yield "pending" if first == number else f"pending, waits for callback {first}"
    elif callback["state"] != DELIVERED:
        yield f"{callback['state']}: {callback['reason'] or 'no reason given'}"
