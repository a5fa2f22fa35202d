"""A server of the vendor's API that may be wrong: in a thread of its own, all in memory."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from tests.mutants.callbacks import Notifier
from tests.mutants.conduct import Conduct, Refused, merge
from tests.mutants.faults import FAULTS
from tests.mutants.fields import Reader, Request, guess, parse_json
from tests.mutants.pushes import Change
from tests.mutants.replies import render
from tests.mutants.tasks import Tasks
from tests.mutants.tokens import ACCOUNTS, Account, check_token
from tests.mutants.variants import VARIANTS

_PATH: Final = re.compile(r"/app/([0-9]+)/v2/rtmpforward/(startrtmp|stoprtmp)")
_LEGACY: Final = re.compile(_PATH.pattern.replace("v2/rtmpforward", "v1/recordoss"))
_PATIENCE_SECONDS: Final = 60.0


class Mutant:
    """A running server. `profile` is what a kit has to be told; `settle` waits for its posts."""

    def __init__(self, url: str, conduct: Conduct, running: "_Running") -> None:
        self.url = url
        self.accounts: tuple[Account, Account] = ACCOUNTS
        self.profile = conduct.profile
        self._running = running

    @property
    def callback_url(self) -> str | None:
        """Where both apps' notifications go; may be set at any time."""
        return self._running.service.notifier.url

    @callback_url.setter
    def callback_url(self, url: str | None) -> None:
        self._running.service.notifier.url = url

    def settle(self) -> None:
        settling = self._running.service.notifier.settle()
        asyncio.run_coroutine_threadsafe(settling, self._running.loop).result(_PATIENCE_SECONDS)


@contextmanager
def open_mutant(
    *faults: str,
    variant: str | None = None,
    profile: Mapping[str, Any] | None = None,
    callback_url: str | None = None,
) -> Iterator[Mutant]:
    """A server with these faults, or the variant, on a free port; none of both is a correct one.

    `profile`, partial, is layered over what they ask for. Raises KeyError for an unknown name.
    """
    asked = [FAULTS[fault].profile for fault in faults]
    switches = set(faults)
    if variant is not None:
        asked.append(VARIANTS[variant].profile)
        switches |= VARIANTS[variant].switches
    conduct = Conduct(frozenset(switches), merge([*asked, profile or {}]))
    with _listen() as listener:
        host, port = listener.getsockname()
        running = _Running(conduct, listener)
        running.service.notifier.url = callback_url
        running.thread.start()
        running.ready.wait(_PATIENCE_SECONDS)
        try:
            yield Mutant(f"http://{host}:{port}", conduct, running)
        finally:
            running.loop.call_soon_threadsafe(running.over.set)
            running.thread.join(_PATIENCE_SECONDS)


@contextmanager
def _listen() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield listener


