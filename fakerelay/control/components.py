"""The schemas of `schemas/control/` tied together: for validation, and as OpenAPI components."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from fakerelay import schemas

if TYPE_CHECKING:
    import jsonschema_rs

_ABOUT_FILE = ("$schema", "$id", "$defs")


@cache
def components() -> Mapping[str, Any]:
    """Every schema by its name, with references of the form `#/components/schemas/NAME`."""
    files = {name: schemas.read_json(f"control/{name}") for name in schemas.list_names("control")}
    del files["parameters"]
    files["profile.request"] = _read_profile_schema()
    files["snapshot"] = schemas.read_json("snapshot")
    files["world.request"]["properties"]["profile"]["enum"] = _shipped_profiles()
    parts = {}
    for name, data in files.items():
        for part, schema in data.get("$defs", {}).items():
            parts[f"{name}.{part}"] = _point(schema, name)
        parts[name] = _point(
            {key: value for key, value in data.items() if key not in _ABOUT_FILE}, name
        )
    return parts


@cache
def compile_component(name: str) -> "jsonschema_rs.Draft202012Validator":
    """The validator of a component."""
    import jsonschema_rs  # slow to load, and needed where something is served

    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components()}}
    return jsonschema_rs.Draft202012Validator(root)


def find_component(reference: str) -> Mapping[str, Any]:
    """What a `$ref` points to."""
    schema: Mapping[str, Any] = components()[reference.rpartition("/")[2]]
    return schema


def _read_profile_schema() -> dict[str, Any]:
    """A profile over the wire extends what is shipped, never a file of the server's machine."""
    schema: dict[str, Any] = schemas.read_json("profile")
    schema["properties"]["extends"].update(
        enum=_shipped_profiles(),
        description="The shipped profile to start from, pinned by `name@version` or not;"
        " the one in force if left out.",
    )
    return schema


def _shipped_profiles() -> list[str]:
    names = schemas.list_names("profiles")
    versions = [f"{name}@{schemas.read_json(f'profiles/{name}')['version']}" for name in names]
    return [*names, *versions]


def _point(node: Any, file: str) -> Any:
    """A copy in which references to files and to a file's own parts point to components."""
    if isinstance(node, list):
        return [_point(item, file) for item in node]
    if not isinstance(node, Mapping):
        return node
    pointed = {key: _point(value, file) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.removesuffix(".json").replace("#/$defs/", f"{file}.")
        pointed["$ref"] = f"#/components/schemas/{name}"
    return pointed
