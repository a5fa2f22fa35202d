import pytest

from fakerelay.core.addresses import read_address
from fakerelay.core.fates import TAKEN, Fate, Turn
from fakerelay.core.model import PushAddress
from fakerelay.core.pushes import CDN_FAILED
from fakerelay.faults import read_plan, vocabulary
from fakerelay.magic import DOMAIN, explain_stray, find_magic, names
from fakerelay.schemas import read_json


def find(text: str) -> Fate | None:
    address = read_address(text)
    assert isinstance(address, PushAddress)
    return find_magic(address)


@pytest.mark.parametrize("name", [name for name, row in names().items() if "fault" in row])
def test_name_means_a_step_of_the_vocabulary(name: str) -> None:
    row = names()[name]
    settings = {**row["settings"], row["number_sets"]: 12}
    read_plan({"on": "push", "steps": [{"fault": row["fault"], **settings}]}, "id", 0.0)
    assert row["number_sets"] in vocabulary()["push"][row["fault"]]["settings"]
    assert find(f"rtmp://{name}.fakerelay.test/live") is not None


def test_domain_is_that_of_the_data() -> None:
    assert "." + read_json("magic_addresses")["domain"] == DOMAIN


def test_number_sets_how_long() -> None:
    assert find("rtmp://refused-9.fakerelay.test/a") == Fate(turn=Turn(9, CDN_FAILED))
    assert find("rtmp://refused-9999999.fakerelay.test/a") == Fate(turn=Turn(9999999, CDN_FAILED))


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("refuse", "did you mean 'refused'?"),
        ("sub.refused", "did you mean 'refused'?"),
        ("slwo-5", "did you mean 'slow'?"),
        ("refused-0", "write 'refused' or 'refused-N', with N from 1 to 9999999)"),
        ("user@Refused-x", "write 'refused' or 'refused-N', with N from 1 to 9999999)"),
        ("taken-5", "(write 'taken')"),
        ("zzz", "known: flapping, internal"),
    ],
)
def test_name_that_means_nothing_is_told_the_nearest(host: str, hint: str) -> None:
    address = read_address(f"rtmp://{host}.fakerelay.test:1935/live?key=s3cret")
    assert isinstance(address, PushAddress)
    stray = explain_stray(address)
    assert stray is not None
    assert hint in stray
    assert "s3cret" not in stray


@pytest.mark.parametrize(
    "address",
    [
        "refused.fakerelay.test/a",
        "taken.fakerelay.test",
        "fakerelay.test/a",
        "h/refuse.fakerelay.test/a",
        "refuse.fakerelay.test.example.com/a",
        "refuse@h/a.fakerelay.test",
    ],
)
def test_magic_and_other_hosts_need_no_word(address: str) -> None:
    read = read_address(f"rtmp://{address}")
    assert isinstance(read, PushAddress)
    assert explain_stray(read) is None


def test_taken_is_taken() -> None:
    assert find("rtmps://user@Taken.FakeRelay.Test:9/a") is TAKEN


@pytest.mark.parametrize(
    "text",
    [
        "rtmp://fakerelay.test/a",
        "rtmp://other.fakerelay.test/a",
        "rtmp://refused-0.fakerelay.test/a",
        "rtmp://refused-99999999.fakerelay.test/a",
        "rtmp://refused-1.5.fakerelay.test/a",
        "rtmp://refused-.fakerelay.test/a",
        "rtmp://taken-1.fakerelay.test/a",
        "rtmp://a.refused.fakerelay.test/a",
        "rtmp://refused.fakerelay.testing/a",
        "rtmp://refused.fakerelay.test.example/a",
        "rtmp://h/refused.fakerelay.test/a",
        "rtmp://h?rtmp://refused.fakerelay.test/a",
        "rtmp://refused.fakerelay.test@h/a",
        "rtmp://[::1]/refused.fakerelay.test",
    ],
)
def test_any_other_host_is_an_ordinary_one(text: str) -> None:
    assert find(text) is None
