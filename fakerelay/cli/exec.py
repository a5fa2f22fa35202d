"""`fakerelay exec -- COMMAND`: any command with a relay of its own, which ends with it."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from fakerelay.cli.serve import serve
from fakerelay.config import Config

if TYPE_CHECKING:
    from fakerelay.delivery import Notification
    from fakerelay.server import Server

_LOOPBACK = "127.0.0.1"
_FREE: Final = "exec chooses free ports by itself"
_NEAR: Final = "what exec starts is for its command alone, on 127.0.0.1"
_TOLD: Final = "exec tells its command by the environment where the relay is"
# A relay for one command is found by it alone, and says nothing: these are settled.
_SETTLED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("port", "http_port", "control_port"), _FREE),
    **dict.fromkeys(("host", "control_host", "control_token", "allow_host"), _NEAR),
    **dict.fromkeys(("ready_file", "ready_file_mode"), _TOLD),
    "log_format": "exec leaves its output to its command, and logs nothing",
}


class _Command(click.Command):
    """Knows the options of `serve` that it doesn't take."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            reason = _SETTLED.get(error.option_name.removeprefix("--").replace("-", "_"))
            if reason is None:
                raise
            raise click.UsageError(f"No {error.option_name} here: {reason}", ctx) from error


@click.command(
    cls=_Command,
    short_help="Run a command with a relay of its own, in any language.",
    params=[option for option in serve.params if option.name not in _SETTLED],
    context_settings={"allow_interspersed_args": False},
    epilog="Its exit code is the command's, or 128 and the number of the signal that ended it; 127"
    " where there is no such command, 126 where it can't be run. Options are those of serve, from"
    " the environment too (FAKERELAY_EXEC_PROFILE for --profile), and stand before the command:"
    " what stands behind its first word is the command's. Of a file given by --config the host,"
    " port, http_port, control_host, control_port, control_token, log_format, ready_file and"
    " ready_file_mode are not heeded.",
)
@click.option("--no-trust", is_flag=True, help="Don't have the command trust the relay's CA.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def exec(command: tuple[str, ...], *, no_trust: bool, **given: Any) -> None:
    """Run a command with a relay of its own, in any language: fakerelay exec -- mvn test

    The relay serves on free ports before the command starts, and ends with it. The command learns
    of it from FAKERELAY_URL, FAKERELAY_HTTP_URL (plain HTTP), FAKERELAY_CONTROL_URL,
    FAKERELAY_APPID, FAKERELAY_CERTIFICATE_ID, FAKERELAY_CERTIFICATE_KEY, FAKERELAY_TOKEN,
    FAKERELAY_CA_FILE, FAKERELAY_CA_BUNDLE and FAKERELAY_TRUSTSTORE. Programs for Node, Java, Go,
    Python and curl trust its certificate without more ado: SSL_CERT_FILE, REQUESTS_CA_BUNDLE,
    CURL_CA_BUNDLE, NODE_EXTRA_CA_CERTS and JAVA_TOOL_OPTIONS are set, besides what they held;
    and NO_PROXY has no proxy asked for it.
    """
    from fakerelay.cli.settings import load_config

    config = load_config(given)
    if config.control_token is not None:
        _say(f"Warning: the configuration's control_token is not asked for: {_NEAR}")
    raise SystemExit(asyncio.run(run(_settle(config), command, is_trusted=not no_trust)))


def _settle(config: Config) -> Config:
    return replace(
        config,
        host=_LOOPBACK,
        port=0,
        http_port=None if config.no_tls else 0,
        control_host=_LOOPBACK,
        control_port=0,
        control_token=None,
        ready_file=None,
    )


async def run(config: Config, command: Sequence[str], *, is_trusted: bool = True) -> int:
    """Serve until the command ends; its exit code.

    Raises ConfigError, and then the command hasn't been started, and CannotRun.
    """
    from fakerelay.cli.child import run_command
    from fakerelay.cli.proxies import bypass_proxies
    from fakerelay.cli.trust import add_trust
    from fakerelay.cli.undelivered import find_hopeless, render_warnings
    from fakerelay.server import Server, tune_process
    from fakerelay.web.tls import TlsFiles

    server = Server(config)
    await server.start()
    tune_process()
    try:
        files = server.tls_files if is_trusted else TlsFiles()
        environ, notes = add_trust(_describe(server), files)
        for note in (*render_warnings(find_hopeless(config), "text"), *notes):
            _say(note)
        near = (_LOOPBACK, "localhost", *config.tls_name)
        return await run_command(command, bypass_proxies(environ, near))
    finally:
        _report(await server.close())


def _describe(server: "Server") -> dict[str, str]:
    """Our own environment with this relay in it, and nothing of another one around us."""
    from fakerelay.environment import VARIABLES, describe_relay

    app = next(iter(server.apps), None)
    urls = server.url, server.http_url, server.control_url
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return others | describe_relay(*urls, app, server.tls_files, server.tenants.default.id)


def _report(undelivered: Sequence["Notification"]) -> None:
    """In one line, since the output is the command's."""
    from fakerelay.cli.undelivered import render_undelivered

    if undelivered:
        more = f", and {len(undelivered) - 1} more" if len(undelivered) > 1 else ""
        _say(f"{render_undelivered(undelivered[0], 'text')}{more}")


def _say(text: str) -> None:
    click.echo(f"fakerelay: {text}", err=True)
