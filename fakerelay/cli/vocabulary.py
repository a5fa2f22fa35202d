"""The vocabulary of fault plans as a help text: all that one needs to write a plan."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final

from fakerelay.faults import KINDS, match_keys, vocabulary

_WIDTH = 96
_STEPS: Final = (
    ("fault*", "one of the names below; its settings stand beside it (* is required)"),
    ("count", 'how often, or "always"; 1 by default'),
    ("for_seconds", "how long instead of how often, on the world's clock"),
    ("probability", "from 0 to 1; needs --seed"),
)
_EXAMPLE = """--steps '[{"fault": "delay", "seconds": 3, "count": 2}, {"fault": "hang"}]'"""


def render_vocabulary() -> str:
    """Paragraphs for click, which leaves the lines of one after `\\b` as they are."""
    steps = ["Keys of each step in --steps:", *(_row(*each) for each in _STEPS), f"  {_EXAMPLE}"]
    matches = ["Keys of --match (of a text only rtmpurl is a pattern, with * ? [...]):"]
    matches += [_row(f"--on {on}", ", ".join(match_keys(on)) or "none") for on in KINDS]
    kinds = [
        [f"Faults with --on {on}:", *(_fault(name, row) for name, row in faults.items())]
        for on, faults in vocabulary().items()
    ]
    return "\n\n".join("\n".join(["\b", *lines]) for lines in [steps, matches, *kinds])


def _fault(name: str, row: Mapping[str, Any]) -> str:
    required = row.get("required", ())
    settings = [
        _row(f"  {key}{'*' if key in required else ''}", _describe(schema))
        for key, schema in row["settings"].items()
    ]
    needs = "".join(f" Needs {key} in --match." for key in row.get("required_match", ()))
    return "\n".join([_row(name, row["doc"] + needs), *settings])


def _describe(schema: Mapping[str, Any]) -> str:
    text = schema["description"].replace("`", "")
    return f"{text} ({', '.join(schema['enum'])})" if "enum" in schema else text


def _row(name: str, text: str) -> str:
    return textwrap.fill(
        text.replace("`", ""),
        _WIDTH,
        initial_indent=f"  {name:<20}",
        subsequent_indent=" " * 22,
        break_on_hyphens=False,
    )
