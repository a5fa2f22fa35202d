"""A finding as a script that anybody can run: curl calls, keys and tokens left to the caller."""

import json
from collections.abc import Sequence
from shlex import quote

from fakerelay.contract.drivers import Step
from fakerelay.contract.operations import tell


def render_curl(steps: Sequence[Step], url: str) -> str:
    """The calls of some steps. No token is written out, right or wrong."""
    lines = [
        "#!/bin/sh",
        "# TOKEN is the value of the token header: fakerelay token CERTID",
        "# WRONG_TOKEN is one that is wrong as the step says; none is written down here.",
    ]
    for number, step in enumerate(steps, start=1):
        lines += [f"# {number}. {tell(step.operation)}", _render_call(step, url), "echo"]
    return "\n".join(lines) + "\n"


def _render_call(step: Step, url: str) -> str:
    request = step.request
    parts = ["curl", "-sS", "-X", request.method]
    for name, value in request.headers:
        if value == request.account.token:
            parts += ["-H", f'"{name}: $TOKEN"']
        elif name.lower() == "token":
            parts += ["-H", '"token: $WRONG_TOKEN"']
        else:
            parts += ["-H", quote(f"{name}: {value}")]
    parts += ["--data-binary", quote(_show_body(step)), quote(url.rstrip("/") + request.target)]
    return " ".join(parts)


def _show_body(step: Step) -> str:
    request = step.request
    raw = request.raw
    return json.dumps(request.body) if raw is None else raw.decode("utf-8", "replace")