class _Running:
    """The thread and the loop that a service lives in."""

    def __init__(self, conduct: Conduct, listener: socket.socket) -> None:
        self.service = Service(conduct)
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.over = asyncio.Event()
        self._listener = listener
        self.thread = threading.Thread(target=self._run, name="mutant", daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = web.Server(self.service.handle, access_log=None)
        listening = await self.loop.create_server(server, sock=self._listener)
        self.ready.set()
        await self.over.wait()
        listening.close()
        await server.shutdown(0.1)
        await self.service.notifier.close()


class Service:
    """Takes requests through the checks, in order, and answers them."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._tasks = Tasks(conduct)
        self.notifier = Notifier(conduct)
        self._last_trace_id = "none"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._conduct.has("slow"):
            await asyncio.sleep(0.02)  # to be slow in real time is what it is
        trace_id = request.query.get("traceId") or uuid4().hex
        async with self._remember(trace_id) as told:
            problem, changes = await self._decide(request, trace_id)
            reply = render(problem, request, told, self._conduct)
            if self._conduct.has("callback-early", "callback-before-reply"):
                self.notifier.tell(changes, trace_id)
                await self.notifier.settle()
                # Long enough that nobody can take it for what threads do to the order of things.
                seconds = 0.3 if changes and self._conduct.has("callback-early") else 0
                await asyncio.sleep(seconds)
                changes = []
            delayed = self._tasks.pop_delayed()
            await reply.prepare(request)
            await reply.write_eof()
            self.notifier.tell(changes, trace_id)
            for seconds, act in delayed:
                self._act_later(seconds, act, trace_id)
        return reply

    def _act_later(self, seconds: float, act: Callable[[], list[Change]], trace_id: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: self.notifier.tell(act(), trace_id))

    @asynccontextmanager
    async def _remember(self, trace_id: str) -> AsyncIterator[str]:
        """The `traceId` to answer with: the call's own, but for the fault of another's."""
        others = self._conduct.has("trace-id-of-previous-call")
        yield self._last_trace_id if others else trace_id
        self._last_trace_id = trace_id

    async def _decide(
        self, request: web.BaseRequest, trace_id: str
    ) -> tuple[Refused | None, list[Change]]:
        try:
            return None, await self._take(request, trace_id)
        except Refused as refused:
            return refused, []

    async def _take(self, request: web.BaseRequest, trace_id: str) -> list[Change]:
        path = _PATH.fullmatch(request.path)
        if self._conduct.has("legacy-path-answered"):
            path = path or _LEGACY.fullmatch(request.path)
        if path is None:
            raise Refused("unknown_path", request.path)
        if request.method != "POST" and not self._conduct.has("get-accepted"):
            raise Refused("method_not_allowed", request.method)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge as cause:
            raise Refused("body_too_large") from cause
        if not request.query.get("traceId") and self._conduct.has("missing-trace-id-refused"):
            raise Refused("invalid_parameter", "traceId: is missing")
        appid, operation = int(path[1]), path[2]
        try:
            wanted = self._check(request, raw, appid, operation)
        except Refused as refused:
            await self._do_though_refused(raw, appid, operation, refused)
            raise
        return await self._tasks.apply(wanted)

    def _check(self, request: web.BaseRequest, raw: bytes, appid: int, operation: str) -> Request:
        """All that is checked before the rules of tasks, in its order."""

        def check_token_() -> None:
            tokens = request.headers.getall("token", [])
            check_token(request.headers, tokens, appid, operation, self._conduct)

        def check_content_type() -> None:
            self._check_content_type(request)

        first, second = check_token_, check_content_type
        if self._conduct.has("content-type-before-token"):
            first, second = second, first
        if self._conduct.has("fields-before-token"):
            self._read(raw, appid, operation)
        first()
        if self._conduct.has("json-before-content-type"):
            parse_json(raw, self._conduct)
        second()
        wanted = self._read(raw, appid, operation)
        self._check_appid(wanted)
        return wanted

    def _check_content_type(self, request: web.BaseRequest) -> None:
        kind, _, rest = request.headers.get("Content-Type", "").lower().partition(";")
        charset = rest.replace(" ", "").strip(";").removeprefix("charset=").strip('"')
        if self._conduct.has("content-type-unchecked"):
            return
        needed = {"utf-8"} if self._conduct.has("charset-needed") else {"", "utf-8"}
        if kind.strip() != "application/json" or charset not in needed:
            raise Refused("unsupported_content_type", kind)

    def _read(self, raw: bytes, appid: int, operation: str) -> Request:
        body = parse_json(raw, self._conduct)
        is_start = operation == "startrtmp"
        if self._conduct.has("appid-before-fields") and body.get("appid") != appid:
            raise Refused("appid_mismatch", str(appid))
        return Reader(body, self._conduct, is_start=is_start).read(appid)

    def _check_appid(self, wanted: Request) -> None:
        if wanted.body_appid != wanted.appid and not self._conduct.has("other-appid-accepted"):
            raise Refused("appid_mismatch", str(wanted.body_appid))
        keys = [address.key for address in wanted.addresses or ()]
        if len(set(keys)) < len(keys) and not self._conduct.has("address-twice-accepted"):
            raise Refused("duplicate_address", next(reversed(keys)))

    async def _do_though_refused(
        self, raw: bytes, appid: int, operation: str, refused: Refused
    ) -> None:
        """What a faulty server does of a call that it has refused."""
        by_token = refused.problem.startswith("token_") or refused.problem == "app_forbidden"
        wanted = guess(raw, appid, is_start=operation == "startrtmp", conduct=self._conduct)
        if wanted is None:
            return
        name = operation.removesuffix("rtmp")
        if by_token and self._conduct.has(f"refused-{name}-done-anyway"):
            with suppress(Refused):
                await self._tasks.apply(wanted)
        self._tasks.spoil(wanted, Refused("token") if by_token else refused)
