"""What a decision looks like on the wire (contract, section 6)."""

import json
from typing import Any, Final

from aiohttp import web

from tests.mutants.conduct import Conduct, Refused

_EXTRAS: Final = {"data": {"region": "here"}, "serverTime": 1, "hint": None}


def render(
    refused: Refused | None, request: web.BaseRequest, trace_id: str, conduct: Conduct
) -> web.Response:
    """The envelope of one decision; None is an acceptance."""
    envelope = _fill(refused, trace_id, conduct)
    status = 200 if refused is None else conduct.status(refused.problem)
    headers = {"Allow": "POST"} if status == 405 and not conduct.has("allow-missing") else {}
    if refused is not None:
        status = _bend_status(refused.problem, status, conduct)
        if _is_no_json(refused, conduct):
            return web.Response(status=status, text=f"<p>{envelope['message']}</p>")
    if conduct.has("keys-in-another-order"):
        envelope = dict(reversed(envelope.items()))
    text = json.dumps(envelope, indent=2 if conduct.has("pretty") else None)
    kind = "application/json; charset=UTF-8" if conduct.has("header-case") else "application/json"
    reply = web.Response(status=status, body=text.encode(), headers=headers)
    reply.headers["content-TYPE" if conduct.has("header-case") else "Content-Type"] = kind
    if conduct.has("no-keep-alive"):
        reply.force_close()
    return reply


def _fill(refused: Refused | None, trace_id: str, conduct: Conduct) -> dict[str, Any]:
    code = 0 if refused is None else _choose_code(refused.problem, conduct)
    envelope: dict[str, Any] = {"code": code, "message": _say(refused, conduct)}
    envelope["traceId"] = "another" if conduct.has("trace-id-not-echoed") else trace_id
    for field in ("code", "message", "traceId"):
        if conduct.has(f"reply-{field.lower()}-missing"):
            del envelope[field]
    if conduct.has("reply-code-a-string"):
        envelope["code"] = str(code)
    return envelope | (_EXTRAS if conduct.has("more-fields") else {})


def _choose_code(problem: str, conduct: Conduct) -> int:
    if conduct.has("refusal-bears-code-0"):
        return 0
    wrong = conduct.has(f"code-of-{problem.replace('_', '-')}-wrong")
    code = -conduct.code(problem) if conduct.has("codes-negated") else conduct.code(problem)
    return 49999 if wrong else code


def _say(refused: Refused | None, conduct: Conduct) -> str:
    if refused is None:
        return "ok" if conduct.has("success-called-ok") else "success"
    if conduct.has("refusal-called-success"):
        return "success"
    if refused.problem == "invalid_parameter" and conduct.has("field-not-told"):
        return "invalid parameter"
    name = "Sorry" if conduct.has("other-words") else refused.problem.replace("_", " ")
    return f"{name}: {refused.about}"


def _bend_status(problem: str, status: int, conduct: Conduct) -> int:
    if conduct.has("invalid-parameter-breaks-down") and problem == "invalid_parameter":
        return 500
    if conduct.has("address-in-use-breaks-down") and problem == "address_in_use":
        return 500
    if conduct.has("quota-status-429") and problem in ("quota_exceeded", "room_quota_exceeded"):
        return 429
    if conduct.has("refusal-status-400") and status == 200:
        return 400
    if conduct.has("unknown-path-status-200") and problem == "unknown_path":
        return 200
    return status


def _is_no_json(refused: Refused, conduct: Conduct) -> bool:
    return conduct.has("refusal-no-json") or (
        refused.problem == "unknown_path" and conduct.has("unknown-path-no-json")
    )
