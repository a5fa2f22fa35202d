"""`fakerelay verify`: does a server behave as the contract says?"""

import time
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fakerelay.cli.findings import read_baseline, read_known, read_rules, read_text, read_troubles
from fakerelay.cli.judged import open_target
from fakerelay.cli.routes import hurry, open_route
from fakerelay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakerelay.contract.callbacks.routes import Route
    from fakerelay.contract.catalogue import Scenario
    from fakerelay.contract.events import Event
    from fakerelay.contract.operations import Level
    from fakerelay.contract.reports.circumstances import Circumstances
    from fakerelay.contract.targets import Target

_EFFORTS: Final = ("quick", "deep")


@click.command(short_help="Judge a server by the contract, rule by rule.")
@click.option("--target", metavar="URL", help="The server; a fake of its own by default.")
@click.option("--app", metavar="APPID:CERTID", help="The app to judge with, on a --target.")
@click.option("--other-app", metavar="APPID:CERTID", help="One of another account's.")
@click.option("--ca", type=click.Path(), metavar="FILE", help="Whom to trust, of an https server.")
@click.option("--shared-account", is_flag=True, help="Others run tasks in the apps meanwhile.")
@click.option(
    "--room", metavar="ROOM:UID,...", help="Live rooms, to be used instead of made-up ones."
)
@click.option(
    "--push-base",
    default="rtmp://push.invalid/live",
    show_default=True,
    metavar="RTMPURL",
    help="What all addresses begin with.",
)
@click.option(
    "--callback-listen",
    metavar="HOST:PORT",
    help="Where push statuses come in, at level assumed; tell the --target: http://HOST:PORT/",
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
@click.option(
    "--max-calls",
    type=click.IntRange(1),
    help="At most so many calls, and more only to look into what is found.",
)
@click.option(
    "--max-seconds", type=click.FloatRange(0, min_open=True), default=300.0, show_default=True
)
@click.option("--seed", type=int, default=0, show_default=True, help="What is made up, again.")
@click.option("--rules", metavar="ID,...", help="Only these are judged.")
@click.option("--report", metavar="DIR", help="Write report.json, junit.xml, index.html and more.")
@click.option("--known", metavar="FILE", help="Broken rules that are accepted: TOML or JSON.")
@click.option(
    "--baseline", metavar="FILE", help="An earlier report.json: mark what is new, or gone."
)
@click.option(
    "--fail-on",
    default="broken,expired,leftovers,inconclusive",
    show_default=True,
    metavar="WHAT,...",
    help="Of these and skipped, what the exit code is for.",
)
@click.option("--replay", metavar="FILE", help="Try only what a report.json, or a finding, has.")
def verify(**options: Any) -> None:
    """Judge a server by the contract, rule by rule: calls in sequences, each answer foreseen.

    Exit code 0: it agrees. 1: it broke a rule. 2: it can't be done as asked. 3: too little could be
    compared. 4: a task may run on, whose stop was not answered; 1 wins over 4, 4 over 3. Keys come
    from FAKERELAY_CERTIFICATE_KEY and FAKERELAY_OTHER_CERTIFICATE_KEY, their _FILE forms, or a
    prompt.
    """
    from fakerelay.profiles import merge_profile, merge_settings, parse_setting, read_profile

    if find_spec("hypothesis") is None:
        raise ConfigError("fakerelay verify needs Hypothesis: pip install 'fakerelay[contract]'")
    settings: dict[str, Any] = {}
    for text in options["settings"]:
        settings = merge_settings(settings, parse_setting(text))
    profile = merge_profile(read_profile(options["profile"]), settings, "the settings")
    if options["target"] is None:
        profile = hurry(profile, settings)
    with (
        open_route(options, profile["callback"]) as route,
        open_target(options, profile, None if route is None else route.url) as target,
    ):
        act = _verify if options["replay"] is None else _replay
        raise SystemExit(act(target, options, profile, route))


def _verify(target: "Target", options: dict[str, Any], profile: Any, route: "Route | None") -> int:
    from fakerelay.cli.progress import open_progress
    from fakerelay.cli.verdicts import print_report
    from fakerelay.contract.efforts import EFFORTS
    from fakerelay.contract.inquiries import open_inquiry
    from fakerelay.contract.reports.documents import write_report
    from fakerelay.contract.reports.files import write_files
    from fakerelay.contract.runs import Budget

    asked = _read_circumstances(target, options, profile)
    folder = _make_folder(options["report"])
    began = time.monotonic()
    with closing(target.open_client()) as client:
        run, tally, events = open_inquiry(
            target,
            client,
            options["level"],
            profile["errors"],
            EFFORTS[options["effort"]],
            seed=options["seed"],
            budget=Budget(asked.max_calls, asked.max_seconds),
            route=route,
            only=asked.only,
        )
        with open_progress(run, tally, asked) as progress:
            for event in events:
                progress.hear(event)
    seconds = time.monotonic() - began
    report = write_report(tally, asked, calls=run.calls, scenarios=run.scenarios, seconds=seconds)
    if folder is not None:
        write_files(report, folder)
    print_report(report, folder)
    exit_code: int = report["exit_code"]
    return exit_code


def _replay(target: "Target", options: dict[str, Any], profile: Any, route: "Route | None") -> int:
    from fakerelay.cli.verdicts import print_replayed
    from fakerelay.contract.callbacks.scopes import explain_skips
    from fakerelay.contract.callbacks.witnesses import CallbackWitness
    from fakerelay.contract.judgements import Judge
    from fakerelay.contract.replays import exit_code, read_findings, replay
    from fakerelay.contract.runs import Run

    found = read_findings(read_text(options["replay"]), options["replay"])
    unseen = explain_skips("assumed", has_route=False) if route is None else {}
    with closing(target.open_client()) as client:

        def play(level: "Level", scenario: "Scenario") -> "Iterator[Event]":
            callbacks = CallbackWitness(target, route) if route is not None else None
            run = Run(target, client, Judge(level, profile["errors"]), callbacks=callbacks)
            return chain(run.play([scenario]), run.finish())

        replayed = list(replay(found, play, unseen))
    print_replayed(replayed)
    return exit_code(replayed)


def _read_circumstances(target: "Target", options: dict[str, Any], profile: Any) -> "Circumstances":
    from fakerelay.contract.efforts import EFFORTS
    from fakerelay.contract.reports.circumstances import Circumstances

    changed = " with settings of its own" if options["settings"] else ""
    return Circumstances(
        kit=version("fakerelay"),
        began_at=datetime.now(UTC),
        target=target,
        is_own=options["target"] is None,
        level=options["level"],
        effort=options["effort"],
        seed=options["seed"],
        profile=f"{profile['name']}@{profile['version']}{changed}",
        max_calls=options["max_calls"] or EFFORTS[options["effort"]].max_calls,
        max_seconds=options["max_seconds"],
        only=read_rules(options["rules"]),
        fails_on=read_troubles(options["fail_on"]),
        accepted=read_known(options["known"]),
        baseline=read_baseline(options["baseline"]),
        is_deaf=options["callback_listen"] is not None and options["level"] == "documented",
    )


def _make_folder(path: str | None) -> Path | None:
    if path is None:
        return None
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"Can't write into --report {path!r}: {error.strerror}") from error
    return Path(path)
