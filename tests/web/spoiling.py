"""Calls that go wrong by a plan, and what came of them."""

from typing import Any

from fakerelay.server import Server
from tests.web.wires import (
    wire,
)


async def spoil(server: Server, fault: str, **settings: Any) -> None:
    """One plan with one step."""
    plan = {"id": "plan", "steps": [{"fault": fault, **settings}]}
    await server.control.call("create_fault", body=plan)


async def told(server: Server) -> list[dict[str, Any]]:
    """The journal."""
    listed = await server.control.call("requests")
    items: list[dict[str, Any]] = listed["items"]
    return items


async def end_of(server: Server, raw: bytes) -> bytes:
    """All that comes back until the other side closes."""
    async with wire(server) as opened:
        await opened.send(raw)
        return await opened.rest()
