"""Lists read to their end, and a world's facts collected."""

from typing import Any

from fakerelay.evidence import collect, read_list
from tests.facts import Facts, start, task

ANNA = "rtmp://cdn.example.com/live/anna"


def test_list_is_read_to_its_end() -> None:
    facts = Facts(requests=[start(f"u{n}", ANNA) for n in range(5)], forgotten=3)
    listed = read_list(facts.control, "requests")
    assert [each["number"] for each in listed.items] == [4, 5, 6, 7, 8]
    assert listed.evicted == 3


def test_list_that_shrinks_meanwhile_comes_to_an_end() -> None:
    pages = [{"items": [{}, {}], "total": 4, "evicted": 0}, {"items": [], "total": 2, "evicted": 0}]

    def control(verb: str, **parameters: Any) -> Any:
        return pages.pop(0)

    assert read_list(control, "tasks").items == [{}, {}]


def test_evidence_is_all_there_is() -> None:
    facts = Facts(tasks=[task(f"u{n}", ANNA) for n in range(3)])
    evidence = collect(facts.control)
    assert [each["uid"] for each in evidence.tasks.items] == ["u0", "u1", "u2"]
    assert (evidence.clock["mode"], evidence.profile["name"]) == ("frozen", "default")
    assert [each["appid"] for each in evidence.apps.items] == [7]
