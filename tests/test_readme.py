"""The manual is true: its examples run, its tables are up to date, its links lead somewhere."""

import json
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from fakerelay import FakeRelay, RelayClient, schemas
from fakerelay.cli import cli
from fakerelay.cli.control import control
from fakerelay.cli.settings import parse_app
from fakerelay.config import build_config, read_config
from fakerelay.contract.divergences import read_divergences
from fakerelay.profiles import open_profile
from fakerelay.web.bodies import BodySchema
from tests.readme_console import (
    README,
    Step,
    is_served,
    matches,
    play,
    read_blocks,
    read_steps,
    settle,
)
from tests.readme_tables import CHECKOUT, DOCUMENTS, LANGUAGES, fill

STEPS = read_steps()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if not shutil.which("curl"):
        if os.environ.get("FAKERELAY_TEST_REQUIRE_ALL"):
            pytest.fail("curl is not installed, and all programs are required")
        pytest.skip("curl is not installed")
    return play(tmp_path_factory.mktemp("readme"))


@pytest.mark.parametrize("step", STEPS, ids=[step.command[:60] for step in STEPS])
def test_command_prints_what_the_readme_shows(played: dict[str, str], step: Step) -> None:
    assert matches(step.output, played[step.command]), settle(played[step.command])


def test_log_lines_are_printed_as_the_readme_shows(played: dict[str, str]) -> None:
    shown = settle("".join(read_blocks("log"))).splitlines()
    assert shown
    assert set(shown) <= set(settle(played["log"]).splitlines())


def test_session_both_serves_and_asks() -> None:
    """What the tests above rest on: blocks are found, and told apart."""
    assert sum(map(is_served, STEPS)) == 2
    assert len(STEPS) > 10


@pytest.mark.parametrize(
    ("shown", "printed", "is_same"),
    [
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nb\nc", False),
        ("code=0 in 0.5 ms", "code=0 in 12.75 ms", True),
        ("code=0 in 0.5 ms", "code=1 in 0.5 ms", False),
        ("2026-11-22T12:11:52.240Z [.]", "2031-01-02T03:04:05.678Z [.]", True),
        ("2026-11-22T12:11:52.240Z [.]", "2031-01-02T03:04:05.678Z .", False),
    ],
)
def test_output_is_compared_but_for_what_differs_from_run_to_run(
    shown: str, printed: str, is_same: bool
) -> None:
    assert matches(shown, printed) == is_same


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_parts_are_up_to_date(name: str) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert fill(text) == text, "stale: run python -m tests.readme_tables"


def is_example(path: Path) -> bool:
    """Whether it is a test or helps one; the rest stands for code of the reader's."""
    if path.suffix == ".py":
        return path.stem.startswith("test_")
    return path.suffix in LANGUAGES and path.stem.lower() != "publisher"


def test_every_example_is_shown() -> None:
    folder = CHECKOUT / "tests" / "examples"
    examples = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    shown = re.findall(r"generated: tests/examples/(\S+) -->", README)
    assert {name for name in examples if is_example(Path(name))} == set(shown)


def test_all_that_a_relay_hands_on_is_named() -> None:
    with FakeRelay(tls=True) as relay:
        names = set(relay.env())
    names |= {name for name in vars(RelayClient) if not name.startswith("_")}
    assert names <= set(re.findall(r"\w+", "".join(re.findall(r"`[^`\n]+`", README))))


def test_options_of_control_are_named() -> None:
    for option in control.params:
        assert f"| `{option.opts[0]} " in README
        assert f"| `{option.envvar or f'FAKERELAY_CONTROL_{str(option.name).upper()}'}` |" in README


def read_links() -> Iterator[tuple[str, str]]:
    """Targets in the checkout, with the document each stands in."""
    for name in (*DOCUMENTS, "CHANGELOG.md"):
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target:
                yield name, target


