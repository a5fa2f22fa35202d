"""The verb table itself: what every row has to keep to."""

import typing

import pytest

from fakerelay import schemas
from fakerelay.control.components import components
from fakerelay.control.local import HANDLERS, STREAMS
from fakerelay.control.verbs import TARGETS, VERBS, VerbName, make_call, parameter_schemas
from fakerelay.errors import ControlError


def test_table_handlers_and_names_for_editors_agree() -> None:
    assert list(VERBS) == list(typing.get_args(VerbName))
    assert [name for name in VERBS if not VERBS[name].streams] == list(HANDLERS)
    assert [name for name in VERBS if VERBS[name].streams] == list(STREAMS)


def test_no_two_verbs_share_method_and_path() -> None:
    assert len({(verb.method, verb.path) for verb in VERBS.values()}) == len(VERBS)


@pytest.mark.parametrize("name", list(VERBS))
def test_verb_names_schemas_that_there_are(name: str) -> None:
    verb = VERBS[name]
    assert set(verb.parameters) <= set(parameter_schemas())
    assert {verb.body, verb.reply} - {None} <= set(components())
    assert verb.doc.endswith(".")
    assert (verb.reply is None) == (verb.media_type != "application/json")


@pytest.mark.parametrize("name", [verb.name for verb in VERBS.values() if verb.body])
def test_keys_of_a_body_are_told_from_parameters(name: str) -> None:
    """Else a keyword of `call` would be ambiguous."""
    verb = VERBS[name]
    keys = components()[verb.body or ""]["properties"]
    assert not set(verb.parameters) & set(keys)
    assert "body" not in keys


@pytest.mark.parametrize("name", [verb.name for verb in VERBS.values() if verb.destroys])
def test_verb_that_destroys_names_what(name: str) -> None:
    verb = VERBS[name]
    assert verb.path_parameters or verb.query == TARGETS


def test_every_parameter_and_component_is_used_and_described() -> None:
    used = {name for verb in VERBS.values() for name in verb.parameters}
    assert used == set(parameter_schemas())
    assert all(schema["description"] for schema in parameter_schemas().values())


def test_shipped_profiles_are_the_ones_to_choose_from() -> None:
    choice = components()["world.request"]["properties"]["profile"]["enum"]
    assert set(schemas.list_names("profiles")) < set(choice)


def test_keywords_are_sorted_into_url_and_body() -> None:
    call = make_call("put_app", {"appid": 1, "world": None, "account": "a"})
    assert (call.parameters, call.body) == ({"appid": 1}, {"account": "a"})
    call = make_call("put_app", {"appid": 1, "body": {"callback_url": None}})
    assert (call.parameters, call.body) == ({"appid": 1}, {"callback_url": None})
    assert make_call("tasks", {}).body is None


def test_keyword_that_nothing_takes_is_refused() -> None:
    with pytest.raises(ControlError, match="did you mean 'limit'"):
        make_call("tasks", {"limi": 1})
