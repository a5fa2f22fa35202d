import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fakerelay.core.mixing import read_output
from fakerelay.core.problems import FACTS
from fakerelay.core.profile import Profile
from fakerelay.core.requests import START
from fakerelay.profiles import open_profile
from fakerelay.schemas import Rule, check_settings, read_json, rulebook
from fakerelay.web.bodies import BODY_SCHEMAS, BodySchema
from tests.rulebook_tests import HOLDERS
from tests.web.wires import MIXED

PACKAGE = Path(__file__).parent.parent / "fakerelay"
SOURCES = [path for path in PACKAGE.rglob("*.py") if "contract" not in path.parts]
DEFAULT: dict[str, Any] = read_json("profiles/default")
BY_FAULT_ONLY = {"injected-fault"}
"""Refusals that no request earns: somebody has to plan them."""

CODES = {
    "malformed_json": 40001,
    "invalid_parameter": 40002,
    "unsupported_content_type": 40003,
    "appid_mismatch": 40004,
    "duplicate_address": 40005,
    "token_missing": 40101,
    "token_malformed": 40102,
    "token_invalid": 40103,
    "app_forbidden": 40301,
    "task_not_found": 40401,
    "address_not_in_task": 40402,
    "unknown_path": 40403,
    "room_not_live": 40404,
    "method_not_allowed": 40501,
    "address_in_use": 40901,
    "room_mismatch": 40902,
    "body_too_large": 41301,
    "quota_exceeded": 42901,
    "room_quota_exceeded": 42902,
    "rate_limited": 42903,
    "internal_error": 50001,
}
"""The table of `contract.md` section 6."""


def rows(**wanted: str) -> list[Rule]:
    book = rulebook().values()
    return [r for r in book if all(getattr(r, key) == value for key, value in wanted.items())]


def ids(row: Rule) -> str:
    return row.id


def find_argument(call: ast.Call, name: str, index: int) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[index] if index < len(call.args) else None


def find_positions(trees: list[ast.Module], name: str) -> dict[str, int]:
    """Where each callable of the package takes the argument of that name."""
    found = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef):
            parameters = [arg.arg for arg in node.args.args if arg.arg != "self"]
        elif isinstance(node, ast.ClassDef):
            fields = (item for item in node.body if isinstance(item, ast.AnnAssign))
            parameters = [ast.unparse(field.target) for field in fields]
        else:
            continue
        if name in parameters:
            found[node.name] = parameters.index(name)
    return found


def find_calls(trees: list[ast.Module]) -> Iterator[tuple[str, ast.Call]]:
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]


def find_rules_of_code() -> set[str]:
    """Every literal that some callable of the package gets as its `rule`."""
    positions = find_positions(TREES, "rule")
    found: set[str] = set()
    for name, call in find_calls(TREES):
        if name in positions:
            found.update(find_literals(find_argument(call, "rule", positions[name])))
    return found


