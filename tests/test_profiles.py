import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.errors import ConfigError
from fakerelay.profiles import (
    build_profile,
    merge_profile,
    merge_settings,
    open_profile,
    parse_setting,
    profile_data,
    read_profile,
)
from fakerelay.schemas import read_json


def write(folder: Path, data: Any, name: str = "mine.json") -> str:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


def test_default_profile_holds_the_contract_s_assumptions() -> None:
    """`contract.md` sections 4 and 7; the codes are in `test_rulebook`."""
    data = profile_data(open_profile())
    del data["errors"]
    assert data == {
        "name": "default",
        "version": 1,
        "address_scope": "service",
        "concurrent_pushes": 5,
        "mixed_tasks_per_room": 5,
        "rate_limit_per_second": 0,
        "release_seconds": 0,
        "requires_live_room": False,
        "taskid_style": "sdk",
        "legacy_paths": False,
        "callback": {
            "product": 2,
            "msgtype": 1,
            "msgname": "rtmptask_status",
            "delay_seconds": 0,
            "timeout_seconds": 5,
            "retry_delays_seconds": [1, 2, 4, 8, 16],
        },
        "push": {"retry_seconds": 0, "stop_after_failures": 0},
    }


def test_rest_profile_differs_in_statuses_of_refusals_only() -> None:
    default, rest = dict(read_profile("default")), dict(read_profile("rest"))
    default_errors, rest_errors = default.pop("errors"), rest.pop("errors")
    assert {**default, "name": "rest"} == rest
    for name, reply in rest_errors.items():
        assert reply["http_status"] >= 400, name
        assert {**reply, "http_status": 0} == {**default_errors[name], "http_status": 0}


@pytest.mark.parametrize("name", ["default", "rest"])
def test_version_pins_a_shipped_profile(name: str) -> None:
    assert open_profile(f"{name}@1") == open_profile(name)


def test_shipped_profile_extends_a_pinned_one() -> None:
    assert read_json("profiles/rest")["extends"] == "default@1"
    assert "extends" not in read_json("profiles/default")


def test_file_is_layered_over_the_default_and_named_after_itself(tmp_path: Path) -> None:
    source = write(tmp_path, {"errors": {"address_in_use": {"code": 7}}})
    profile = open_profile(source)
    assert (profile.name, profile.version) == ("mine", 1)
    reply = profile.errors["address_in_use"]
    assert (reply.http_status, reply.code) == (200, 7)
    assert reply.message == open_profile().errors["address_in_use"].message
    assert profile.errors["room_mismatch"] == open_profile().errors["room_mismatch"]


def test_file_extends_the_profile_it_names(tmp_path: Path) -> None:
    source = write(tmp_path, {"extends": "rest", "name": "ours", "version": 3})
    profile = open_profile(source)
    assert (profile.name, profile.version) == ("ours", 3)
    assert profile.errors == open_profile("rest").errors


def test_partial_file_called_default_is_layered_too(tmp_path: Path) -> None:
    profile = open_profile(write(tmp_path, {"name": "default", "concurrent_pushes": 1}))
    assert profile.concurrent_pushes == 1
    assert profile.mixed_tasks_per_room == 5


def test_overrides_win(tmp_path: Path) -> None:
    source = write(tmp_path, {"callback": {"product": 3, "msgtype": 9}})
    profile = open_profile(source, {"callback": {"product": 4}})
    assert (profile.callback.product, profile.callback.msgtype) == (4, 9)


def test_overrides_leave_the_shipped_profile_alone() -> None:
    before = open_profile()
    open_profile("default", {"errors": {"token_missing": {"code": 1}}})
    assert open_profile() == before


def test_lists_replace_rather_than_merge() -> None:
    profile = open_profile("default", {"callback": {"retry_delays_seconds": [3]}})
    assert profile.callback.retry_delays_seconds == (3,)


def test_whole_floats_are_integers() -> None:
    profile = open_profile("default", {"errors": {"token_missing": {"http_status": 401.0}}})
    status = profile.errors["token_missing"].http_status
    assert (status, type(status)) == (401, int)
    assert open_profile("default", {"concurrent_pushes": 5.0}).hash == open_profile().hash


def test_profile_data_builds_the_same_profile() -> None:
    for source in ("default", "rest"):
        profile = open_profile(source)
        data = profile_data(profile)
        assert json.loads(json.dumps(data)) == data
        assert build_profile(data) == profile
        assert merge_profile({}, data) == data


@pytest.mark.parametrize(
    "overrides",
    [{"concurrent_pushes": 6}, {"name": "x"}, {"errors": {"token_missing": {"message": "no"}}}],
)
def test_hash_tells_profiles_apart(overrides: dict[str, Any]) -> None:
    changed = open_profile("default", overrides)
    assert len(changed.hash) == 12
    assert changed.hash != open_profile().hash
    assert changed.hash == open_profile("default", overrides).hash


