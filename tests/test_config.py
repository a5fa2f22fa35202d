"""Settings from TOML files, and what can't be settings."""

from pathlib import Path

import pytest

from fakerelay import schemas
from fakerelay.config import DEMO_APP, AppConfig, Config, build_config, read_config
from fakerelay.errors import ConfigError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "relay.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_file_becomes_a_config(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        port = 0
        log_format = "json"
        allow_host = ["relay.test"]
        ready_file_mode = 0o640

        [set]
        concurrent_pushes = 10

        [set.callback]
        product = 3

        [[app]]
        appid = 18446744073709551615
        certificate_id = "cert"
        certificate_key = "key"
        callback_url = "http://127.0.0.1:9000/"
        live_rooms = { room1 = ["user1", "user2"] }
        """,
    )
    live_rooms = {"room1": ("user1", "user2")}
    assert build_config(read_config(path)) == Config(
        port=0,
        log_format="json",
        allow_host=("relay.test",),
        ready_file_mode=0o640,
        settings={"concurrent_pushes": 10, "callback": {"product": 3}},
        apps=(AppConfig(2**64 - 1, "cert", "key", "http://127.0.0.1:9000/", live_rooms),),
    )


def test_empty_file_says_nothing(tmp_path: Path) -> None:
    assert build_config(read_config(write(tmp_path, ""))) == Config()


def test_every_key_of_the_schema_is_a_setting() -> None:
    renamed = {"app": "apps", "fault": "faults", "set": "settings"}
    keys = {renamed.get(key, key) for key in schemas.load_schema("config")["properties"]}
    assert keys == set(Config.__dataclass_fields__)


def test_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    text = 'ca_dir = "ca"\ntls_cert = "/etc/tls.pem"\nprofile = "slow.json"\n'
    config = build_config(read_config(write(tmp_path, text)))
    assert config.ca_dir == tmp_path / "ca"
    assert config.tls_cert == Path("/etc/tls.pem")
    assert config.profile == str(tmp_path / "slow.json")


def test_shipped_profile_is_no_path(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, 'profile = "rest@1"'))["profile"] == "rest@1"


BAD_FILES = {
    "unknown key": ("prot = 1", ["Unknown key /prot", "did you mean 'port'"]),
    "unknown key inside": ("[[app]]\nappid = 1\ncertid = 'x'", ["/app/0/certid", "certificate_id"]),
    "wrong type": ("port = 'high'", ["'high' at /port", "integer"]),
    "out of range": ("port = 65536", ["65536 at /port", "at most 65535"]),
    "missing key": ("[[app]]\ncertificate_id = 'x'", ["Missing /app/0/appid"]),
    "not TOML": ("port = 1\nhost = x", ["line 2"]),
    "not UTF-8": (b"host = '\xff'", ["UTF-8"]),
    "a date": ("host = 2024-01-01", ["relay.toml"]),
    "deep": (f"a = {'[' * 5000}", ["relay.toml"]),
}


@pytest.mark.parametrize(("text", "parts"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_file_says_what_to_mend_where(
    tmp_path: Path, text: str | bytes, parts: list[str]
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    assert str(path) in str(raised.value)
    for part in parts:
        assert part in str(raised.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml'.*No such file"):
        read_config(tmp_path / "no.toml")


def test_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "[[app]]\nappid = 1\ncertificate_key = 987654")
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    assert "987654" not in str(raised.value)


def test_app_alone_is_opened_by_the_demo_certificate() -> None:
    (app,) = build_config({"app": [{"appid": 5}]}).apps
    assert app == AppConfig(5, DEMO_APP.certificate_id, DEMO_APP.certificate_key)


def test_apps_may_share_a_certificate() -> None:
    certificate = {"certificate_id": "c", "certificate_key": "k"}
    config = build_config({"app": [{"appid": 1, **certificate}, {"appid": 2, **certificate}]})
    assert [app.appid for app in config.apps] == [1, 2]


def app(appid: int, certificate_id: str = "c", certificate_key: str = "k") -> dict[str, object]:
    return {
        "appid": appid,
        "certificate_id": certificate_id,
        "certificate_key": certificate_key,
    }


BAD_APPS = {
    "appid twice": ([app(1), app(1, "d")], "App 1 is given twice"),
    "two keys": ([app(1), app(2, "c", "other")], "'c' is given with two different keys"),
    "no key": ([{"appid": 1, "certificate_id": "c"}], "'c' of app 1 has no key"),
}


@pytest.mark.parametrize(("apps", "message"), BAD_APPS.values(), ids=BAD_APPS.keys())
def test_apps_that_contradict_are_refused(apps: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config({"app": apps})


@pytest.mark.parametrize("mode", ["640", "0640", "0o640", 0o640])
def test_file_mode_is_octal(mode: str | int) -> None:
    assert build_config({"ready_file_mode": mode}).ready_file_mode == 0o640


@pytest.mark.parametrize("mode", ["rw-------", "", "999", "07777", "-640"])
def test_file_mode_that_is_none_is_refused(mode: str) -> None:
    with pytest.raises(ConfigError, match="octal"):
        build_config({"ready_file_mode": mode})


def test_keys_do_not_show_in_a_repr() -> None:
    config = build_config({"app": [app(1, "c", "s3cret")], "control_token": "t0ken"})
    assert "s3cret" not in repr(config)
    assert "t0ken" not in repr(config)


@pytest.mark.parametrize(
    ("appid", "certificate_id", "certificate_key"),
    [
        pytest.param(-1, "id", "key", id="negative appid"),
        pytest.param(2**64, "id", "key", id="appid too large"),
        pytest.param(1, "", "key", id="no id"),
        pytest.param(1, "a:b", "key", id="colon in the id"),
        pytest.param(1, "id", "", id="no key"),
        pytest.param(1, "id", "\udcff", id="key that is not UTF-8"),
    ],
)
def test_app_that_no_token_could_open_is_refused(
    appid: int, certificate_id: str, certificate_key: str
) -> None:
    with pytest.raises(ConfigError):
        AppConfig(appid, certificate_id, certificate_key)


PLANS = """
[[fault]]
match.operation = "startrtmp"
steps = [{ fault = "http_status", status = 502, count = 2 }]

