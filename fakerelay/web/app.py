"""The vendor API: each request goes through the checks of `order-of-checks`, then to its world.

Built on aiohttp's low-level server: for two routes, a router and middlewares would only cost.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, Final, NamedTuple, Protocol

from aiohttp import hdrs, web

from fakerelay.core import problems
from fakerelay.core.commands import StartPush
from fakerelay.core.problems import Problem, RuleWarning
from fakerelay.core.requests import START, find_warnings, read_start, read_stop
from fakerelay.core.rules import Refused
from fakerelay.journal import Decided, Exchange
from fakerelay.ports import OpenGate
from fakerelay.tenants import Tenant
from fakerelay.web.bodies import BODY_SCHEMAS, MOST_BODY_BYTES, BodySchema
from fakerelay.web.faults import BEFORE, FAULT_HEADER, INSTEAD, CallFault, meet
from fakerelay.web.replies import Reply, write_at_once, write_reply
from fakerelay.web.routes import Route, find_appid, find_route, find_trace_id, split_target
from fakerelay.web.waits import Waits
from fakerelay.web.wire import check_content_type, read_json, render_problem, render_reply

_MOST_SHOWN: Final = 500
RULE_HEADER: Final = "X-Fakerelay-Rule"


class Call(NamedTuple):
    """A request whose body has been read, and what is known of it."""

    request: web.BaseRequest
    tenant: Tenant
    route: Route
    token: str | None
    body: Mapping[str, Any] | Problem
    exchange: Exchange


class Spoiled(NamedTuple):
    """A call that met a fault: what is left of its reply, and what lets out what it caused."""

    fault: CallFault
    reply: Reply | None
    gates: tuple[OpenGate, ...] = ()


Outcome = Problem | OpenGate | Spoiled | None
"""The problem that refuses a call; or, of an accepted one, what lets out what it caused."""


class Worlds(Protocol):
    """The worlds that a port serves."""

    def find_for(self, appid: int | None, token: str | None) -> Tenant:
        """The world that answers a call."""


class VendorApi:
    """Answers every HTTP request as the vendor would, and writes it into its world's journal."""

    def __init__(
        self,
        tenants: Worlds,
        *,
        explain: bool = True,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._tenants = tenants
        self._explain = explain
        self._on_exchange = on_exchange
        self.waits = Waits()
        self._schemas = {name: BodySchema(file) for name, file in BODY_SCHEMAS.items()}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The handler of aiohttp's `web.Server`: what a call caused leaves after its reply."""
        began = perf_counter()
        path, query = split_target(request.raw_path)
        route = find_route(path)
        token = _read_token_header(request)
        appid = route.appid if route is not None else find_appid(path)
        tenant = self._tenants.find_for(appid, token)
        exchange = _open_exchange(request, tenant, route, query)
        exchange.appid = appid
        outcome: Outcome = _refuse_target(request, tenant, route, path)
        if outcome is None and route is not None:
            body = _read_whole_body(request)
            if body is None:
                body = await _read_body(request)
            if isinstance(body, Problem):
                outcome = body
            else:
                outcome = await self._answer(request, tenant, route, token, body, exchange)
        if isinstance(outcome, Spoiled):
            self._close_exchange(tenant, exchange, began)
            return await self._send_spoiled(request, outcome)
        problem = outcome if isinstance(outcome, Problem) else None
        reply = self._render(tenant, exchange, problem)
        self._close_exchange(tenant, exchange, began)
        try:
            written = write_at_once(request, reply)
            return written if written is not None else await write_reply(request, reply)
        finally:
            if outcome is not None and not isinstance(outcome, Problem):
                outcome()

    def _close_exchange(self, tenant: Tenant, exchange: Exchange, began: float) -> None:
        exchange.duration_seconds = perf_counter() - began
        tenant.journal.add(exchange)
        if self._on_exchange is not None:
            self._on_exchange(exchange)

    def _answer(
        self,
        request: web.BaseRequest,
        tenant: Tenant,
        route: Route,
        token: str | None,
        body: bytes,
        exchange: Exchange,
    ) -> Awaitable[Outcome]:
        """The checks of `_decide`, unless a fault acts."""
        exchange.keep_body(body)
        if tenant.faults.has("call"):
            parsed = read_json(body)
            fault = meet(tenant, route, parsed)
            if fault is not None:
                call = Call(request, tenant, route, token, parsed, exchange)
                return self._meet(call, fault)
            return self._decide(request, tenant, route, token, parsed, exchange)
        return self._decide(request, tenant, route, token, body, exchange)

    async def _meet(self, call: Call, fault: CallFault) -> Spoiled:
        try:
            return await self._spoil(call, fault)
        except BaseException:
            fault.end()
            raise

    async def _decide(
        self,
        request: web.BaseRequest,
        tenant: Tenant,
        route: Route,
        token: str | None,
        raw: bytes | Mapping[str, Any] | Problem,
        exchange: Exchange,
    ) -> Problem | OpenGate | None:
        """The checks from the token on, in their order; nothing else runs in between.

        A body is parsed when its turn comes, unless the search for a fault has parsed it.
        """
        profile = tenant.service.profile
        certificate = tenant.service.authorize(token, route.appid)
        if isinstance(certificate, Problem):
            if token is None and hdrs.AUTHORIZATION in request.headers:
                why = "an Authorization header came in its place"
                explanation = {**certificate.explanation, "why": why}
                return certificate._replace(explanation=explanation)
            return certificate
        exchange.certificate_id = certificate.id
        if profile.rate_limit_per_second:
            problem = await tenant.service.count_call(route.appid)
            if problem is not None:
                return problem
        problem = check_content_type(request.headers.get(hdrs.CONTENT_TYPE))
        if problem is not None:
            return problem
        body = read_json(raw) if isinstance(raw, bytes) else raw
        if isinstance(body, Problem):
            return body
        problem = self._schemas[route.operation].check(body)
        if problem is not None:
            return problem
        read = read_start if route.operation == START else read_stop
        command = read(body, route.appid, exchange.trace_id, profile)
        if isinstance(command, Problem):
            return command
        exchange.warnings += find_warnings(route.operation, body, command)
        if isinstance(command, StartPush) and tenant.cdn.has_say(command):
            exchange.warnings += tenant.cdn.find_warnings(command)
        applied = await tenant.service.apply(command)
        decision = applied.decision
        return decision.problem if isinstance(decision, Refused) else applied.open_gate

    async def _spoil(self, call: Call, fault: CallFault) -> Spoiled:
        """Do what is left of a call that meets a fault, and tell the journal what was told."""
        request, tenant, exchange = call.request, call.tenant, call.exchange
        exchange.fault = fault.met
        reply: Reply | None = None
        gates: tuple[OpenGate, ...] = ()
        if fault.acts == INSTEAD:
            problem = fault.make_problem(request, tenant.service.profile)
            reply = self._render(tenant, exchange, problem) if problem is not None else None
        elif fault.acts != BEFORE or await fault.wait(self.waits, request, tenant):
            for _ in range(fault.times):
                reply, gates = await self._decide_once(call, gates)
        reply = fault.spoil(reply, exchange.at)
        fault.tell(exchange, reply)
        if reply is not None and self._explain:
            headers = (*reply.headers, (FAULT_HEADER, str(fault.met)))
            reply = replace(reply, headers=headers)
        return Spoiled(fault, reply, gates)

    async def _decide_once(
        self, call: Call, gates: tuple[OpenGate, ...]
    ) -> tuple[Reply, tuple[OpenGate, ...]]:
        exchange = call.exchange
        kept, exchange.warnings, exchange.problem = exchange.warnings, [], None
        outcome = await self._decide(*call)
        exchange.warnings = [*kept, *(each for each in exchange.warnings if each not in kept)]
        problem = outcome if isinstance(outcome, Problem) else None
        reply = self._render(call.tenant, exchange, problem)
        assert exchange.fault is not None
        exchange.fault.decided.append(Decided(exchange.status, exchange.code, problem))
        if outcome is None or isinstance(outcome, Problem):
            return reply, gates
        return reply, (*gates, outcome)

    async def _send_spoiled(self, request: web.BaseRequest, spoiled: Spoiled) -> web.StreamResponse:
        try:
            return await spoiled.fault.send(self.waits, request, spoiled.reply)
        finally:
            for open_gate in spoiled.gates:
                open_gate()
            spoiled.fault.end()

    def _render(self, tenant: Tenant, exchange: Exchange, problem: Problem | None) -> Reply:
        if problem is None:
            exchange.status, exchange.code = 200, 0
            return Reply(200, render_reply(0, "success", exchange.trace_id), (), exchange.at)
        exchange.problem = problem
        exchange.status, exchange.code, body = render_problem(
            problem, tenant.service.profile, exchange.trace_id
        )
        headers = []
        if self._explain and problem.rule:
            headers.append((RULE_HEADER, problem.rule))
        if problem.name == "method_not_allowed":
            headers.append((hdrs.ALLOW, hdrs.METH_POST))
        return Reply(exchange.status, body, tuple(headers), exchange.at)


def _refuse_target(
    request: web.BaseRequest, tenant: Tenant, route: Route | None, path: str
) -> Problem | None:
    """The checks of what no world has to know."""
    if route is None or (route.is_legacy and not tenant.service.profile.legacy_paths):
        return problems.unknown_path(path[:_MOST_SHOWN])
    if request.method != hdrs.METH_POST:
        return problems.method_not_allowed(request.method)
    return None


def _read_token_header(request: web.BaseRequest) -> str | None:
    """The `token` header; several are none that could be right (rule `token-once`)."""
    tokens = request.headers.getall("token", None)
    if tokens is None:
        return None
    return tokens[0] if len(tokens) == 1 else ""


def _open_exchange(
    request: web.BaseRequest, tenant: Tenant, route: Route | None, query: str
) -> Exchange:
    exchange = Exchange(request.method, request.raw_path, tenant.clock.now())
    exchange.trace_id = find_trace_id(query)
    if route is not None:
        exchange.operation = route.operation
    if not exchange.trace_id:
        exchange.trace_id = tenant.ids.trace_id()
        exchange.warnings.append(RuleWarning("trace-id-missing", "one was made up", "traceId"))
    elif tenant.journal.has_trace(exchange.trace_id):
        detail = "an earlier call bears it too"
        exchange.warnings.append(RuleWarning("trace-id-repeated", detail, "traceId"))
    return exchange


def _read_whole_body(request: web.BaseRequest) -> bytes | Problem | None:
    """A body that came whole, with the head: nothing to wait for."""
    content = request.content
    if content.is_eof() and content.exception() is None and content.total_bytes <= MOST_BODY_BYTES:
        return content.read_nowait()
    return None


async def _read_body(request: web.BaseRequest) -> bytes | Problem:
    if (request.content_length or 0) > MOST_BODY_BYTES:
        return problems.body_too_large(MOST_BODY_BYTES)
    try:
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return problems.body_too_large(MOST_BODY_BYTES)
    except (web.RequestPayloadError, ConnectionError):
        return problems.malformed_json("json-body", "the body ended early")
