"""`fakerelay control`: a command for each verb of the control plane, made from its table."""

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from fakerelay.cli.values import JSON_OBJECT, Value
from fakerelay.cli.vocabulary import render_vocabulary
from fakerelay.config import DEFAULT_CONTROL_PORT
from fakerelay.control.components import find_component
from fakerelay.control.verbs import VERBS, Verb, parameter_schemas
from fakerelay.errors import ConfigError, ControlError, FakerelayError, nearest

if TYPE_CHECKING:
    from fakerelay.control.client import ControlClient


class Server(NamedTuple):
    """Whose control plane is asked, and in which of its worlds if nothing else is said."""

    url: str
    token: str | None
    ca_file: str | None
    world: str | None


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
    is_told = ctx.get_parameter_source("url") == ParameterSource.ENVIRONMENT
    ctx.obj = Server(url, token, ca_file, os.environ.get("FAKERELAY_WORLD") if is_told else None)


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
        if server.world and "world" in verb.query and not {"world", "all"} & present.keys():
            present["world"] = server.world
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
        epilog=render_vocabulary() if verb.name == "create_fault" else None,
    )


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
    async with _open_client(server, verb, parameters) as client:
        return await client.call(verb, **parameters)


async def _listen(server: Server, verb: str, parameters: Mapping[str, Any]) -> None:
    """One line of JSON an event, as soon as it is there."""
    async with (
        _open_client(server, verb, parameters) as client,
        client.stream(verb, **parameters) as events,
    ):
        async for event in events:
            click.echo(json.dumps(event))


@asynccontextmanager
async def _open_client(
    server: Server, verb: str, given: Mapping[str, Any]
) -> AsyncIterator["ControlClient"]:
    from fakerelay.control.client import ControlClient  # brings an HTTP client along

    client = ControlClient(server.url, token=server.token, ssl_context=_trust(server.ca_file))
    try:
        async with client:
            yield client
    except ControlError as error:
        told = _tell(VERBS[verb], given, error)
        way_out = "; give it by --token or FAKERELAY_CONTROL_TOKEN" if error.status == 401 else ""
        raise FakerelayError(f"{told}{way_out}") from error
    except FakerelayError as error:
        raise FakerelayError(
            f"No answer from {server.url}: {_tell_cause(error)}; {_way_out(error)}"
        ) from error


def _tell_cause(error: FakerelayError) -> str:
    import aiohttp

    cause = error.__cause__
    connecting = cause if isinstance(cause, aiohttp.ClientConnectorError) else None
    if connecting and isinstance(connecting.os_error, ConnectionRefusedError):
        return "connection refused"  # its own text tells of TLS, on a plain URL too
    return str(cause or error)


def _tell(verb: Verb, given: Mapping[str, Any], error: ControlError) -> str:
    """What was refused, in words of the command line: options and arguments, not pointers."""
    place, rest = _find_place(verb, given, error.pointer)
    detail = error.detail
    if place != "--body" and not rest:  # in JSON, keys are keys

        def spell(quoted: re.Match[str]) -> str:
            name = quoted[1]
            is_ours = name in _option_names(verb) and name not in given.values()
            return f"--{_hyphenate(name)}" if is_ours else quoted[0]

        detail = re.sub(r"'(\w+)'", spell, detail)
    where = ": ".join(filter(None, [place, rest]))
    return f"{detail} (at {where})" if where else detail


def _find_place(verb: Verb, given: Mapping[str, Any], pointer: str) -> tuple[str, str]:
    """The option or argument that a JSON pointer is about, and the pointer within its value."""
    keys = pointer.split("/")[1:]
    if len(keys) > 1 and keys[0] in ("path", "query") and keys[1] in verb.parameters:
        keys = keys[1:]
    if not keys or pointer == "/query":
        return "", ""
    name, rest = keys[0], "".join(f"/{key}" for key in keys[1:])
    if name in verb.path_parameters:
        return name.upper(), rest
    in_body = name not in given and name in (given.get("body") or {})
    if name in _option_names(verb) and not in_body:
        return f"--{_hyphenate(name)}", rest
    return ("--body", pointer) if verb.body is not None else ("", pointer)


def _option_names(verb: Verb) -> set[str]:
    options = [each for each in _make_command(verb).params if isinstance(each, click.Option)]
    return {each.name for each in options if each.name}


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
