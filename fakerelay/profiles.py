"""Profiles from their files: layered over what they extend, checked, and told apart by a hash."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from fakerelay import schemas
from fakerelay.core.problems import FACTS
from fakerelay.core.profile import Profile
from fakerelay.errors import ConfigError, nearest

_SHIPPED = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(@(?P<version>[0-9]+))?")
_ABOUT_FILE = ("$schema", "extends")


def open_profile(source: str = "default", overrides: Mapping[str, Any] | None = None) -> Profile:
    """A shipped profile (`rest`, `rest@1`) or a JSON file's, with `overrides` laid over it.

    Raises ConfigError, which says where in it what has to be mended.
    """
    data = read_profile(source)
    return build_profile(merge_profile(data, overrides, "the settings") if overrides else data)


def build_profile(data: Mapping[str, Any]) -> Profile:
    """The profile of complete data, as `read_profile` and `merge_profile` return it."""
    return Profile.from_json(data, digest=hash_profile(data))


def hash_profile(data: Mapping[str, Any]) -> str:
    """What tells two sets of assumptions apart."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()[:12]


def profile_data(profile: Profile) -> dict[str, Any]:
    """The complete JSON of a profile: what `merge_profile` takes, and builds the same one again."""
    data = asdict(profile)
    del data["hash"]
    data["callback"]["retry_delays_seconds"] = list(profile.callback.retry_delays_seconds)
    return data


def read_profile(source: str) -> Mapping[str, Any]:
    """The complete JSON of a shipped profile or of a file; not to be changed."""
    if _find_shipped(source) is not None:
        return read_shipped(source)
    path = Path(source)
    data = {"name": path.stem[:100], "version": 1, **_read_file(path)}
    return merge_profile(read_shipped("default"), data, f"profile {source!r}")


@cache
def read_shipped(source: str) -> Mapping[str, Any]:
    """The complete JSON of a profile that fakerelay brings along; shared, not to be changed."""
    shipped = _find_shipped(source)
    if shipped is None:
        hint = nearest(source, schemas.list_names("profiles"))
        raise ConfigError(f"Can't extend profile {source!r}{hint}: only a shipped one can be")
    # The default extends nothing: it is complete by itself.
    return merge_profile({}, schemas.read_json(f"profiles/{shipped}"), f"profile {source!r}")


def merge_profile(
    data: Mapping[str, Any], patch: Mapping[str, Any], origin: str = "the profile"
) -> dict[str, Any]:
    """Lay a partial profile over complete data, or over the shipped one it says it `extends`.

    Objects merge, all else replaces. `origin` names the patch in the ConfigError.
    """
    schemas.check_settings("profile", patch, origin)
    base = read_shipped(patch["extends"]) if "extends" in patch else data
    _check_messages(patch, origin)
    layered = merge_settings(base, _make_whole(patch))
    return {key: value for key, value in layered.items() if key not in _ABOUT_FILE}


def _check_messages(patch: Mapping[str, Any], origin: str) -> None:
    for name, reply in patch.get("errors", {}).items():
        for fact in re.findall(r"\{(\w+)\}", reply.get("message", "")):
            if fact not in FACTS[name]:
                hint = nearest(fact, FACTS[name]) or " (there is nothing to fill in)"
                raise ConfigError(f"Unknown {{{fact}}} in /errors/{name}/message of {origin}{hint}")


def merge_settings(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A new object in which `patch` wins; objects in both are merged likewise."""
    merged = dict(base)
    for key, value in patch.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = merge_settings(old, value)
        else:
            merged[key] = value
    return merged


def parse_setting(text: str) -> dict[str, Any]:
    """`callback.product=3` as `{"callback": {"product": 3}}`; what is not JSON is a string."""
    key, equals, raw = text.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ConfigError(f"Can't use setting {text!r}: write KEY=VALUE, as concurrent_pushes=10")
    return nest_setting(steps, _parse_value(raw))


def nest_setting(steps: Sequence[str], value: Any) -> dict[str, Any]:
    """The object in which a value stands at the end of such steps, one at least."""
    for step in reversed(steps):
        value = {step: value}
    nested: dict[str, Any] = value
    return nested


def nest_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A new object, in which `callback.product` stands where `parse_setting` would put it."""
    nested: dict[str, Any] = {}
    for key, value in settings.items():
        nested = merge_settings(nested, nest_setting(str(key).split("."), value))
    return nested


def _find_shipped(source: str) -> str | None:
    """The file's name of a shipped profile; None for what can only be a path."""
    match = _SHIPPED.fullmatch(source)
    names = schemas.list_names("profiles")
    if match is None or match["name"] not in names:
        return None
    if match["version"] is None or source in names:
        return source
    version = schemas.read_json(f"profiles/{match['name']}")["version"]
    if int(match["version"]) != version:
        raise ConfigError(f"Unknown version of profile {source!r} (known: {version})")
    return match["name"]


def _read_file(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _refuse_unknown(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"Can't read profile '{path}': {error}; it must be JSON") from error
    schemas.check_settings("profile", data, f"profile '{path}'")
    checked: dict[str, Any] = data
    return checked


def _refuse_unknown(path: Path) -> NoReturn:
    hint = nearest(str(path), schemas.list_names("profiles"))
    raise ConfigError(
        f"Unknown profile '{path}'{hint}; give a shipped name, or the path of a JSON file"
    ) from None


def _parse_value(raw: str) -> Any:
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return raw


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _make_whole(value: Any) -> Any:
    """5.0 as 5, as JSON Schema has it: statuses and counts are whole, and hashes stay the same."""
    if isinstance(value, Mapping):
        return {key: _make_whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_make_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
