"""Faults on calls: which plan meets one, and what then becomes of its reply and its connection.

What a fault does stands in `schemas/faults.json`; a plan's settings have been checked.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web

from fakerelay.clock import WorldClock
from fakerelay.core.addresses import read_address
from fakerelay.core.delays import draw_delay
from fakerelay.core.faults import PASS, Plan, Step, Subject
from fakerelay.core.model import KIND_NAMES, MIXED, SOURCE, PushAddress
from fakerelay.core.plain import clean_text
from fakerelay.core.problems import FACTS, Problem, asked_for
from fakerelay.core.profile import Profile
from fakerelay.faults import vocabulary
from fakerelay.journal import Exchange, FaultMet
from fakerelay.tenants import Tenant
from fakerelay.web.bodies import MOST_BODY_BYTES
from fakerelay.web.replies import (
    CLOSED,
    Reply,
    render_reply_head,
    went_out,
    write_at_once,
    write_reply,
)
from fakerelay.web.routes import Route
from fakerelay.web.waits import Waits

FAULT_HEADER: Final = "X-Fakerelay-Fault"
INSTEAD: Final = "instead"
BEFORE: Final = "before"

_MOST_ADDRESSES: Final = 100
_MOST_DRIPS: Final = 200
_HTML: Final = "text/html; charset=utf-8"
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_SILENT: Final = frozenset(("hang", "reset", "close_before_reply", "drop_after_commit"))
_ILLEGIBLE: Final = frozenset(
    ("http_status", "error_after_commit", "empty", "malformed", "truncate")
)


class CallFault:
    """A step that meets a call: `acts` says when, `met` tells the journal."""

    def __init__(self, plan: Plan, step: Step, body: Mapping[str, Any], subject: Subject) -> None:
        self.name = step.fault
        self.acts: str = vocabulary()["call"][step.fault]["acts"]
        self.times = 2 if step.fault == "duplicate_commit" else 1
        self.met = FaultMet(plan.id, plan.number_of(step), step.fault)
        self._plan = plan
        self._settings = step.settings
        self._body = body
        self._subject = subject
        self._exchange: Exchange | None = None
        self._work: asyncio.Future[None] | None = None

    async def wait(self, waits: Waits, request: web.BaseRequest, tenant: Tenant) -> bool:
        """Hold the call back as long as its `delay` says; whether it is to be done then.

        It isn't if its caller left meanwhile, or the world let it go. A step of time that ends the
        delay waits for the call, until `end`.
        """
        clock, held = tenant.clock, tenant.held_calls
        chance = self._plan.draw() if "distribution" in self._settings else 0.0
        due_at = clock.now() + draw_delay(self._settings, chance)
        what = f"call delayed by {self.met.plan_id}"
        begin = partial(self._begin, clock)
        let_go = partial(waits.end, request.protocol)
        held[let_go] = self._subject.appid
        try:
            is_due = await waits.until(request, clock, due_at, what=what, on_due=begin)
            return is_due and let_go in held  # it may have been let go when it was due
        finally:
            held.pop(let_go, None)

    def end(self) -> None:
        """The call has been dealt with, and its reply."""
        if self._work is not None and not self._work.done():
            self._work.set_result(None)

    def make_problem(self, request: web.BaseRequest, profile: Profile) -> Problem | None:
        """What a `problem` refuses with: no rule of the vendor's stands behind it."""
        if self.name != "problem":
            return None
        name = self._settings["name"]
        facts = _fill_facts(name, request, profile, self._body, self._subject)
        facts |= self._settings.get("facts", {})
        return asked_for(name, facts, f"fault plan {self.met.plan_id} asked for it")

    def spoil(self, reply: Reply | None, at: float) -> Reply | None:
        """The reply that leaves in place of the one that was decided on; None where none does."""
        settings = self._settings
        match self.name:
            case "http_status":
                body = settings.get("body", "").encode("utf-8", "replace")
                headers = tuple(settings.get("headers", {}).items())
                return Reply(settings["status"], body, _with_type(headers), at)
            case "error_after_commit":
                status = settings.get("status", 502)
                return Reply(status, _render_page(status), ((hdrs.CONTENT_TYPE, _HTML),), at)
            case "empty" if reply is not None:
                return replace(reply, status=200, body=b"")
            case "malformed" if reply is not None:
                body = settings.get("body")
                spoiled = reply.body[:-1] if body is None else body.encode("utf-8", "replace")
                return replace(reply, body=spoiled)
        return None if self.name in _SILENT else reply

    def tell(self, exchange: Exchange, reply: Reply | None) -> None:
        """Put down in the journal what the caller will have seen, as far as we can know."""
        self._exchange = exchange
        if reply is None:
            self.met.told = "nothing"
            exchange.status = exchange.code = None
            return
        exchange.status = reply.status
        if self.name == "truncate":
            self.met.told = "part"
        if self.name in _ILLEGIBLE:
            exchange.code = None

    async def send(
        self, waits: Waits, request: web.BaseRequest, reply: Reply | None
    ) -> web.StreamResponse:
        """Let what is left of a reply go out, or do to the connection what is to be done to it."""
        transport = request.transport
        if self.name == "hang":
            await waits.until(request, waits.real, None)
        if transport is None or transport.is_closing():
            return CLOSED
        if reply is None:
            if self.name in ("reset", "hang"):
                _reset(transport)
            transport.close()
            return CLOSED
        match self.name:
            case "truncate":
                most = self._settings.get("bytes", len(reply.body) // 2)
                transport.write(render_reply_head(request, reply, goes_on=False))
                transport.write(reply.body[: min(most, len(reply.body) - 1)])
                transport.close()
                return CLOSED
            case "drip":
                return await self._drip(waits, request, reply)
            case "problem" | "delay" | "duplicate_commit":
                return write_at_once(request, reply) or await write_reply(request, reply)
        transport.write(render_reply_head(request, reply, goes_on=request.keep_alive) + reply.body)
        return went_out(request)

    async def _drip(
        self, waits: Waits, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        transport.write(render_reply_head(request, reply, goes_on=request.keep_alive))
        began_at, seconds = waits.real.now(), self._settings["seconds"]
        size = -(-len(reply.body) // _MOST_DRIPS)
        for start in range(0, len(reply.body), size):
            share = min(start + size, len(reply.body)) / len(reply.body)
            if not await waits.until(request, waits.real, began_at + seconds * share):
                self._tell_cut()
                return CLOSED
            transport.write(reply.body[start : start + size])
        return went_out(request)

    def _tell_cut(self) -> None:
        """Mend the journal: when it was written, the whole reply was to go out."""
        self.met.told = "part"
        if self._exchange is not None:
            self._exchange.code = None

    def _begin(self, clock: WorldClock) -> None:
        self._work = asyncio.get_running_loop().create_future()
        clock.track(self._work)


def meet(tenant: Tenant, route: Route, parsed: Mapping[str, Any] | Problem) -> CallFault | None:
    """The fault that a plan of the world has for a call; it is counted."""
    body: Mapping[str, Any] = {} if isinstance(parsed, Problem) else parsed
    subject = _read_subject(route, body)
    taken = tenant.faults.take("call", subject, tenant.clock.now())
    if taken is None or taken[1].fault == PASS:
        return None
    return CallFault(*taken, body, subject)


def _read_subject(route: Route, body: Mapping[str, Any]) -> Subject:
    """Facts as far as they can be told: the call may be refused for the rest."""
    return Subject(
        route.appid,
        route.operation,
        _read_text(body, "roomid"),
        _read_text(body, "taskid"),
        _read_text(body, "uid"),
        tuple(_read_addresses(body)),
    )


def _read_text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    return value if isinstance(value, str) else None


def _read_addresses(body: Mapping[str, Any]) -> list[str]:
    """Each as it is spelled, then by what it is compared by."""
    texts = (_read_text(body, "rtmpurl") or "").split(",")[:_MOST_ADDRESSES]
    found = [read_address(text) for text in texts]
    return [text for text in texts if text] + [
        address.key for address in found if isinstance(address, PushAddress)
    ]


def _fill_facts(
    name: str,
    request: web.BaseRequest,
    profile: Profile,
    body: Mapping[str, Any],
    subject: Subject,
) -> dict[str, str]:
    kind = body.get("streamtype")
    limits = {
        "rate_limited": profile.rate_limit_per_second,
        "quota_exceeded": profile.concurrent_pushes,
        "room_quota_exceeded": profile.mixed_tasks_per_room,
        "body_too_large": MOST_BODY_BYTES,
    }
    known = {
        "address": subject.addresses[0] if subject.addresses else "",
        "appid": str(subject.appid),
        "field": "roomid",
        "kind": KIND_NAMES[MIXED if kind == MIXED else SOURCE],
        "limit": str(limits.get(name, 0)),
        "method": request.method,
        "name": (subject.task_id if kind == MIXED else subject.uid) or "",
        "path": request.raw_path.partition("?")[0],
        "path_appid": str(subject.appid),
        "reason": "a fault plan asked for it",
        "roomid": subject.room_id or "",
        "value": request.headers.get(hdrs.CONTENT_TYPE, ""),
    }
    return {fact: clean_text(known[fact])[:500] for fact in FACTS[name]}


def _with_type(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    has_one = any(name.lower() == hdrs.CONTENT_TYPE.lower() for name, _ in headers)
    return headers if has_one else (*headers, (hdrs.CONTENT_TYPE, _HTML))


def _render_page(status: int) -> bytes:
    """What a proxy shows."""
    known = {each.value: each.phrase for each in HTTPStatus}
    title = f"{status} {known.get(status, 'Error')}"
    head = f"<head><title>{title}</title></head>"
    return f"<html>{head}<body><h1>{title}</h1></body></html>\n".encode()


def _reset(transport: asyncio.Transport) -> None:
    """Close with a TCP RST, as a connection ends whose other side has crashed."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
