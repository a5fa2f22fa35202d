"""A world whose pushes are watched, on a clock that is moved."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from fakerelay.clock import Start
from fakerelay.core.commands import Command
from fakerelay.core.model import SOURCE, App, Certificate
from fakerelay.faults import read_plan
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from fakerelay.profiles import open_profile
from fakerelay.stores import open_store
from fakerelay.tenants import Parts, Tenant, Tenants
from tests.core.worlds import APPID, outcome

Told = list[tuple[float, str, int]]


class Listener:
    """A receiver that takes down when it is told what."""

    def __init__(self) -> None:
        self.told: Told = []

    async def send(
        self, url: str, body: bytes, timeout_seconds: float, content_type: str = ""
    ) -> Sent:
        message = json.loads(body)
        context = message["context"]
        address = context["rtmpurl"].removeprefix("rtmp://")
        self.told.append((message["notifytime"] / 1000, address, context["status"]))
        return Sent(200, None, 0.0)


class World:
    """A world with one app, and what its receiver has heard."""

    def __init__(self, *, has_magic: bool = True, **push: Any) -> None:
        self._listener = Listener()
        profile = open_profile("default", {"push": push, "concurrent_pushes": 0})
        parts = Parts(
            open_store, Start("frozen", 0.0), SeededIds, self._listener, profile, 10, Random(1),
            magic_addresses=has_magic,
        )  # fmt: skip
        self.tenants = Tenants(parts)
        self.tenant: Tenant = self.tenants.default

    async def open(self, *appids: int) -> "World":
        for appid in appids or (APPID,):
            app = App(appid, "account", "http://127.0.0.1:1/")
            await self.tenants.put_account(self.tenant, app, Certificate("c", "k", "account"))
        return self

    def plan(self, *steps: Mapping[str, Any], **parts: Any) -> None:
        """A plan for pushes."""
        data = {"on": "push", "steps": steps, **parts}
        plans = self.tenant.faults
        plans.add(read_plan(data, plans.next_id(), self.tenant.clock.now()))

    async def do(self, command: Command) -> tuple[str, str] | None:
        """Why it is refused, if it is."""
        applied = await self.tenant.service.apply(command)
        if applied.open_gate is not None:
            applied.open_gate()
        await self.advance(0)
        return outcome(applied.decision)

    async def advance(self, seconds: float) -> None:
        await self.tenant.clock.advance(seconds)

    def told(self) -> Told:
        """What has been told since one asked last."""
        told, self._listener.told = self._listener.told, []
        return told

    def statuses(self, name: str = "u", kind: int = SOURCE) -> list[int] | None:
        task = self.tenant.service.view.task((APPID, kind, name))
        return None if task is None else [push.status for push in task.pushes]


FAIL = {"fault": "fail", "count": "always"}
