"""`fakerelay serve`: its options, and the life of the process around a `Server`."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from fakerelay.config import DEFAULT_CONTROL_PORT, DEFAULT_PORT, DEMO_APP, Config

_STDOUT = 1
_CLOCK = click.Choice(["real", "frozen"])
F = TypeVar("F", bound=Callable[..., Any])
_DEMO = f"{DEMO_APP.appid}:{DEMO_APP.certificate_id}:{DEMO_APP.certificate_key}"


class _Switch(click.Option):
    """A pair of flags, either of which may be a variable too: TLS=0 is NO_TLS=1."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        opposite = self.secondary_opts[0].removeprefix("--").replace("-", "_").upper()
        given = os.environ.get(f"{ctx.auto_envvar_prefix}_{opposite}")
        if value is not None or not given:
            return value
        return str(not click.BOOL.convert(given, self, ctx))


def _complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from fakerelay import schemas

    return [name for name in schemas.list_names("profiles") if name.startswith(incomplete)]


def _option(name: str, text: str, **attributes: Any) -> Callable[[F], F]:
    """An option without a default of its own: where it isn't given, the file may decide."""
    return click.option(name, default=None, help=text, **attributes)


def _port(name: str, text: str) -> Callable[[F], F]:
    return _option(name, text, type=click.IntRange(0, 65535), metavar="PORT")


def _file(name: str, text: str, metavar: str = "FILE") -> Callable[[F], F]:
    return _option(name, text, type=click.Path(path_type=str), metavar=metavar)


def _list(name: str, text: str, metavar: str) -> Callable[[F], F]:
    return click.option(name, help=f"{text}; repeatable.", multiple=True, metavar=metavar)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _option("--host", "Where the vendor API listens. [127.0.0.1]", metavar="HOST"),
    _port("--port", f"Its port; 0 is any free one. [{DEFAULT_PORT}]"),
    _port("--http-port", "Serve it over plain HTTP besides."),
    _option("--no-tls/--tls", "Plain HTTP in place of HTTPS.", cls=_Switch),
    _list("--tls-name", "A further name the certificate is good for", "NAME"),
    _file("--tls-cert", "A certificate of your own, in PEM."),
    _file("--tls-key", "Its key, in PEM; none where the certificate's file holds it."),
    _file("--ca-dir", "The folder of the local CA, which is made on first use.", "DIR"),
    _option("--control-host", "Where the control plane listens. [127.0.0.1]", metavar="HOST"),
    _port("--control-port", f"Its port; 0 is any free one. [{DEFAULT_CONTROL_PORT}]"),
    _option("--control-token", "What its callers must present.", metavar="TOKEN"),
    _list("--allow-host", "A name its callers may use for it", "NAME"),
    _list("--callback-allow", "A public host that callbacks may be sent to", "HOST"),
    _file("--callback-ca", "The CA of HTTPS callback receivers, in PEM."),
    _option(
        "--profile",
        "What is assumed of the vendor. [default]",
        metavar="NAME|FILE",
        shell_complete=_complete_profile,
    ),
    _list("--set", "A key of the profile, changed", "KEY=VALUE"),
    _option("--clock", "Whether time runs or stands still. [real]", type=_CLOCK),
    _option(
        "--now",
        "Where a frozen clock begins, in seconds since 1970.",
        type=click.FloatRange(0, 4102444800),
        metavar="SECONDS",
    ),
    _option("--seed", "Make up the same ids and keys in every run.", type=int, metavar="N"),
    _option("--state", "Where tasks are kept. [memory:]", metavar="URL"),
    _file("--snapshot", "A saved world to begin with: its apps, profile and clock are in force."),
    _option("--journal-size", "Calls remembered. [10000]", type=click.IntRange(0), metavar="N"),
    _option("--log-format", "[text]", type=click.Choice(["text", "json"])),
    _file("--ready-file", "Written, in JSON, once all ports answer; gone when they don't."),
    _option("--ready-file-mode", "Its mode. [0600]", metavar="OCTAL"),
    _option(
        "--explain/--no-explain",
        "Name the rule of a refusal in X-Fakerelay-Rule. [explain]",
        cls=_Switch,
    ),
    _option(
        "--magic-addresses/--no-magic-addresses",
        "Let hosts under fakerelay.test fail as their names say. [magic-addresses]",
        cls=_Switch,
    ),
)


def _with_options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    short_help="Serve the vendor's API, and a control plane on another port.",
    epilog="Options win over the environment (FAKERELAY_SERVE_PORT for --port), which wins over"
    " the configuration file. A variable takes 1 or 0 for a flag, and several values of a"
    " repeatable option apart by spaces: what has spaces in it needs the option or the file."
    " Ctrl-C or SIGTERM stops it.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings in TOML.")
@_list("--app", f"An app and the certificate that opens it [{_DEMO}]", "APPID:CERTID:CERTKEY")
@_option("--callback-url", "Where the apps' push statuses are told.", metavar="URL")
@_with_options
def serve(**given: Any) -> None:
    """Serve the vendor's API, and a control plane on a port of its own, until told to stop."""
    from fakerelay.cli.settings import load_config

    asyncio.run(run(load_config(given)))


async def run(config: Config) -> None:
    """Serve until a signal says stop. Raises ConfigError, and then nothing has been started."""
    from fakerelay.cli.printer import Printer
    from fakerelay.cli.ready import describe, remove_ready_file
    from fakerelay.cli.request_log import RequestLog
    from fakerelay.cli.undelivered import render_failed_json, render_failed_text
    from fakerelay.cli.waiting import stop_signals
    from fakerelay.server import Server, tune_process

    log = RequestLog(config.log_format, Printer(_STDOUT))
    render_failed = render_failed_json if config.log_format == "json" else render_failed_text
    server = Server(config, on_exchange=log, on_failed=lambda failed: log(render_failed(failed)))
    with stop_signals() as stop:
        await server.start()
        tune_process()
        try:
            _announce(server, config)
            await stop.wait()
        finally:
            try:
                if config.ready_file:
                    remove_ready_file(config.ready_file, describe(server))
            finally:
                undelivered = await server.close()
                log.close()
                _report(undelivered, config.log_format)


def _announce(server: Any, config: Config) -> None:
    from fakerelay.cli.ready import describe, render_banner, render_listening, write_ready_file
    from fakerelay.cli.request_log import print_line
    from fakerelay.cli.undelivered import find_hopeless, render_warnings

    if config.ready_file:
        write_ready_file(config.ready_file, config.ready_file_mode, describe(server))
    render = render_listening if config.log_format == "json" else render_banner
    print_line(render(server))
    for warning in render_warnings(find_hopeless(config), config.log_format):
        click.echo(warning, err=True)


def _report(undelivered: Sequence[Any], log_format: str) -> None:
    from fakerelay.cli.undelivered import render_undelivered

    for each in undelivered:
        click.echo(render_undelivered(each, log_format), err=True)