@pytest.mark.parametrize(("name", "target"), sorted(set(read_links())))
def test_link_leads_somewhere(name: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    document = (CHECKOUT / name).parent / path if path else CHECKOUT / name
    assert document.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {
            re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings
        }


def test_configuration_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _accepted, block = read_blocks("toml")
    path = tmp_path / "fakerelay.toml"
    path.write_text(block, encoding="utf-8")
    settings = read_config(path)
    for app in settings["app"]:
        app["certificate_key"] = "key"
    config = build_config(settings)
    assert config.port == tomllib.loads(block)["port"]
    assert open_profile(config.profile, config.settings).concurrent_pushes == 20


def test_file_of_accepted_divergences_is_read() -> None:
    accepted, _configuration = read_blocks("toml")
    assert list(read_divergences(tomllib.loads(accepted), "the README")) == ["concurrent-pushes"]


def test_broken_rule_is_told_as_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = (block for block in read_blocks("text") if block.startswith("BROKEN: "))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAKERELAY_OTHER_CERTIFICATE_KEY", raising=False)
    with FakeRelay(quota=6, callback_url=None) as relay:
        monkeypatch.setenv("FAKERELAY_CERTIFICATE_KEY", relay.certificate_key)
        app = f"{relay.appid}:{relay.certificate_id}"
        args = ["verify", "--target", relay.http_url, "--app", app, "--report", "report"]
        printed = CliRunner().invoke(cli, args).stdout
        printed = printed.replace(relay.http_url, "http://127.0.0.1:8481")
    printed = printed.replace(app, "123456789:backend")
    shown, printed = (re.sub(r"[0-9a-f]{8}-[0-9]+-6", "TRACE", text) for text in (shown, printed))
    assert matches(shown, printed), printed


def test_profile_is_accepted(tmp_path: Path) -> None:
    (profile,) = (block for block in read_blocks("json") if "extends" in block)
    path = tmp_path / "vendor-2026.json"
    path.write_text(profile, encoding="utf-8")
    assert open_profile(str(path)).errors["address_in_use"].code == 1102


def test_request_is_one() -> None:
    (request,) = (block for block in read_blocks("json") if "mixconfig" in block)
    assert BodySchema("startrtmp.request").check(json.loads(request)) is None


def test_callback_is_one() -> None:
    (callback,) = (block for block in read_blocks("json") if "msgid" in block)
    jsonschema.validate(json.loads(callback), schemas.read_json("callback"))


def parse(args: list[str]) -> dict[str, Any]:
    """The parameters of a subcommand. Raises click.UsageError."""
    group = cli.make_context("fakerelay", list(args))
    name, command, rest = cli.resolve_command(group, args)
    assert command is not None
    return command.make_context(name, rest, parent=group).params


def find_commands() -> Iterator[list[str]]:
    """Every call of `fakerelay` that is shown and not played."""
    for block in read_blocks("sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "fakerelay":
                yield words[1:]


def find_containers() -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The arguments of each container that is fakerelay's, with the whole of its description."""
    for block in read_blocks("yaml"):
        for document in yaml.safe_load_all(block):
            described = [*document.get("services", {}).values()]
            if document.get("kind") == "Deployment":
                described += document["spec"]["template"]["spec"]["containers"]
            for each in described:
                if args := each.get("args") or each.get("command"):
                    yield args, each


COMMANDS = [*find_commands(), *(args for args, _ in find_containers())]


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_command_is_understood(args: list[str]) -> None:
    for app in parse(args).get("app", ()):
        parse_app(app)


def test_command_with_an_unknown_option_is_not_understood() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(["serve", "--prot", "1"])


def test_containers_bound_wide_are_given_a_token() -> None:
    containers = list(find_containers())
    assert len(containers) == 2
    for args, described in containers:
        assert parse(args)["control_host"] == "0.0.0.0"
        assert "FAKERELAY_SERVE_CONTROL_TOKEN" in json.dumps(described)


def test_workflow_runs_what_there_is() -> None:
    documents = [one for block in read_blocks("yaml") for one in yaml.safe_load_all(block)]
    (workflow,) = (document for document in documents if "jobs" in document)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (line,) = (step["run"] for step in steps if step.get("run", "").startswith("fakerelay "))
    assert parse(shlex.split(line)[1:])["command"] == ("mvn", "--batch-mode", "test")
