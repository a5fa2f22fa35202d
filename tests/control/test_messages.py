"""What the control plane says of mistakes: what was given, what is wrong with it, the way out."""

import aiohttp
import pytest

from fakerelay.control.verbs import VERBS
from fakerelay.errors import ControlError
from tests.control.conftest import APPID, Control

DESTROYING = [verb.name for verb in VERBS.values() if verb.needs_target]


async def refuse(control: Control, verb: str, /, **parameters: object) -> str:
    with pytest.raises(ControlError) as caught:
        await control.call(verb, **parameters)
    return caught.value.detail


@pytest.mark.parametrize("verb", DESTROYING)
async def test_target_is_asked_for_in_every_callers_words(control: Control, verb: str) -> None:
    detail = await refuse(control, verb)
    for way in ("?appid=", "?world=", "?all=true", "--appid", "--world", "--all", "all=True"):
        assert way in detail


@pytest.mark.parametrize(
    ("url", "shown", "reason"),
    [
        ("ftp://h/path", "'ftp://h/...'", "its scheme is 'ftp'"),
        ("localhost:9000/cb", "'localhost:9000/...'", "its scheme is 'localhost'"),
        ("http://h:70000/", "'http://h:70000/'", "can't be read as a URL"),
        ("http://h:0/", "'http://h:0/'", "its port is 0"),
        ("http:///cb", "'http:///...'", "names no host"),
        ("http://h h", "'http://h h'", "spaces"),
        ("http://h\u00f6/", "'http://h\u00f6/'", "HOST[:PORT][/PATH]"),
        ("HTTP://h", "'HTTP://h'", "HOST[:PORT][/PATH]"),
        ("http://a:s3cr3t@h:x/", "'http://***@h:x/'", "can't be read as a URL"),
        ("http://a:s3/cr3t@h/", "'http://***@h/'", "can't be read as a URL"),
        ("a:s3cr3t@h", "'***@h'", "its scheme is"),
        ("ftp://h?s3cr3t", "'ftp://h?...'", "its scheme is 'ftp'"),
        ("ftp://h/#s3cr3t@h", "'ftp://***@h'", "its scheme is 'ftp'"),
        ("ftp://" + "h" * 3000, "hhh...'", "its scheme is 'ftp'"),
    ],
)
@pytest.mark.parametrize("verb", ["put_app", "create_world"])
async def test_callback_url_of_no_use_is_shown_without_its_secrets(
    control: Control, verb: str, url: str, shown: str, reason: str
) -> None:
    appid = {"appid": APPID} if verb == "put_app" else {}
    detail = await refuse(control, verb, callback_url=url, **appid)
    assert shown in detail
    assert reason in detail
    assert "s3cr3t" not in detail
    assert "cr3t" not in detail
    assert "^http" not in detail
    assert "http://127.0.0.1:9000/callbacks" in detail
    assert len(detail) < 300


async def test_callback_url_that_is_no_text_is_shown(control: Control) -> None:
    detail = await refuse(control, "put_app", appid=APPID, callback_url=5)
    assert detail.startswith("5 doesn't do: expected string or null")
    assert len(detail) < 200


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"count": 0}, "integer, at least 1, at most 1000000, or 'always' ("),
        ({"count": "alway"}, "integer, at least 1, at most 1000000, or 'always' ("),
        ({"for_seconds": 0}, "number, more than 0, at most 31536000 ("),
    ],
    ids=["too few", "neither", "no time"],
)
async def test_step_that_does_not_do_is_told_what_does(
    control: Control, step: dict[str, object], expected: str
) -> None:
    detail = await refuse(control, "create_fault", steps=[{"fault": "hang", **step}])
    assert f"expected {expected}" in detail


async def test_plan_without_steps_is_told_how_many(control: Control) -> None:
    detail = await refuse(control, "create_fault", steps=[])
    assert "expected array, of 1 or more items, of at most 100 items (" in detail


async def test_profile_number_that_may_be_one_or_the_other_is_told_both(control: Control) -> None:
    detail = await refuse(control, "put_profile", push={"retry_seconds": 1e-9})
    assert "expected number, 0 or at least 0.1, at most 31536000 (" in detail


async def test_key_of_a_certificate_is_not_shown(control: Control) -> None:
    detail = await refuse(control, "create_certificate", appid=APPID, certificate_key="s3cr3t\n")
    assert "s3cr3t" not in detail


@pytest.mark.parametrize(
    ("rule", "hint"),
    [("adress-unique", "did you mean 'address-unique'"), ("nosuch", ", ...)")],
)
async def test_unknown_rule_is_answered_in_short(control: Control, rule: str, hint: str) -> None:
    detail = await refuse(control, "requests", rule=rule)
    assert repr(rule) in detail
    assert hint in detail
    assert len(detail) < 500


@pytest.mark.parametrize("given", ["text/plain", ""])
async def test_wrong_content_type_is_told_the_whole_of_what_to_send(
    http: aiohttp.ClientSession, given: str
) -> None:
    headers = {"Content-Type": given}
    async with http.post("reset?all=true", data=b"", headers=headers) as response:
        assert response.status == 415
        detail = (await response.json())["errors"][0]["detail"]
    assert "'Content-Type: application/json'" in detail
    assert "'{}'" in detail
    assert repr(given) in detail


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/health", "/_fakerelay/v1/health"),
        ("/openapi.json", "/_fakerelay/v1/openapi.json"),
        ("/v1/tasks", "/_fakerelay/v1/tasks"),
        ("/_fakerelay/health", "/_fakerelay/v1/health"),
        ("/_fakerelay/v2/tasks", "/_fakerelay/v1/tasks"),
        ("/", "/_fakerelay/v1/openapi.json"),
        ("/_fakerelay/v1/", "/_fakerelay/v1/"),
    ],
)
async def test_path_without_its_prefix_is_recognized(
    http: aiohttp.ClientSession, path: str, meant: str
) -> None:
    async with http.get(path) as response:
        assert response.status == 404
        detail = (await response.json())["errors"][0]["detail"]
    assert f"did you mean '{meant}" in detail


async def test_extends_says_what_leaving_it_out_means(control: Control) -> None:
    document = await control.call("openapi")
    schema = document["components"]["schemas"]["profile.request"]
    assert "`default` if left out" not in schema["properties"]["extends"]["description"]
    assert "in force" in schema["properties"]["extends"]["description"]


async def test_value_of_neither_kind_says_what_it_is_for(control: Control) -> None:
    detail = await refuse(control, "create_fault", steps=[{"fault": "hang", "count": 0.5}])
    assert "How often" in detail


async def test_half_a_name_is_the_one_that_begins_so(control: Control) -> None:
    assert "did you mean 'hold_callbacks'?" in await refuse(control, "hold")


async def test_what_a_status_may_be_is_told_in_place_of_something_else(control: Control) -> None:
    task = {"appid": APPID, "uid": "u", "rtmpurl": "rtmp://h/a"}
    detail = await refuse(control, "set_push_status", **task, status="recoverd")
    assert "(did you mean 'recovered'?): expected 0 `pushing` or" in detail
