"""Writes what the manual takes from data: `python -m tests.readme_tables` after changing either.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `NAME` is one of `TABLES`, or
an example's path.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from fakerelay import schemas
from fakerelay.cli.serve import serve
from fakerelay.control.verbs import PREFIX, VERBS, Verb, parameter_schemas
from fakerelay.core.model import KIND_NAMES
from fakerelay.profiles import read_shipped
from tests.clients.sights import SIGHTS
from tests.test_layers import LAYERS

CHECKOUT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = ("README.md", "fakerelay/ARCHITECTURE.md")
PART: Final = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
# What an example's block is called, so that it is coloured.
LANGUAGES: Final = {".py": "python", ".mjs": "js", ".java": "java", ".go": "go", ".txt": "text"}

_MOST_CHOICES = 4
_SECTIONS = (
    "About the marks",
    "Transport",
    "Authentication",
    "startrtmp",
    "Tasks",
    "stoprtmp",
    "Replies",
    "Callbacks",
)
_ENFORCED = {"warns": "warning in the journal", "behaves": "", "not_checkable": "not checkable"}


def fill(text: str) -> str:
    """The document with each generated part as it ought to be."""
    return PART.sub(lambda found: f"{found[1]}{_render(found[2])}\n{found[3]}", text)


def _render(name: str) -> str:
    if name in TABLES:
        return "\n".join(TABLES[name]())
    path = CHECKOUT / name
    return f"```{LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8')}```"


def _table(columns: str, rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Lines of a table; `columns` are separated by bars."""
    yield f"| {columns} |"
    yield "|" + " --- |" * (columns.count("|") + 1)
    for row in rows:
        cells = (str(cell).replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _code(value: object) -> str:
    return f"`{value}`"


def rules() -> Iterator[str]:
    """Every rule of the rulebook, by section."""
    for section, title in enumerate(_SECTIONS):
        rows = (
            (_code(rule["id"]), rule["level"], rule["text"], _consequence(rule))
            for rule in schemas.read_json("rulebook")["rules"]
            if rule["section"] == section
        )
        yield from ("", f"**{title}**", "")
        yield from _table("rule | mark | text | refusal, switch", rows)


def _consequence(rule: Mapping[str, Any]) -> str:
    parts = [_ENFORCED.get(rule["enforced"], ""), _code(rule.get("problem", ""))]
    if "switch" in rule:
        parts.append(f"switch `{rule['switch']}`")
    return ", ".join(part for part in parts if part not in ("", "``"))


def marks() -> Iterator[str]:
    """How things are known, and how many rules are known so."""
    levels = [rule["level"] for rule in schemas.read_json("rulebook")["rules"]]
    rows = ((mark, about, levels.count(mark)) for mark, about in _MARKS.items())
    return _table("mark | a rule is | rules", rows)


_MARKS = {
    "D": "documented: on the vendor's page on this very API",
    "S": "from the manual of the vendor's client SDK, on the same feature",
    "B": "borrowed from the vendor's sibling API (cloud recording): same host, same envelope",
    "A": "assumed: nothing public says; the most reasonable behaviour",
}


def codes() -> Iterator[str]:
    """Every refusal as the shipped profiles tell it."""
    default, rest = read_shipped("default")["errors"], read_shipped("rest")["errors"]
    rows = sorted(
        (each["code"], each["http_status"], rest[name]["http_status"], *map(_code, told))
        for name, each in default.items()
        for told in [(name, each["message"])]
    )
    return _table("code | HTTP | HTTP in `rest` | name | message", rows)


def switches() -> Iterator[str]:
    """Every key of a profile with its default; the errors' keys once for all errors."""
    schema, default = schemas.read_json("profile"), read_shipped("default")
    yield from _table("key | default | meaning", _settings(schema, default, ""))
    error = schema["$defs"]["error"]["properties"]
    yield from (f"| `errors.NAME.{key}` | above | {error[key]['description']} |" for key in error)


def _settings(
    schema: Mapping[str, Any], default: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, str, str]]:
    for key, value in default.items():
        part = schema["properties"][key]
        if key in ("callback", "push"):
            yield from _settings(part, value, f"{key}.")
        elif key not in ("name", "version", "errors"):
            yield _code(prefix + key), _code(json.dumps(value)), part["description"]


def verbs() -> Iterator[str]:
    """Every verb of the control plane."""
    return _table("call | command | what it does", (_describe(verb) for verb in VERBS.values()))


def _describe(verb: Verb) -> tuple[str, str, str]:
    command = " ".join([verb.name.replace("_", "-"), *map(str.upper, verb.path_parameters)])
    query = f" Query: {', '.join(map(_describe_query, verb.query))}." if verb.query else ""
    return _code(f"{verb.method} {PREFIX}/{verb.path}"), _code(command), verb.doc + query


def _describe_query(name: str) -> str:
    known = parameter_schemas()[name].get("enum", ())
    choices = [choice for choice in known if isinstance(choice, str)]
    told = f" ({' or '.join(map(_code, choices))})" if 0 < len(choices) <= _MOST_CHOICES else ""
    return _code(name) + told


