"""`fakerelay listen`: a stand-in for the customer's server, which push statuses are told to."""

import asyncio
import os
from pathlib import Path

import click

_MODE = 0o600


@click.command(short_help="Print the push-status callbacks that arrive on a port.")
@click.option("--port", required=True, type=click.IntRange(0, 65535), metavar="PORT")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--status",
    default=200,
    show_default=True,
    type=click.IntRange(200, 599),
    metavar="STATUS",
    help="What is answered; anything but 2xx makes the sender try again.",
)
@click.option("--log-format", default="text", type=click.Choice(["text", "json"]))
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Written, in JSON, once it listens: its url and pid; gone when it doesn't.",
)
def listen(port: int, host: str, status: int, log_format: str, ready_file: Path | None) -> None:
    """Print the push-status callbacks that arrive on a port, until told to stop.

    Give its URL to a server: fakerelay serve --callback-url http://127.0.0.1:PORT/
    """
    asyncio.run(run(host, port, status, log_format, ready_file))


async def run(
    host: str, port: int, status: int, log_format: str, ready_file: Path | None = None
) -> None:
    """Listen until a signal says stop. Raises ConfigError."""
    from fakerelay.cli.ready import remove_ready_file, write_ready_file
    from fakerelay.cli.receiver import Receiver, render_json, render_text
    from fakerelay.cli.request_log import print_line
    from fakerelay.cli.waiting import stop_signals

    render = render_json if log_format == "json" else render_text
    receiver = Receiver(lambda callback: print_line(render(callback)), status=status)
    with stop_signals() as stop:
        url = await receiver.start(host, port)
        ready = {"url": url, "pid": os.getpid()}
        try:
            if ready_file:
                write_ready_file(ready_file, _MODE, ready)
            click.echo(f"Listening on {url}, answering {status}", err=log_format == "json")
            await stop.wait()
        finally:
            await receiver.close()
            if ready_file:
                remove_ready_file(ready_file, ready)
