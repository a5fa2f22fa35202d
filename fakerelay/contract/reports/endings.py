"""How the script of a finding ends: with STILL or FIXED, where a shell can tell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Final, NamedTuple

from fakerelay.contract.callbacks.scopes import list_callback_rules
from fakerelay.contract.reports.blanks import RUN, Form

FUNCTIONS: Final = r"""has() { printf %s "$1" | tr -d ' \t\r\n' | grep -q -e "$2"; }
accepted() {
    has "$1" '"code":0[,}]' && has "$1" '"message":"success"' && has "$1" '(HTTP200)$'
}"""
"""What the checks are made of, for answers with their status behind them."""

_RETRIED: Final[Mapping[str, str]] = {
    "callback-at-least-once": "fakerelay listen --port PORT --status 500",
    "callback-given-up": "fakerelay listen --port PORT --status 500",
}
_LISTENER: Final = "fakerelay listen --port PORT"
_LATE: Final = "callback-timeout"
_CHECKS: Final = (
    (r"accepted\b.*", 'accepted "$GOT"'),
    (r"rejected\b.*", '! accepted "$GOT"'),
    (r"\w+: code (\d+)", """has "$GOT" '"code":{0}[,}}]'"""),
    (r"\w+ \(code (\d+)\) before .*", """has "$GOT" '"code":{0}[,}}]'"""),
    (r"HTTP (\d+)", """has "$GOT" '(HTTP{0})$'"""),
    (
        r"a JSON object with code, message and traceId",
        """has "$GOT" '^{{.*"code":' && has "$GOT" '"message":' && has "$GOT" '"traceId":"'""",
    ),
    (
        r"a refusal \(\w+\) in JSON\b.*",
        """has "$GOT" '^{{.*"code":' && ! has "$GOT" '(HTTP5..)$'""",
    ),
    (r"a traceId that was made up", """has "$GOT" '"traceId":"[^"]'"""),
)
_RACE_CHECKS: Final = {
    "accepted": '[ "$ACCEPTED" -eq "$ANSWERED" ]',
    "rejected": '[ "$ACCEPTED" -le 1 ]',
}
_UNTOLD: Final = "INCONCLUSIVE: a shell can't tell; compare the two, or: fakerelay verify --replay"


class Ending(NamedTuple):
    """What the last answer should have been, by which rule; `accepted` are the steps, counted from
    1, that were accepted before it, as the `refused` were not.
    """

    rule: str
    expected: str
    accepted: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()


def begin(rule: str) -> Iterator[str]:
    """What has to be there first, where no answer shows the fault."""
    if rule not in list_callback_rules():
        return
    listener = _RETRIED.get(rule, _LISTENER)
    yield "# No answer shows it: it is about callbacks. So have this run meanwhile, with"
    yield "# http://127.0.0.1:PORT/ as callback_url of the app, and see what it prints:"
    yield f"#   {listener}"
    if rule == _LATE:
        yield "# It answers at once; a receiver that answers late is what --callback-listen has:"
        yield "#   fakerelay verify --level assumed --callback-listen HOST:PORT --replay FILE"


def note(number: int, ending: Ending | None) -> Iterator[str]:
    """After a step before the last: whether it came out as it did before."""
    if ending is not None and number in ending.accepted:
        yield f'accepted "$GOT" || OTHERWISE="$OTHERWISE {number}"'
    elif ending is not None and number in ending.refused:
        yield f'! accepted "$GOT" || OTHERWISE="$OTHERWISE {number}"'


def conclude(ending: Ending, last: Sequence[Form]) -> Iterator[str]:
    yield f"echo {quote(f'expected: {ending.expected}')}"
    yield """printf 'got: %s\\n' "$GOT\""""
    if ending.rule in list_callback_rules():
        yield "echo 'INCONCLUSIVE: what was told stands where the callbacks came in'; exit 3"
        return
    check = _find_check(ending.expected, last)
    if check is None:
        yield f"echo {quote(_UNTOLD)}; exit 3"
        return
    yield 'if [ -n "$OTHERWISE" ]; then'
    yield '    echo "INCONCLUSIVE: not answered as it was before: step$OTHERWISE"; exit 3'
    yield "fi"
    unanswered = (
        f'[ "$ANSWERED" -lt {len(last)} ]' if len(last) > 1 else """has "$GOT" '(HTTP000)$'"""
    )
    yield f"if {unanswered}; then echo 'INCONCLUSIVE: no answer'; exit 3; fi"
    yield f"if {check}; then echo {quote(f'FIXED {ending.rule}')}; exit 0; fi"
    yield f"echo {quote(f'STILL {ending.rule}')}; exit 1"


def _find_check(expected: str, last: Sequence[Form]) -> str | None:
    if len(last) > 1:
        return _RACE_CHECKS.get(expected.partition(" ")[0].rstrip(":"))
    if expected.startswith("traceId '"):
        return _find_trace(last[0].target.partition("traceId=")[2])
    for pattern, check in _CHECKS:
        if found := re.fullmatch(pattern, expected):
            return check.format(*found.groups())
    return None


def _find_trace(trace_id: str) -> str | None:
    """None where the query has it in another form than the reply is to have it."""
    if not re.fullmatch(r"[\w.:-]+", trace_id):
        return None
    fresh = trace_id.replace(RUN, "'\"$RUN\"'")
    return f"""has "$GOT" '"traceId":"{fresh}"'"""
