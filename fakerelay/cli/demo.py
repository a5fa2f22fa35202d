"""`fakerelay demo`: a whole broadcast over the real HTTP API, told to who never saw it."""

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fakerelay.config import DEMO_APP, AppConfig, Config

if TYPE_CHECKING:
    from fakerelay.cli.receiver import Callback
    from fakerelay.cli.screen import Screen
    from fakerelay.server import Server


@click.command(short_help="Play a whole broadcast, and explain what happens.")
@click.option("--serve", is_flag=True, help="Stay up afterwards, to be played with.")
def demo(*, serve: bool) -> None:
    """Play a whole broadcast through the real HTTP API, and explain what happens.

    It uses free ports of this machine, takes a few seconds and leaves nothing behind.
    """
    asyncio.run(run(stays_up=serve))


async def run(*, stays_up: bool = False) -> None:
    """Play on a server made for it; then stop, or wait until told to."""
    from fakerelay.cli.receiver import Receiver
    from fakerelay.cli.screen import Screen
    from fakerelay.server import Server

    screen = Screen()
    arrived: asyncio.Queue[Callback] = asyncio.Queue()
    receiver = Receiver(arrived.put_nowait)
    with tempfile.TemporaryDirectory(prefix="fakerelay-demo-") as folder:
        callback_url = await receiver.start("127.0.0.1", 0) + "/callbacks"
        server = Server(_config(callback_url, Path(folder)))
        try:
            await server.start()
            await _play(server, screen, arrived)
            if stays_up:
                await _stay_up(server, screen, arrived)
        finally:
            await server.close()
            await receiver.close()


def _config(callback_url: str, ca_dir: Path) -> Config:
    from fakerelay.cli.broadcast import ROOM, USERS

    app = AppConfig(
        DEMO_APP.appid,
        DEMO_APP.certificate_id,
        DEMO_APP.certificate_key,
        callback_url,
        {ROOM: USERS},
    )
    return Config(port=0, control_port=0, apps=(app,), ca_dir=ca_dir)


async def _play(server: "Server", screen: "Screen", arrived: "asyncio.Queue[Callback]") -> None:
    import ssl

    from fakerelay.cli.broadcast import STEPS, Stage
    from fakerelay.client import RelayClient
    from fakerelay.control.client import ControlClient

    app = server.config.apps[0]
    screen.say(_PROLOGUE.format(url=server.url, receiver=app.callback_url))
    trust = ssl.create_default_context(cafile=server.tls_files.ca_file)
    relay = RelayClient(
        server.url, app.appid, app.certificate_id, app.certificate_key, ssl_context=trust
    )
    assert server.control_url is not None
    async with relay, ControlClient(server.control_url) as control:
        stage = Stage(screen, app.appid, relay, control, arrived)
        for step in STEPS:
            await step(stage)
    screen.say(_EPILOGUE)


async def _stay_up(server: "Server", screen: "Screen", arrived: "asyncio.Queue[Callback]") -> None:
    from fakerelay.cli.ready import render_banner
    from fakerelay.cli.waiting import stop_signals

    with stop_signals() as stop:
        screen.plain("\n" + render_banner(server) + "\n\nCtrl-C stops it.")
        showing = asyncio.ensure_future(_show_callbacks(screen, arrived))
        await stop.wait()
        showing.cancel()


async def _show_callbacks(screen: "Screen", arrived: "asyncio.Queue[Callback]") -> None:
    while True:
        screen.callback(await arrived.get())


_PROLOGUE = """
A vendor runs live rooms, in which people talk on camera. A relay takes what happens in a room and
pushes it, as one video stream, to the RTMP addresses of CDNs, where the audience watches. A
business's backend starts, changes and stops relays by two REST calls, startrtmp and stoprtmp. In
this demo the backend's calls go to a fakerelay on {url}, which has the vendor's rules and memory
but pushes no video. Its callbacks go to a receiver on {receiver}. All of it is real HTTP, on this
machine. Each rule shown bears in brackets how it is known: documented by the vendor, or only
assumed.
"""
_EPILOGUE = """
That was a broadcast. Run 'fakerelay serve' and give your backend its URL in place of the vendor's;
'fakerelay --help' shows the rest.
"""
