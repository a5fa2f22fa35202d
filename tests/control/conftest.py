"""A server with its control plane, asked in process and over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from fakerelay.client import RelayClient
from fakerelay.control.client import ControlClient
from fakerelay.control.local import LocalControl
from fakerelay.control.verbs import PREFIX
from fakerelay.server import Server

APPID = 7
OTHER_APPID = 8

Control = LocalControl | ControlClient


@pytest.fixture
async def server(open_server: Callable[..., Awaitable[Server]]) -> Server:
    return await open_server(control_port=0)


@pytest.fixture(params=["local", "remote"])
async def control(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Control]:
    if request.param == "local":
        yield server.control
        return
    async with ControlClient(server.control_url or "") as client:
        yield client


@pytest.fixture
async def relay(server: Server) -> AsyncIterator[RelayClient]:
    """The vendor API, called for the app `APPID`."""
    async with RelayClient(server.url, APPID, "cert", "key") as client:
        yield client


@pytest.fixture
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """Plain HTTP to the control plane, for what no client of ours would send."""
    async with aiohttp.ClientSession(f"{server.control_url}{PREFIX}/") as session:
        yield session
