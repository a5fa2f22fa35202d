"""The command line: one module a command, loaded when it is called; how its errors are told."""

import errno
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from fakerelay.errors import FakerelayError, nearest

_COMMANDS = ("serve", "exec", "demo", "token", "listen", "control", "verify")
_AMID_OTHERS = ("exec",)  # what else is on their stderr is somebody else's
_INTERRUPTED = 130  # 128 and the number of SIGINT


class UserError(click.ClickException):
    """A mistake told in one line on stderr; exit code 2."""

    exit_code = 2


class InternalError(click.ClickException):
    """A mistake of our own; exit code 70, which the documented ones leave free."""

    exit_code = 70


class Commands(click.Group):
    """Loads a command's module when the command is wanted, and no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"fakerelay.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}{nearest(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._invoke(ctx)
        except click.ClickException as error:
            if ctx.invoked_subcommand in _AMID_OTHERS:
                click.echo(f"fakerelay: {_one_line(error.format_message())}", err=True)
                raise SystemExit(error.exit_code) from error
            raise
        except KeyboardInterrupt:
            raise SystemExit(_INTERRUPTED) from None

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except FakerelayError as error:
            if ctx.params["debug"]:
                raise
            raise UserError(_one_line(error)) from error
        except Exception as error:
            is_broken_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE
            if ctx.params["debug"] or is_broken_pipe:
                raise
            text = f"{type(error).__name__}: {_one_line(error)}"
            raise InternalError(f"{text} (a bug; --debug shows where)") from error


@click.group(
    cls=Commands,
    context_settings={"auto_envvar_prefix": "FAKERELAY", "help_option_names": ["-h", "--help"]},
    epilog="Every option can be set by an environment variable: --port of serve by"
    " FAKERELAY_SERVE_PORT. Exit codes: 0 clean, 2 usage.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="fakerelay", allow_from_autoenv=False)
def cli(*, debug: bool) -> None:
    """A stand-in for the Jocloud Relayed Live Broadcasting REST API.

    "fakerelay demo" plays a broadcast and explains it; "fakerelay serve" is what your own service
    calls in place of the vendor.
    """


def main(args: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """Run a command and leave by SystemExit with its code."""
    cli(args=args, prog_name=prog_name)


def _one_line(told: object) -> str:
    return " ".join(str(told).split())