def find_literals(node: ast.expr | None) -> Iterator[str]:
    """A string, or those that a conditional expression chooses from."""
    if isinstance(node, ast.IfExp):
        yield from find_literals(node.body)
        yield from find_literals(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def find_rules_of_schemas() -> set[str]:
    names = ("startrtmp.request", "stoprtmp.request")
    return set(re.findall(r"'x-rule': '([^']*)'", "".join(str(read_json(name)) for name in names)))


def find_problems() -> dict[str, set[str]]:
    """{name: facts} of every problem the catalogue can make by itself."""
    found = {}
    for name, call in find_calls(TREES):
        if name == "Problem" and isinstance(call.args[0], ast.Constant):
            facts = find_argument(call, "facts", 2)
            keys = facts.keys if isinstance(facts, ast.Dict) else []
            found[literal(call.args[0])] = {literal(key) for key in keys if key}
    return found


def literal(node: ast.expr) -> str:
    value = ast.literal_eval(node)
    assert isinstance(value, str)
    return value


RULES_OF_CODE = find_rules_of_code()
RULES_OF_SCHEMAS = find_rules_of_schemas()
PROBLEMS = find_problems()


def test_rulebook_is_valid() -> None:
    check_settings("rulebook.schema", read_json("rulebook"), "the rulebook")


def test_ids_are_unique_and_sections_in_order() -> None:
    listed = [(row["section"], row["id"]) for row in read_json("rulebook")["rules"]]
    assert len({row_id for _, row_id in listed}) == len(listed)
    assert [section for section, _ in listed] == sorted(section for section, _ in listed)


def test_every_section_and_level_is_covered() -> None:
    assert {row.section for row in rows()} == set(range(8))
    assert {row.level for row in rows()} == set("DSBA")


def test_no_rule_of_the_code_lies_outside_the_book() -> None:
    assert len(RULES_OF_CODE) > 30
    assert rulebook().keys() >= RULES_OF_CODE


def test_no_rule_of_a_docstring_lies_outside_the_book() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    mentioned = set(re.findall(r"[Rr]ules? `([a-z0-9-]+)`", text))
    assert mentioned <= rulebook().keys()


@pytest.mark.parametrize("row", rows(enforced="refuses"), ids=ids)
def test_rule_that_refuses_is_enforced_with_a_problem(row: Rule) -> None:
    assert row.problem in DEFAULT["errors"]
    assert row.id in RULES_OF_CODE | RULES_OF_SCHEMAS | BY_FAULT_ONLY


@pytest.mark.parametrize("row", rows(enforced="warns"), ids=ids)
def test_rule_that_warns_is_enforced(row: Rule) -> None:
    assert row.warning
    assert row.id in RULES_OF_CODE


@pytest.mark.parametrize("row", rows(enforced="not_checkable"), ids=ids)
def test_rule_that_nothing_can_check_says_why(row: Rule) -> None:
    assert row.reason
    assert row.id not in RULES_OF_CODE | RULES_OF_SCHEMAS


def find_tests(folder: Path) -> set[str]:
    """Every test as pytest names it, without its parameters."""
    found = set()
    for path in folder.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for steps, nodes in [((), tree.body), *(((each.name,), each.body) for each in classes)]:
            for node in nodes:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    place = path.relative_to(folder).as_posix()
                    found.add("::".join((place, *steps, node.name)))
    return found


TESTS = find_tests(Path(__file__).parent)


@pytest.mark.parametrize("row", rows(enforced="behaves"), ids=ids)
def test_rule_that_is_kept_by_behaviour_is_held_by_tests(row: Rule) -> None:
    assert row.id in HOLDERS, "name the tests that hold it in rulebook_tests.py"
    assert HOLDERS[row.id]
    assert set(HOLDERS[row.id]) <= TESTS


def test_only_rules_kept_by_behaviour_are_bound_to_tests() -> None:
    assert HOLDERS.keys() == {row.id for row in rows(enforced="behaves")}


def test_rules_named_by_refusals_are_said_to_refuse() -> None:
    said = {row.id for row in rows() if row.enforced in ("refuses", "warns")}
    assert said >= RULES_OF_CODE | RULES_OF_SCHEMAS


SIZES = re.findall(r"(\d+)x(\d+) (\d+) (\d+)", rulebook()["output-known-sizes"].text)


@pytest.mark.parametrize("size", SIZES, ids="-".join)
def test_known_sizes_are_accepted_either_way_up(size: tuple[str, ...]) -> None:
    width, height, bitrate, fps = map(int, size)
    for across, down in ((width, height), (height, width)):
        output = {"width": across, "height": down, "bitrate": bitrate, "fps": fps}
        body = {**MIXED, "mixconfig": {"templateid": 1, "output": output}}
        assert BodySchema(BODY_SCHEMAS[START]).check(body) is None
        assert output.items() <= read_output(body["mixconfig"]).items()


def test_all_known_sizes_are_read_from_the_book() -> None:
    assert len(SIZES) == 7


def test_rules_of_schemas_refuse_with_invalid_parameter() -> None:
    assert {rulebook()[rule].problem for rule in RULES_OF_SCHEMAS} == {"invalid_parameter"}


def test_catalogue_says_what_each_message_may_name() -> None:
    assert {name: frozenset(facts) for name, facts in PROBLEMS.items()} | {
        "internal_error": frozenset()
    } == FACTS


def test_catalogue_rulebook_and_default_profile_have_the_same_problems() -> None:
    assert PROBLEMS.keys() | {"internal_error"} == DEFAULT["errors"].keys()
    assert {row.problem for row in rows()} - {None} == DEFAULT["errors"].keys()


def test_default_codes_are_those_of_the_contract() -> None:
    assert {name: reply["code"] for name, reply in DEFAULT["errors"].items()} == CODES


def test_default_statuses_are_200_but_for_what_http_itself_decides() -> None:
    statuses = {name: reply["http_status"] for name, reply in DEFAULT["errors"].items()}
    assert {name: status for name, status in statuses.items() if status != 200} == {
        "unknown_path": 404,
        "method_not_allowed": 405,
        "body_too_large": 413,
    }


@pytest.mark.parametrize("source", ["default", "rest"])
def test_messages_name_only_facts_that_the_problem_has(source: str) -> None:
    for name, reply in open_profile(source).errors.items():
        known = PROBLEMS.get(name, set())
        assert set(re.findall(r"\{(\w+)\}", reply.message)) <= known, name
        assert "{" not in reply.render(dict.fromkeys(known, "x")), name


@pytest.mark.parametrize("row", [row for row in rows() if row.switch], ids=ids)
def test_switch_is_a_key_of_the_profile(row: Rule) -> None:
    value: Any = DEFAULT
    for step in (row.switch or "").split("."):
        assert isinstance(value, Mapping)
        value = value[step]


def test_every_key_of_the_profile_is_a_switch_of_some_rule() -> None:
    switched = {(row.switch or "").partition(".")[0] for row in rows()} - {""}
    assert switched == set(Profile.__dataclass_fields__) - {"name", "version", "hash"}


def test_assumptions_name_themselves_as_such() -> None:
    for row in rows():
        assert ("assumed by fakerelay" in row.source) == (row.level == "A"), row.id
