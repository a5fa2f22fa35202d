import pytest

from fakerelay.metrics import BUCKETS, CallCounts


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0), (BUCKETS[0], 0), (BUCKETS[0] * 1.01, 1), (BUCKETS[-1], -2), (1e9, -1)],
    ids=["none", "the bound itself", "more than that", "the last bound", "more than all"],
)
def test_duration_falls_into_one_bucket(seconds: float, bucket: int) -> None:
    counts = CallCounts()
    counts.count("startrtmp", 0, seconds)
    (row,) = counts
    assert (row.operation, row.code, row.total_seconds) == ("startrtmp", "0", seconds)
    assert row.counts[bucket] == sum(row.counts) == 1


def test_codes_without_end_are_counted_as_one() -> None:
    counts = CallCounts()
    for code in range(1000):
        counts.count("startrtmp", code, 0.0)
    rows = list(counts)
    assert len(rows) == 101
    assert (rows[-1].code, sum(rows[-1].counts)) == ("other", 900)
