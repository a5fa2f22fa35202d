"""What is said of fault plans that were not met."""

import pytest

from fakerelay.evidence.plans import tell_unmet
from tests.facts import Facts, Json, plan, start, stop

ANNA = "rtmp://cdn.example.com/live/anna"
END = "; say check_faults=False in the marker if that is fine"
HANNA = {"operation": "stoprtmp", "uid": "hanna"}


@pytest.mark.parametrize(
    ("times", "match", "requests", "told"),
    [
        (0, {}, [], "never acted"),
        (1, {}, [], "acted 1 of 3 times"),
        (0, HANNA, [], "never acted, and no call came"),
        (
            0,
            HANNA,
            [start("anna", ANNA), start("hanna", ANNA)],
            "never acted: match operation='stoprtmp', but the nearest call was a startrtmp"
            " (request 2)",
        ),
        (
            0,
            HANNA,
            [stop("anna"), start("anna", ANNA)],
            "never acted: match uid='hanna', but the nearest call was a stoprtmp with uid='anna'"
            " (request 1)",
        ),
        (0, HANNA, [stop("hanna")], "never acted"),
    ],
    ids=["never", "too seldom", "no call", "other operation", "other uid", "fitting"],
)
def test_unmet_plan_tells_how_far_it_came(
    times: int, match: Json, requests: list[Json], told: str
) -> None:
    made = {**plan("drop", times, of=3), "match": match}
    facts = Facts(requests=requests, faults=[made])
    expected = f"Fault plan 'fault-1' was not met: step 0 (drop) {told}{END}"
    assert tell_unmet(facts.control, made) == expected
