"""The wire format: bytes to a checked body, a problem or success to the vendor's envelope.

`contract.md` sections 1, 3, 5 and 6.
"""

import json
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NoReturn

from fakerelay.core.plain import clean_text, is_deeper
from fakerelay.core.problems import Problem, malformed_json, unsupported_content_type
from fakerelay.core.profile import Profile

_PARAMETER = r";\s*(?:([^\s;=]+)\s*=\s*(\"[^\"]*\"|[^\s;\"]+)\s*)?"
_MEDIA_TYPE = re.compile(rf"\s*application/json\s*((?:{_PARAMETER})*)", re.IGNORECASE)
_CHARSETS: Final = ("utf-8", "utf8")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_DIGITS: Final = 400
# How many Python's parser takes depends on the version: too many for `json.dumps` and `marshal`.
_MOST_LEVELS: Final = 200
_MOST_SHOWN: Final = 500


@lru_cache(maxsize=256)
def check_content_type(value: str | None) -> Problem | None:
    """`application/json`, with the charset left out or UTF-8 (rule `content-type`)."""
    match = _MEDIA_TYPE.fullmatch(value or "")
    parameters = re.findall(_PARAMETER, match[1]) if match else []
    charsets = [text.strip('"') for name, text in parameters if name.lower() == "charset"]
    if match and all(charset.lower() in _CHARSETS for charset in charsets):
        return None
    shown = value and clean_text(value)[:_MOST_SHOWN]
    return unsupported_content_type(shown)


def read_json(raw: bytes) -> dict[str, Any] | Problem:
    """The object in a body; the last of duplicate keys wins, 1e400 is a very large number."""
    try:
        text = raw.decode()
        value = _parse(text)
        if "\\u" in text and _SURROGATE_ESCAPE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return malformed_json("json-surrogates", "a lone surrogate")
    except UnicodeDecodeError as error:
        return malformed_json("json-body", f"not UTF-8 at byte {error.start}")
    except _NotANumber as error:
        return malformed_json("json-numbers", f"{error} is no JSON number")
    except RecursionError:
        return malformed_json("json-nesting", "nested too deeply")
    except ValueError as error:
        return malformed_json("json-body", str(error))
    may_be_deep = len(raw) > 2 * _MOST_LEVELS and raw.count(b"[") + raw.count(b"{") > _MOST_LEVELS
    if may_be_deep and is_deeper(value, _MOST_LEVELS):
        return malformed_json("json-nesting", "nested too deeply")
    if not isinstance(value, dict):
        return malformed_json("json-body", f"an object is expected, got {type(value).__name__}")
    return value


def render_reply(code: int, message: str, trace_id: str) -> bytes:
    """The envelope of section 6."""
    return (
        f'{{"code": {code}, "message": {encode_basestring_ascii(message)}, '
        f'"traceId": {encode_basestring_ascii(trace_id)}}}'
    ).encode()


def render_problem(problem: Problem, profile: Profile, trace_id: str) -> tuple[int, int, bytes]:
    """HTTP status, code and envelope of a refusal, as the profile has them."""
    reply = profile.errors[problem.name]
    message = reply.render(problem.facts)
    return reply.http_status, reply.code, render_reply(reply.code, message, trace_id)


class _NotANumber(ValueError):
    """NaN or Infinity stood where JSON wants a number."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotANumber(name)


def _read_float(text: str) -> float:
    """Beyond a float's range the largest one stands in: a number all the same, and too large."""
    limit = sys.float_info.max
    return max(-limit, min(limit, float(text)))


def _read_huge_int(text: str) -> int:
    return int(text[:_MOST_DIGITS])


def _decoder(read_int: Callable[[str], int] | None = None) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_constant=_refuse_constant, parse_float=_read_float, parse_int=read_int
    )


_DECODER = _decoder()
_HUGE_DECODER = _decoder(_read_huge_int)


def _parse(text: str) -> Any:
    try:
        if text[:1] == "{" and text[-1] == "}":
            # No white space around it, as most have it: `decode` would look for some, twice.
            value, end = _DECODER.raw_decode(text)
            if end == len(text):
                return value
        return _DECODER.decode(text)
    except (json.JSONDecodeError, _NotANumber):
        raise
    except ValueError:
        # Python refuses to read integers of thousands of digits; JSON does not.
        return _HUGE_DECODER.decode(text)
