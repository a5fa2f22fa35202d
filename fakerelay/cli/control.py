"""`fakerelay control`: a command for each verb of the control plane, made from its table."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from fakerelay.cli.values import JSON_OBJECT, Value
from fakerelay.config import DEFAULT_CONTROL_PORT
from fakerelay.control.components import find_component
from fakerelay.control.verbs import VERBS, Verb, parameter_schemas
from fakerelay.errors import ConfigError, ControlError, FakerelayError, nearest
from fakerelay.faults import vocabulary

if TYPE_CHECKING:
    from fakerelay.control.client import ControlClient


_STEPS_EXAMPLE = "\b\nSettings of a fault stand beside it:\n" + (
    """  --steps '[{"fault": "delay", "seconds": 3, "count": 2}, {"fault": "hang"}]'"""
)


class Server(NamedTuple):
    """Whose control plane is asked."""

    url: str
    token: str | None
    ca_file: str | None


class _Verbs(click.Group):
    """`set_push_status` of the table is `set-push-status` here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [_hyphenate(name) for name in VERBS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        verb = VERBS.get(name.replace("-", "_"))
        return None if verb is None else _make_command(verb)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"No such verb {name!r}{nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


class _VerbCommand(click.Command):
    """Knows the options that aren't its own, but stand before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in ("--url", "--token", "--ca-file"):
                raise
            place = f"fakerelay control {error.option_name} ... {ctx.info_name}"
            message = f"{error.option_name} stands before the verb: {place}"
            raise click.UsageError(message, ctx) from error


@click.group(
    cls=_Verbs,
    subcommand_metavar="VERB [ARGS]...",
    short_help="Ask the control plane of a running server.",
)
@click.option(
    "--url",
    default=f"http://127.0.0.1:{DEFAULT_CONTROL_PORT}",
    show_default=True,
    help="The server's control_url.  [env: FAKERELAY_CONTROL_URL]",
)
@click.option("--token", help="Its --control-token.  [env: FAKERELAY_CONTROL_TOKEN]")
@click.option(
    "--ca-file",
    envvar="FAKERELAY_CA_FILE",
    help="What to trust where it speaks HTTPS.  [env: FAKERELAY_CA_FILE]",
)
@click.pass_context
def control(ctx: click.Context, url: str, token: str | None, ca_file: str | None) -> None:
    """Ask the control plane of a running server; its answer goes to stdout, as JSON.

    What takes things away needs to be told of what: --appid, --world or --all.
    """
    if "://" not in url:
        raise ConfigError(f"--url {url!r} has no scheme; write it as 'http://{url}'")
    ctx.obj = Server(url, token, ca_file)


def _make_command(verb: Verb) -> click.Command:
    """Path parameters are arguments, all else is options, the keys of the body included."""
    known = parameter_schemas()
    parameters: list[click.Parameter] = [
        click.Argument([name], type=Value(known[name])) for name in verb.path_parameters
    ]
    parameters += [_make_option(name, known[name]) for name in verb.query]
    if verb.replaces:
        text = f"The {verb.body} in JSON, or @FILE; it is read from stdin where this is left out."
        parameters.append(click.Option(["--body"], type=JSON_OBJECT, default="-", help=text))
    elif verb.body is not None and (body := find_component(verb.body)["properties"]):
        keys = [name for name in body if name.isidentifier() and name not in verb.parameters]
        parameters += [_make_option(name, body[name]) for name in keys]
        parameters.append(
            click.Option(["--body"], type=JSON_OBJECT, help="More keys, or all, in JSON.")
        )

    @click.pass_obj
    def run(server: Server, /, **given: Any) -> None:
        present = {name: value for name, value in given.items() if value is not None}
        if verb.streams:
            with suppress(KeyboardInterrupt):  # how one stops listening
                asyncio.run(_listen(server, verb.name, present))
        else:
            _show(asyncio.run(_call(server, verb.name, present)))

    doc = verb.doc.replace("`", "")
    first = doc.partition(". ")[0].removesuffix(".") + "."  # whole, where click would cut it
    return _VerbCommand(
        _hyphenate(verb.name),
        callback=run,
        params=parameters,
        help=doc,
        short_help=first,
        epilog=_list_faults() if verb.name == "create_fault" else None,
    )


def _list_faults() -> str:
    """The vocabulary; click leaves the lines of a paragraph after `\\b` as they are."""
    paragraphs = []
    for on, faults in vocabulary().items():
        rows = [f"  {name:<20}{row['doc'].partition('. ')[0]}" for name, row in faults.items()]
        paragraphs.append("\n".join(["\b", f"Faults with --on {on}:", *rows]))
    return "\n\n".join([*paragraphs, _STEPS_EXAMPLE])


def _make_option(name: str, schema: Mapping[str, Any]) -> click.Option:
    text = schema.get("description", "").replace("`", "")
    if "default" in schema:
        text += f"  [{schema['default']}]"
    option = f"--{_hyphenate(name)}"
    if schema.get("type") == "boolean":
        flags = option if schema.get("enum") == [True] else f"{option}/--no-{option[2:]}"
        return click.Option([flags, name], is_flag=True, default=None, help=text)
    return click.Option([option, name], type=Value(schema), help=text)


async def _call(server: Server, verb: str, parameters: Mapping[str, Any]) -> Any:
    async with _open_client(server) as client:
        return await client.call(verb, **parameters)


async def _listen(server: Server, verb: str, parameters: Mapping[str, Any]) -> None:
    """One line of JSON an event, as soon as it is there."""
    async with _open_client(server) as client, client.stream(verb, **parameters) as events:
        async for event in events:
            click.echo(json.dumps(event))


@asynccontextmanager
async def _open_client(server: Server) -> AsyncIterator["ControlClient"]:
    from fakerelay.control.client import ControlClient  # brings an HTTP client along

    client = ControlClient(server.url, token=server.token, ssl_context=_trust(server.ca_file))
    try:
        async with client:
            yield client
    except ControlError as error:
        where = f" (at {error.pointer})" if error.pointer else ""
        way_out = "; give it by --token or FAKERELAY_CONTROL_TOKEN" if error.status == 401 else ""
        raise FakerelayError(f"{error.detail}{where}{way_out}") from error
    except FakerelayError as error:
        raise FakerelayError(
            f"No answer from {server.url}: {error.__cause__ or error}; {_way_out(error)}"
        ) from error


def _way_out(error: FakerelayError) -> str:
    import aiohttp

    if isinstance(error.__cause__, aiohttp.ClientConnectorCertificateError):
        return "give the CA that signed it, the server's ca_file, by --ca-file or FAKERELAY_CA_FILE"
    if isinstance(error.__cause__, aiohttp.ClientConnectorSSLError):
        return "where it speaks plain HTTP, say so: --url http://..."
    if "HTTPS" in str(error):
        return "say so: --url https://..., with --ca-file or FAKERELAY_CA_FILE for its CA"
    return "start 'fakerelay serve', or say with --url where it is"


def _trust(ca_file: str | None) -> ssl.SSLContext | None:
    if not ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(
            f"Can't read {ca_file!r}: {error.strerror or error}; see --ca-file"
        ) from error


def _show(answer: Any) -> None:
    if isinstance(answer, str):
        click.echo(answer, nl=not answer.endswith("\n"))
    else:
        click.echo(json.dumps(answer, indent=2))


def _hyphenate(name: str) -> str:
    return name.replace("_", "-")
