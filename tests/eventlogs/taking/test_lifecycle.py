"""Start and complete events become executions as an obvious queue would pair them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from tests.eventlogs.logs import frozen, lines, stamp, traces

Event = tuple[str, str, str, int, str]
"""Activity, instance, resource, second, transition."""
HEADER = "case_id,activity,concept:instance,resource,timestamp,lifecycle:transition"

events = st.tuples(
    st.sampled_from("AB"),
    st.sampled_from(["", "", "i1"]),
    st.sampled_from(["", "x", "y"]),
    st.integers(0, 12),
    st.sampled_from(["start", "complete", "START", "Complete", "schedule", ""]),
)


def naive_pairs(log: list[Event]) -> list[tuple[str, str | None, float, float | None]]:
    """Two rounds: a completion takes the oldest waiting start of its resource, then of any."""
    order = sorted(
        (second, row)
        for row, (*_, second, word) in enumerate(log)
        if word.lower() in ("start", "complete", "")
    )
    start_of: dict[int, int] = {}
    for same_resource in (True, False):
        waiting: dict[tuple[str, ...], list[int]] = {}
        for _, row in order:
            if row in start_of or row in start_of.values():
                continue
            activity, instance, resource, _, word = log[row]
            queue = waiting.setdefault((activity, instance, resource if same_resource else ""), [])
            if word.lower() == "start":
                queue.append(row)
            elif queue:
                start_of[row] = queue.pop(0)
    found: list[tuple[str, str | None, float, float | None]] = []
    for _, row in order:
        activity, _, resource, second, word = log[row]
        if word.lower() == "start":
            if row not in start_of.values():
                found.append((activity, resource or None, float(second), None))
        else:
            start = log[start_of[row]] if row in start_of else log[row]
            found.append((activity, resource or start[2] or None, float(start[3]), float(second)))
    return sorted(found, key=str)


@settings(max_examples=25)
@given(st.lists(events, min_size=1, max_size=14))
def test_events_are_paired_first_in_first_out(log: list[Event]) -> None:
    log = [*log, ("A", "", "", 12, "complete")]
    with TemporaryDirectory() as folder:
        rows = (f"1,{a},{i},{r},{stamp(s)},{w}" for a, i, r, s, w in log)
        snapshot = frozen(lines(Path(folder) / "log.csv", HEADER, *rows))
    found = [(r.activity, r.resource, r.start_s, r.end_s) for _, group in traces(snapshot) for r in group]
    assert sorted(found, key=str) == naive_pairs(log)


def test_the_report_counts_transitions_and_halves(tmp_path: Path) -> None:
    rows = [
        *("1,A,,x,2024-03-04T08:00Z,schedule", "1,A,,x,2024-03-04T09:00Z,start"),
        *("1,A,,x,2024-03-04T09:30Z,suspend", "1,A,,x,2024-03-04T10:00Z,complete"),
        *("1,B,,y,2024-03-04T11:00Z,complete", "1,C,,y,2024-03-04T12:00Z,start"),
    ]
    with Historian(":memory:") as historian:
        report = historian.import_log(lines(tmp_path / "log.csv", HEADER, *rows))
    assert (report.rows_read, report.rows_kept, report.rows_ignored) == (6, 5, 1)
    assert (report.events, report.running, report.completed_without_start) == (3, 1, 1)
    assert report.transitions == {"complete": 2, "schedule": 1, "start": 2, "suspend": 1}
    assert not report.single_timestamp
    assert report.sentences()[0] == (
        "6 rows read: 5 kept as 3 task executions of 1 case, 1 ignored, 0 quarantined."
    )
    assert "complete 2, schedule 1, start 2, suspend 1" in " ".join(report.sentences())


def test_the_report_says_what_was_ignored(tmp_path: Path) -> None:
    rows = [
        *("1,A,,x,2024-03-04T08:00Z,schedule", "1,A,,x,2024-03-04T08:30Z,schedule"),
        *("1,A,,x,2024-03-04T08:40Z,resume", "1,A,,x,2024-03-04T08:50Z,ate_abort"),
        *("1,A,,x,2024-03-04T09:00Z,start", "1,A,,x,2024-03-04T09:10Z,suspend"),
        *("1,A,,x,2024-03-04T09:30Z,ate_abort", "1,B,,y,2024-03-04T11:00Z,complete"),
    ]
    with Historian(":memory:") as historian:
        report = historian.import_log(lines(tmp_path / "log.csv", HEADER, *rows))
    assert report.ignored == {"schedule": 2, "ate_abort without a start": 1, "resume without a start": 1}
    assert "4 rows ignored: 2 schedule, 1 ate_abort without a start, 1 resume without a start." in " ".join(
        report.sentences()
    )


def test_a_lifecycle_that_only_completes_is_a_log_with_one_time(tmp_path: Path) -> None:
    rows = ("1,A,,x,2024-03-04T08:00Z,complete", "1,B,,x,2024-03-04T09:00Z,complete")
    with Historian(":memory:") as historian:
        assert historian.import_log(lines(tmp_path / "log.csv", HEADER, *rows)).single_timestamp


def test_start_and_end_columns_win_over_a_lifecycle_column(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv",
        "case_id,activity,start_time,end_time,lifecycle:transition",
        "1,A,2024-03-04T08:00Z,2024-03-04T09:00Z,complete",
    )
    snapshot = frozen(file)
    assert (snapshot.end_s - snapshot.start_s).tolist() == [3600.0]
