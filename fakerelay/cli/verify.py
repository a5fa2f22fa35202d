"""`fakerelay verify`: does a server behave as the contract says?"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from fakerelay.cli.keys import ask_key, read_key
from fakerelay.errors import ConfigError

if TYPE_CHECKING:
    from fakerelay.contract.drafts import Account
    from fakerelay.contract.targets import Target
    from fakerelay.contract.verdicts import Tally

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_OTHER_KEY: Final = "FAKERELAY_OTHER_CERTIFICATE_KEY"
_EFFORTS: Final = ("quick", "deep")


@click.command(short_help="Judge a server by the contract, rule by rule.")
@click.option("--target", metavar="URL", help="The server; a fake of its own by default.")
@click.option("--app", metavar="APPID:CERTID", help="The app to judge with, on a --target.")
@click.option("--other-app", metavar="APPID:CERTID", help="One of another account's.")
@click.option(
    "--push-base",
    default="rtmp://push.invalid/live",
    show_default=True,
    metavar="RTMPURL",
    help="What all addresses begin with.",
)
@click.option(
    "--level",
    type=click.Choice(["documented", "assumed"]),
    default="documented",
    show_default=True,
    help="What is judged: what the vendor documents, or all that is assumed of it too.",
)
@click.option("--profile", default="default", show_default=True, metavar="NAME|FILE")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A key of it, changed.")
@click.option("--effort", type=click.Choice(_EFFORTS), default="quick", show_default=True)
@click.option("--max-calls", type=click.IntRange(1), help="At most so many calls, or a few more.")
@click.option(
    "--max-seconds", type=click.FloatRange(0, min_open=True), default=300.0, show_default=True
)
@click.option("--seed", type=int, default=0, show_default=True, help="What is made up, again.")
def verify(**options: Any) -> None:
    """Judge a server by the contract, rule by rule: calls in sequences, each answer foreseen.

    Exit code 0: it agrees. 1: it broke a rule. 2: it can't be done as asked. 3: too little could be
    compared. 4: a task may run on, whose stop was not answered; 1 wins over 4, 4 over 3. Keys come
    from FAKERELAY_CERTIFICATE_KEY and FAKERELAY_OTHER_CERTIFICATE_KEY, their _FILE forms, or a
    prompt. Callbacks are not judged yet.
    """
    from fakerelay.profiles import merge_profile, merge_settings, parse_setting, read_profile

    if find_spec("hypothesis") is None:
        raise ConfigError("fakerelay verify needs Hypothesis: pip install 'fakerelay[contract]'")
    settings: dict[str, Any] = {}
    for text in options["settings"]:
        settings = merge_settings(settings, parse_setting(text))
    profile = merge_profile(read_profile(options["profile"]), settings, "the settings")
    with _open_target(options, profile) as target:
        raise SystemExit(_verify(target, options, profile))


def _verify(target: "Target", options: dict[str, Any], profile: Any) -> int:
    from fakerelay.contract.clients import Client
    from fakerelay.contract.efforts import EFFORTS, plan_scenarios
    from fakerelay.contract.judgements import Judge
    from fakerelay.contract.runs import Budget, Run
    from fakerelay.contract.scopes import list_rules
    from fakerelay.contract.verdicts import Tally

    level, effort = options["level"], EFFORTS[options["effort"]]
    budget = Budget(options["max_calls"] or effort.max_calls, options["max_seconds"])
    with closing(Client(target.url)) as client:
        run = Run(target, client, Judge(level, profile["errors"]), budget)
        tally = Tally(level, run.counts, list_rules(target, level))
        for event in run.play(plan_scenarios(target, level, effort.made_up, options["seed"])):
            tally.add(event)
        tally.gave_up = run.gave_up
    _report(tally, run.calls, target)
    return tally.exit_code


def _report(tally: "Tally", calls: int, target: "Target") -> None:
    from fakerelay import schemas
    from fakerelay.contract.clients import show
    from fakerelay.contract.operations import tell
    from fakerelay.contract.scripts import render_curl

    verdicts = tally.verdicts()
    states = {each.state for each in verdicts}
    amounts = {state: sum(each.state == state for each in verdicts) for state in sorted(states)}
    told = ", ".join(f"{amount} {state}" for state, amount in amounts.items())
    word = {0: "AGREES", 1: "BROKEN", 3: "INCONCLUSIVE", 4: "LEFTOVERS"}[tally.exit_code]
    click.echo(f"{word}: {told}; {calls} calls")
    for broke in tally.findings:
        rule = schemas.rulebook()[broke.finding.rule]
        click.echo(f"\n{rule.id} ({rule.level}): {rule.text}")
        click.echo(f"  expected {broke.finding.expected}\n  got      {broke.finding.got}")
        click.echo("  by " + "; then ".join(tell(step.operation) for step in broke.steps))
        click.echo("\n" + render_curl(broke.steps, target.url))
    if tally.gave_up is not None:
        click.echo(f"\nGave up: {tally.gave_up}")
    for unclear in tally.unclear[: 0 if tally.gave_up else 5]:
        click.echo(f"\nNo answer to judge: {show(unclear.step.observed)}")
    for left in tally.left:
        click.echo(f"\nMay still run: {tell(left.step.operation)} got {show(left.step.observed)}")
        click.echo("\n" + render_curl([left.step], target.url))


@contextmanager
def _open_target(options: dict[str, Any], profile: Any) -> "Iterator[Target]":
    from fakerelay.contract.targets import Target

    policy = _read_policy(profile)
    if options["target"] is None:
        with _own_accounts(profile) as (url, accounts):
            yield Target(url, accounts, options["push_base"], policy)
        return
    host = urlsplit(options["target"]).hostname
    if host not in _LOOPBACK:
        raise ConfigError(
            f"Can't verify {options['target']!r} yet: only servers on this machine can be, since"
            " there is no safe way to try what a real one bills"
        )
    if options["app"] is None:
        raise ConfigError("--target needs --app APPID:CERTID, an app to judge with")
    accounts = {0: _read_account(options["app"], "--app", read_key() or ask_key)}
    if options["other_app"] is not None:
        key = read_key(_OTHER_KEY)
        if key is None:
            raise ConfigError(f"--other-app needs its key: set {_OTHER_KEY}")
        accounts[1] = _read_account(options["other_app"], "--other-app", key)
    yield Target(options["target"], accounts, options["push_base"], policy)


def _read_policy(profile: Any) -> Any:
    from fakerelay.contract.model import Policy

    return Policy(*(profile[name] for name in Policy._fields))


def _read_account(text: str, option: str, key: Any) -> "Account":
    from fakerelay.contract.drafts import Account

    appid, colon, certificate_id = text.partition(":")
    if not colon or not appid.isdecimal() or not certificate_id:
        raise ConfigError(
            f"Can't use {option} {text!r}: write APPID:CERTID; the key isn't part of it"
        )
    return Account(int(appid), certificate_id, key(certificate_id) if callable(key) else key)


@contextmanager
def _own_accounts(profile: Any) -> "Iterator[tuple[str, dict[int, Account]]]":
    """A fake of its own, with the app to judge with and one of another account."""
    from fakerelay.contract.drafts import Account
    from fakerelay.relay import FakeRelay

    settings = {name: value for name, value in profile.items() if name not in ("name", "version")}
    with FakeRelay(callback_url=None, settings=settings) as relay:
        key = os.urandom(8).hex()
        relay.control("put_app", appid=2, account="other")
        made = relay.control(
            "create_certificate", appid=2, certificate_id="other", certificate_key=key
        )
        own = Account(relay.appid, relay.certificate_id, relay.certificate_key)
        yield relay.http_url, {0: own, 1: Account(2, made["id"], key)}