def test_hash_of_shipped_profiles_stands_still() -> None:
    """A change of a shipped profile is a new version of it, with a file of its own."""
    hashes = {source: open_profile(source).hash for source in ("default@1", "rest@1")}
    assert hashes == {"default@1": "bbdfabb7b419", "rest@1": "484155953ea3"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"concurent_pushes": 1},
            "Unknown key /concurent_pushes in the settings (did you mean 'concurrent_pushes'?)",
        ),
        ({"errors": {"adress_in_use": {}}}, "(did you mean 'address_in_use'?)"),
        ({"errors": {"token_missing": {"status": 1}}}, "Unknown key /errors/token_missing/status"),
        ({"address_scope": "apps"}, "Can't use 'apps' at /address_scope of the settings (did you"),
        ({"concurrent_pushes": -1}, "Can't use -1 at /concurrent_pushes of the settings"),
        ({"concurrent_pushes": True}, "Can't use True at /concurrent_pushes"),
        ({"errors": {"token_missing": {"code": 0}}}, "not 0, which is success"),
        ({"errors": {"token_missing": {"http_status": 204}}}, "204 at /errors/token_missing/http"),
        ({"errors": {"token_missing": {"http_status": 100}}}, "at least 200"),
        ({"release_seconds": float("inf")}, "Can't use inf at /release_seconds"),
        ({"callback": {"retry_delays_seconds": [1, "2"]}}, "at /callback/retry_delays_seconds/1"),
        ({"callback": {"timeout_seconds": 0}}, "at least 0.001"),
        ({"extends": "rst"}, "Can't extend profile 'rst' (did you mean 'rest'?)"),
        ({"extends": "mine.json"}, "only a shipped one can be"),
    ],
)
def test_bad_setting_is_refused_saying_what_to_mend(
    overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_profile("default", overrides)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("rst", "Unknown profile 'rst' (did you mean 'rest'?)"),
        ("default@9", "Unknown version of profile 'default@9' (known: 1)"),
        ("missing/profile.json", "give a shipped name, or the path of a JSON file"),
    ],
)
def test_unknown_profile_is_refused_saying_what_is_known(source: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_profile(source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"rest"', "[" * 100_000, '{"name": "\\ud800"}', '{"mine": 1}']
)
def test_bad_file_is_refused_naming_it(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"mine\.json"):
        open_profile(source)


def test_unreadable_file_is_refused_naming_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Can't read profile"):
        open_profile(str(tmp_path))
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xe4"}')
    with pytest.raises(ConfigError, match=r"latin\.json"):
        open_profile(str(tmp_path / "latin.json"))


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("concurrent_pushes=10", {"concurrent_pushes": 10}),
        ("callback.product=3", {"callback": {"product": 3}}),
        ("taskid_style=alphanumeric20", {"taskid_style": "alphanumeric20"}),
        ("legacy_paths=true", {"legacy_paths": True}),
        ("callback.retry_delays_seconds=[1, 2]", {"callback": {"retry_delays_seconds": [1, 2]}}),
        ("errors.x.message=a=b", {"errors": {"x": {"message": "a=b"}}}),
        ('name="5"', {"name": "5"}),
        ("name=", {"name": ""}),
        ("name=NaN", {"name": "NaN"}),
        ('errors={"token_missing": {"code": 1}}', {"errors": {"token_missing": {"code": 1}}}),
        ("name=" + "[" * 100_000, {"name": "[" * 100_000}),
    ],
)
def test_setting_is_parsed(text: str, setting: dict[str, Any]) -> None:
    assert parse_setting(text) == setting


@pytest.mark.parametrize("text", ["", "name", "=1", "a..b=1", ".a=1"])
def test_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="write KEY=VALUE"):
        parse_setting(text)


SETTINGS = st.recursive(
    st.integers(),
    lambda values: st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from("abc"), SETTINGS, max_size=3)


@given(TABLES, TABLES)
def test_merged_settings_keep_the_patch_whole(base: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge_settings(base, patch)
    assert merge_settings(merged, patch) == merged
    assert merge_settings(base, {}) == base
    assert merge_settings({}, patch) == patch
    assert merged.keys() == base.keys() | patch.keys()


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("address_in_use", "in use: {addres}", "did you mean 'address'"),
        ("token_missing", "no {token}", "nothing to fill in"),
    ],
)
def test_message_with_an_unknown_placeholder_is_refused(name: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=rf"/errors/{name}/message.*{hint}"):
        open_profile(overrides={"errors": {name: {"message": message}}})