def scenarios() -> Iterator[str]:
    """Every scenario: what goes wrong, and what to look for."""
    table = schemas.read_json("scenarios")
    rows = ((_code(name), row["doc"], row["see"]) for name, row in table.items())
    return _table("scenario | what goes wrong | what to look for", rows)


def start_fields() -> Iterator[str]:
    """The fields of startrtmp."""
    schema = schemas.read_json("startrtmp.request")
    return _table(_FIELDS, _fields(schema, schema["x-level"]))


def stop_fields() -> Iterator[str]:
    """The fields of stoprtmp."""
    schema = schemas.read_json("stoprtmp.request")
    return _table(_FIELDS, _fields(schema, schema["x-level"]))


_FIELDS = "field | type | required | mark | meaning"


def _fields(schema: Mapping[str, Any], level: str, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Rows of a schema's properties, those of inner objects behind their own."""
    parts = list(_branches(schema))
    needed = {name: when for part, when in parts for name in _required(part)}
    for part, _ in parts:
        for name, field in part.get("properties", {}).items():
            if "description" in field:
                mark = field.get("x-level", level)
                about = field["type"], needed.get(name, "no"), mark, field["description"]
                yield _code(prefix + name), *about
                yield from _fields(field, mark, f"{prefix}{name}.")
                yield from _fields(field.get("items", {}), mark, f"{prefix}{name}[].")


def _branches(
    schema: Mapping[str, Any], when: str = "yes"
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The schema, and what it says besides under which condition."""
    yield schema, when
    if "then" in schema:
        yield from _branches(schema["then"], _condition(schema["if"]))
    if "else" in schema:
        yield from _branches(schema["else"], when)


def _condition(schema: Mapping[str, Any]) -> str:
    if "not" in schema:
        return f"without {_code(schema['not']['required'][0])}"
    kind = schema["properties"]["streamtype"]["const"]
    return f"when {KIND_NAMES[kind]}"


def _required(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("allOf", ())):
        yield from part.get("required", ())


def faults() -> Iterator[str]:
    """All that can go wrong: what each fault is for, and a step that asks for it."""
    rows = (
        (on, _code(fault), row["doc"], _code(json.dumps(show_step(fault, row))), _settings_of(row))
        for on, faults_of_kind in schemas.read_json("faults").items()
        for fault, row in faults_of_kind.items()
    )
    return _table("on | fault | use | a step | settings", rows)


def show_step(fault: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The vocabulary's example, or the least that will do."""
    needed = {name: _SAMPLES[row["settings"][name]["type"]] for name in row.get("required", ())}
    return {"fault": fault, **row.get("example", needed)}


_SAMPLES = {"number": 10, "integer": 1, "string": "text"}


def _settings_of(row: Mapping[str, Any]) -> str:
    return ", ".join(map(_code, row["settings"]))


def sights() -> Iterator[str]:
    """What three clients see of each fault on a call, as their test holds it."""
    rows = (
        (_code(fault), sight.aiohttp, sight.requests, sight.fetch, _times(sight.done))
        for fault, sight in SIGHTS.items()
        if fault != "pass"
    )
    return _table("fault | aiohttp | requests | Node `fetch` | done", rows)


def _times(count: int) -> str:
    return ("no", "yes", "twice")[count]


def options() -> Iterator[str]:
    """The options of `fakerelay serve`."""
    rows = (
        (_code(" ".join(filter(None, ("/".join(names), option.metavar)))), option.help)
        for option in serve.params
        if isinstance(option, click.Option)
        for names in [option.opts + option.secondary_opts]
    )
    return _table("option | meaning [default]", rows)


def magic_addresses() -> Iterator[str]:
    """Every magic address."""
    data = schemas.read_json("magic_addresses")
    rows = (
        (_code(f"rtmp://{name}.{data['domain']}/..."), row["doc"], row.get("number", ""))
        for name, row in data["names"].items()
    )
    return _table("address | what happens | with a number", rows)


def push_faults() -> Iterator[str]:
    """Every fault of a push with its settings."""
    rows = (
        (_code(name), row["doc"], _describe_settings(row))
        for name, row in schemas.read_json("faults")["push"].items()
    )
    return _table("fault | use | settings", rows)


def _describe_settings(row: Mapping[str, Any]) -> str:
    settings = row["settings"].items()
    return " ".join(f"{_code(name)}: {setting['description']}" for name, setting in settings)


def layers() -> Iterator[str]:
    """Who may import whom, as the tests hold it."""
    yield "```"
    yield from ("  ".join(sorted(layer)) for layer in LAYERS)
    yield "```"


TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "marks": marks,
    "rules": rules,
    "codes": codes,
    "switches": switches,
    "verbs": verbs,
    "start-fields": start_fields,
    "stop-fields": stop_fields,
    "faults": faults,
    "scenarios": scenarios,
    "sights": sights,
    "options": options,
    "layers": layers,
    "magic-addresses": magic_addresses,
    "push-faults": push_faults,
}


def main() -> None:
    """Write every document anew."""
    for name in DOCUMENTS:
        path = CHECKOUT / name
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