[[fault]]
id = "slow"
appid = 7
steps = [{ fault = "delay", seconds = 1, count = "always" }]
"""


def test_file_gives_fault_plans(tmp_path: Path) -> None:
    first, second = build_config(read_config(write(tmp_path, PLANS))).faults
    assert first["match"] == {"operation": "startrtmp"}
    assert (second["id"], second["steps"][0]["seconds"]) == ("slow", 1)


BAD_PLANS = {
    "unknown key": ("stps = []", ["/fault/1/stps", "did you mean 'steps'"]),
    "no steps": ("id = 'x'", ["Missing /fault/1/steps"]),
    "unknown fault": (
        "steps = [{fault = 'hnag'}]",
        ["did you mean 'hang'", "/fault/1/steps/0/fault"],
    ),
    "wrong setting": (
        "steps = [{fault = 'hang'}, {fault = 'delay', seconds = -1}]",
        ["-1", "/fault/1/steps/1/seconds"],
    ),
    "no number": (
        "steps = [{fault = 'delay', seconds = inf}]",
        ["/fault/1/steps/0/seconds"],
    ),
    "chance without a seed": (
        "steps = [{fault = 'hang', probability = 0.5}]",
        ["seed", "/fault/1/seed"],
    ),
    "a name given twice": ("id = 'one'\nsteps = [{fault = 'hang'}]", ["'one'", "/id"]),
}


@pytest.mark.parametrize(("text", "parts"), BAD_PLANS.values(), ids=BAD_PLANS.keys())
def test_bad_plan_says_what_to_mend_where(tmp_path: Path, text: str, parts: list[str]) -> None:
    good = "[[fault]]\nid = 'one'\nsteps = [{fault = 'hang'}]\n"
    path = write(tmp_path, f"{good}[[fault]]\n{text}\n")
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    for part in (str(path), *parts):
        assert part in str(raised.value)
