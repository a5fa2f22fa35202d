"""Which part of fakerelay may import which: only what lies below it, never what lies beside it."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fakerelay"

# From top to bottom; a folder stands for all that is in it.
LAYERS = (
    {"cli", "pytest_plugin"},
    {"relay"},
    {"lodgings"},
    {"wants"},
    {"hosts"},
    {"server", "environment"},
    {"listening"},
    {"web", "control"},
    {"snapshots"},
    {"tenants", "inboxes"},
    {"service", "cdn", "delivery", "sender"},
    {
        "arrivals",
        "stores",
        "clock",
        "feed",
        "ids",
        "journal",
        "magic",
        "outlooks",
        "profiles",
        "config",
    },
    {"faults", "assertions", "timeline"},
    {
        "ports",
        "schemas",
        "watch",
        "targets",
        "client",
        "metrics",
        "planning",
        "silence",
        "timekeeping",
        "evidence",
        "steps",
        "timers",
    },
    {"loops", "reports"},
    {"core"},
    {"errors"},
)
# Beside the layers: the contract kit, since a judge does not read the accused's code.
APART = {"contract"}
# The package itself and `python -m` hand on what others have.
DOORS = {"__init__", "__main__"}

# Narrower than their layer would let them be, and why.
ONLY = {
    "core": set[str](),  # the vendor's rules alone
    "client": {"errors"},  # copied into code under test, in effect
    "control.verbs": {"errors", "schemas"},  # the kit reads it
    "control.client": {"errors", "control.verbs"},  # the kit calls through it
    "contract": {"errors", "schemas", "control.verbs", "control.client"},
}

IMPURE = {
    "asyncio", "concurrent", "datetime", "io", "logging", "os", "pathlib", "random", "secrets",
    "select", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib", "uuid",
}  # fmt: skip


def modules() -> dict[str, ast.Module]:
    """Every module by its name without `fakerelay.`."""
    trees = {}
    for path in PACKAGE.rglob("*.py"):
        steps = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(steps[:-1] if len(steps) > 1 and steps[-1] == "__init__" else steps)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


MODULES = modules()


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of all that is imported, inside functions and for type checkers too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            named = {f"{module}.{alias.name}" for alias in node.names}
            submodules = {name for name in named if name.removeprefix("fakerelay.") in MODULES}
            yield from submodules or {module}


def own_imports(name: str) -> set[str]:
    """What a module imports of fakerelay, without `fakerelay.`."""
    prefix = "fakerelay."
    return {found.removeprefix(prefix) for found in imports(MODULES[name]) if found[:10] == prefix}


def part_of(name: str) -> str:
    return name.partition(".")[0]


def layer_of(part: str) -> int:
    (layer,) = [number for number, parts in enumerate(LAYERS) if part in parts]
    return layer


LAYERED = sorted(name for name in MODULES if part_of(name) not in APART | DOORS)


def test_every_module_has_its_place() -> None:
    known = set().union(*LAYERS, APART, DOORS)
    assert {part_of(name) for name in MODULES} <= known


@pytest.mark.parametrize("name", LAYERED)
def test_imports_only_go_down(name: str) -> None:
    part = part_of(name)
    for imported in own_imports(name):
        other = part_of(imported)
        assert other not in APART or part == "cli", f"{name} imports {imported}"
        if other != part and other not in APART:
            assert layer_of(other) > layer_of(part), f"{name} imports {imported}, not below it"


@pytest.mark.parametrize("name", sorted(ONLY))
def test_imports_are_narrower_than_the_layer(name: str) -> None:
    for module in MODULES:
        if module == name or module.startswith(f"{name}."):
            others = {one for one in own_imports(module) if part_of(one) != name and one != name}
            assert others <= ONLY[name], module


CORE = sorted(name for name in MODULES if part_of(name) == "core")


@pytest.mark.parametrize("name", CORE)
def test_core_is_of_the_standard_library_and_pure(name: str) -> None:
    roots = {part_of(found) for found in imports(MODULES[name])} - {"fakerelay"}
    assert roots <= sys.stdlib_module_names
    assert not roots & IMPURE
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(MODULES[name]) if isinstance(node, waits)]


def test_imports_go_round_nowhere() -> None:
    graph = {name: own_imports(name) & MODULES.keys() for name in MODULES}
    while leaves := [name for name, needed in graph.items() if not needed & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert set(graph) <= DOORS, "what is left imports itself by a roundabout way"


HEAVY = {
    "aiohttp",
    "click",
    "hypothesis",
    "jsonschema",
    "jsonschema_rs",
    "redis",
    "rich",
    "trustme",
}
LOADED: Mapping[str, set[str]] = {
    "fakerelay": set(),
    "fakerelay.core.rules": set(),
    "fakerelay.service": set(),
    "fakerelay.schemas": set(),
    "fakerelay.control.verbs": set(),
    "fakerelay.client": {"aiohttp"},
    "fakerelay.control.client": {"aiohttp"},
    "fakerelay.server": {"aiohttp", "jsonschema_rs"},
}


@pytest.mark.parametrize(("name", "allowed"), LOADED.items(), ids=LOADED.keys())
def test_import_loads_nothing_heavy_that_it_does_not_need(name: str, allowed: set[str]) -> None:
    code = f"import sys, {name}; print(*{{one.partition('.')[0] for one in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(run.stdout.split()) & HEAVY <= allowed
