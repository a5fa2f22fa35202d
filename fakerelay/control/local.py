"""The control plane in process: each verb on the worlds of a running server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fakerelay.control import (
    accounts,
    callbacks,
    clock,
    documents,
    events,
    faults,
    metrics,
    requests,
    scenarios,
    snapshots,
    tasks,
    worlds,
)
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.control.values import check_call
from fakerelay.control.verbs import Call, VerbName, make_call
from fakerelay.errors import FakerelayError

Handler = Callable[[Plane, Values, Json], Awaitable[Json]]

HANDLERS: Final[Mapping[str, Handler]] = {
    "health": documents.show_health,
    "ca": documents.show_ca,
    "worlds": worlds.list_worlds,
    "create_world": worlds.create_world,
    "delete_world": worlds.delete_world,
    "apps": accounts.list_apps,
    "app": accounts.show_app,
    "put_app": accounts.put_app,
    "delete_app": accounts.delete_app,
    "certificates": accounts.list_certificates,
    "create_certificate": accounts.create_certificate,
    "revoke_certificate": accounts.revoke_certificate,
    "tasks": tasks.list_tasks,
    "requests": requests.list_requests,
    "clear_requests": requests.clear_requests,
    "callbacks": callbacks.list_callbacks,
    "hold_callbacks": callbacks.hold_callbacks,
    "release_callbacks": callbacks.release_callbacks,
    "replay_callbacks": callbacks.replay_callbacks,
    "set_push_status": tasks.set_push_status,
    "faults": faults.list_faults,
    "create_fault": faults.create_fault,
    "delete_fault": faults.delete_fault,
    "clear_faults": faults.clear_faults,
    "clock": clock.show_clock,
    "put_clock": clock.put_clock,
    "advance_clock": clock.advance_clock,
    "scenarios": scenarios.list_scenarios,
    "scenario": scenarios.begin_scenario,
    "end_scenario": scenarios.end_scenario,
    "profile": worlds.show_profile_in_force,
    "put_profile": worlds.put_profile,
    "snapshot": snapshots.show_snapshot,
    "put_snapshot": snapshots.put_snapshot,
    "reset": worlds.reset,
    "metrics": metrics.show_metrics,
    "openapi": documents.show_openapi,
    "vendor_openapi": documents.show_vendor_openapi,
}

STREAMS: Final[Mapping[str, Callable[[Plane, Values], events.Stream]]] = {
    "events": events.open_events,
}


class LocalControl:
    """Acts on a server's worlds; plain JSON types in and out, the same as over HTTP."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def call(self, verb: VerbName | str, /, **parameters: Any) -> Json:
        """Do a verb; keywords are its parameters and the keys of its body.

        A `body` keyword gives that whole. Raises ControlError.
        """
        return await self.perform(make_call(verb, parameters))

    def call_at_once(self, verb: VerbName | str, /, **parameters: Any) -> Json:
        """Do a verb without waiting, so from inside the loop: posts in flight of what it forgets
        end later. Raises ControlError, or FakerelayError for a list that has to be waited for.
        """
        work = self._begin(make_call(verb, parameters))
        try:
            while work.send(None) is None:
                pass  # a long list gives others their turn, but waits for nothing
        except StopIteration as done:
            return done.value
        work.close()
        raise FakerelayError(
            "This would have to wait, and the relay runs in the loop that waits:"
            " use 'await relay.acontrol(...)', and of relay.clock what begins with an 'a'"
        )

    @asynccontextmanager
    async def stream(
        self, verb: VerbName | str, /, **parameters: Any
    ) -> AsyncIterator[AsyncIterator[Json]]:
        """Listen to what a verb tells: `async with control.stream("events") as events:`, then
        `async for event in events:`. Nothing that happens inside is missed. Raises ControlError.
        """
        stream = self.open_stream(make_call(verb, parameters, streams=True))
        try:
            yield (each async for each in stream if each is not None)
        finally:
            stream.close()

    def open_stream(self, call: Call) -> events.Stream:
        """Begin to listen, once the values have been found in order."""
        return STREAMS[call.verb.name](self._plane, check_call(call))

    async def perform(self, call: Call) -> Json:
        """Do what a call says, once its values have been found in order."""
        answer = await self._begin(call)
        if call.verb.destroys or call.verb.replaces:
            await self._plane.tenants.let_end()
        return answer

    async def _begin(self, call: Call) -> Json:
        """All of it but the end of posts in flight; nothing but a list is waited for in between."""
        values = check_call(call)
        answer = await HANDLERS[call.verb.name](self._plane, values, call.body)
        if call.verb.method != "GET":
            events.tell_change(self._plane, call, values, answer)
            if self._plane.tls_ports is not None:
                await self._plane.tls_ports.settle()  # whatever has become of the plans
        return answer
