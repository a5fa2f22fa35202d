"""What goes on, in numbers: the text format of Prometheus, version 0.0.4.

No address, task, room or user is a label: there may be any number of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, islice
from typing import Final, NamedTuple

from fakerelay.control.documents import version
from fakerelay.control.plane import Json, Plane, Values
from fakerelay.metrics import BUCKETS
from fakerelay.tenants import Tenant

# Worlds come and go by the test; a scrape with thousands of series each is of use to nobody.
_MOST_WORLDS: Final = 200

Labels = Mapping[str, str]
Samples = Iterable[tuple[Labels, float]]


class _Metric(NamedTuple):
    name: str
    kind: str
    doc: str
    read: Callable[[Tenant], Samples]


async def show_metrics(plane: Plane, values: Values, body: Json) -> Json:
    tenants = list(islice(plane.worlds(values["world"]), _MOST_WORLDS))
    lines = [line for part in _write_server(plane) for line in part]
    for metric in _METRICS:
        samples = (
            (metric.name, {"world": tenant.id, **labels}, value)
            for tenant in tenants
            for labels, value in metric.read(tenant)
        )
        lines += _write(metric.name, metric.kind, metric.doc, samples)
    lines += _write(
        _DURATION,
        "histogram",
        "Time from a call's arrival until its answer is ready, in real seconds.",
        (sample for tenant in tenants for sample in _read_durations(tenant)),
    )
    return "\n".join(lines) + "\n"


def _write_server(plane: Plane) -> Iterator[Iterable[str]]:
    """What is the server's, not a world's."""
    tenants = plane.tenants
    build = {"version": version(), "profile": tenants.default.service.profile.name}
    rows: tuple[tuple[str, str, str, Labels, float], ...] = (
        ("build_info", "gauge", "The version, and the profile of the default world.", build, 1),
        ("worlds", "gauge", f"Worlds; the first {_MOST_WORLDS} are shown one by one.", {},
         sum(1 for _ in tenants)),
        ("events_total", "counter", "Events, heard by somebody or not.", {}, tenants.feed.number),
        ("event_listeners", "gauge", "Streams of events that are open.", {}, len(tenants.feed)),
    )  # fmt: skip
    for name, kind, doc, labels, value in rows:
        yield _write(f"fakerelay_{name}", kind, doc, [(f"fakerelay_{name}", labels, value)])


def _write(
    name: str, kind: str, doc: str, samples: Iterable[tuple[str, Labels, float]]
) -> Iterator[str]:
    yield f"# HELP {name} {doc}"
    yield f"# TYPE {name} {kind}"
    for full_name, labels, value in samples:
        listed = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        yield f"{full_name}{{{listed}}} {value!r}" if listed else f"{full_name} {value!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _count_tasks(tenant: Tenant) -> Samples:
    view = tenant.service.view
    yield {}, sum(view.running_count(app.appid) for app in view.apps())


def _count_calls(tenant: Tenant) -> Samples:
    for row in tenant.call_counts:
        yield {"operation": row.operation, "code": row.code}, sum(row.counts)


def _count_callbacks(tenant: Tenant) -> Samples:
    for state, count in tenant.delivery.ended.items():
        yield {"state": state}, count


def _count_faults(tenant: Tenant) -> Samples:
    for fault, count in tenant.fault_counts.items():
        yield {"fault": fault}, count


_METRICS: Final = (
    _Metric("fakerelay_calls_total", "counter",
            "Calls of the vendor API by the code of their answer.", _count_calls),
    _Metric("fakerelay_tasks", "gauge", "Tasks that run.", _count_tasks),
    _Metric("fakerelay_callbacks_total", "counter",
            "Notifications that were delivered, or given up.", _count_callbacks),
    _Metric("fakerelay_callbacks_pending", "gauge", "Notifications on their way.",
            lambda tenant: [({}, tenant.delivery.pending_count)]),
    _Metric("fakerelay_faults_total", "counter", "Faults that acted.", _count_faults),
    _Metric("fakerelay_journal_entries", "gauge", "Calls that the journal keeps.",
            lambda tenant: [({}, len(tenant.journal))]),
    _Metric("fakerelay_journal_evicted_total", "counter",
            "Calls that the journal had no room for any more.",
            lambda tenant: [({}, tenant.journal.evicted)]),
)  # fmt: skip

_DURATION: Final = "fakerelay_call_duration_seconds"


def _read_durations(tenant: Tenant) -> Iterator[tuple[str, Labels, float]]:
    """One histogram an operation, whatever the codes."""
    operations: dict[str, tuple[list[int], float]] = {}
    for row in tenant.call_counts:
        counts, seconds = operations.get(row.operation, ([0] * len(row.counts), 0.0))
        added = [sum(pair) for pair in zip(counts, row.counts, strict=True)]
        operations[row.operation] = added, seconds + row.total_seconds
    for operation, (counts, seconds) in operations.items():
        labels = {"world": tenant.id, "operation": operation}
        bounds = [*map(repr, BUCKETS), "+Inf"]
        for bound, count in zip(bounds, accumulate(counts), strict=True):
            yield f"{_DURATION}_bucket", {**labels, "le": bound}, count
        yield f"{_DURATION}_sum", labels, seconds
        yield f"{_DURATION}_count", labels, sum(counts)
