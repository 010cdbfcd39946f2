"""Pauses of executions: attributed as one would by hand, frozen as known then, kept apart from work."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.keeping.snapshots import from_table, to_table
from eventlogs.snapshot import Snapshot
from eventlogs.split import subset
from tests.eventlogs.logs import T0, lines, stamp

HEADER = "case_id,activity,concept:instance,resource,timestamp,lifecycle:transition"
WORDS = [
    "start",
    "complete",
    "suspend",
    "resume",
    "Suspend",
    "RESUME",
    "ate_abort",
    "pi_abort",
    "schedule",
    "",
]
STARTS, ENDS = ("start",), ("complete", "", "ate_abort", "pi_abort")
Event = tuple[str, str, str, int, str]
"""Activity, instance, resource, second, transition."""

any_event = st.tuples(
    st.sampled_from("AAB"),
    st.sampled_from(["", "", "i1"]),
    st.sampled_from(["", "x", "y"]),
    st.integers(0, 12),
    st.sampled_from(WORDS),
)
# Two executions at a time of one activity, and much suspending: what any_event hardly ever meets.
busy_event = st.tuples(
    st.just("A"),
    st.just(""),
    st.sampled_from("xy"),
    st.integers(1, 9),
    st.sampled_from(["suspend", "suspend", "resume", "complete"]),
)
busy_logs = st.lists(busy_event, min_size=3, max_size=12).map(
    lambda log: [("A", "", "x", 0, "start"), ("A", "", "y", 0, "start"), *log]
)


class Execution:
    """One execution as the naive machine builds it."""

    def __init__(self, key: tuple[str, str], resource: str, begin: tuple[int, int]) -> None:
        self.key, self.resource, self.begin = key, resource, begin
        self.end: tuple[int, int] | None = None
        self.pauses: list[list[int]] = []

    def runs_at(self, mark: tuple[int, int]) -> bool:
        return self.begin < mark and (self.end is None or mark < self.end)


def naive_pairs(log: list[Event], order: list[tuple[int, int]]) -> dict[int, int]:
    """Two rounds: an end takes the oldest waiting start of its resource, then of any; end -> start."""
    start_of: dict[int, int] = {}
    for same_resource in (True, False):
        waiting: dict[tuple[str, ...], list[int]] = {}
        for _, row in order:
            activity, instance, resource, _, word = log[row]
            if row in start_of or row in start_of.values() or word.lower() not in (*STARTS, *ENDS):
                continue
            queue = waiting.setdefault((activity, instance, resource if same_resource else ""), [])
            if word.lower() in STARTS:
                queue.append(row)
            elif queue:
                start_of[row] = queue.pop(0)
    return start_of


def naive(log: list[Event]) -> list[Execution]:
    """Pairs, then every suspend and resume to the execution that is running then."""
    order = sorted((second, row) for row, (*_, second, _) in enumerate(log))
    start_of = naive_pairs(log, order)
    found = []
    for second, row in order:
        activity, instance, resource, _, word = log[row]
        if word.lower() in STARTS and row not in start_of.values():
            found.append(Execution((activity, instance), resource, (second, row)))
        elif row in start_of or word.lower() in ("complete", ""):
            begin = start_of.get(row, row)
            done = Execution((activity, instance), resource or log[begin][2], (log[begin][3], begin))
            done.end = (second, row)
            found.append(done)
    for second, row in order:
        activity, instance, resource, _, word = log[row]
        running = [e for e in found if e.key == (activity, instance) and e.runs_at((second, row))]
        if running and word.lower() in ("suspend", "resume"):
            chosen = min(running, key=lambda e: (e.resource != resource, e.begin))
            suspended = len(chosen.pauses) > 0 and len(chosen.pauses[-1]) == 1
            if word.lower() == "suspend" and not suspended:
                chosen.pauses.append([second])
            elif word.lower() == "resume" and suspended:
                chosen.pauses[-1].append(second)
    return found


def as_known(log: list[Event], until: int) -> list[tuple[object, ...]]:
    """Activity, resource, start, end and paused seconds of what had begun."""
    known: list[tuple[object, ...]] = []
    for e in naive(log):
        if e.begin[0] <= until:
            end = e.end[0] if e.end and e.end[0] <= until else None
            paused = sum(
                min([*pause[1:], until if end is None else end][0], until) - pause[0]
                for pause in e.pauses
                if pause[0] <= until
            )
            known.append((e.key[0], e.resource or None, e.begin[0], end, paused))
    return sorted(known, key=str)


def rows_of(snapshot: Snapshot) -> list[tuple[object, ...]]:
    shift = (snapshot.origin - T0).total_seconds()
    return sorted(
        (
            (
                snapshot.activities[snapshot.activity[i]],
                None if snapshot.resource[i] < 0 else snapshot.resources[snapshot.resource[i]],
                int(snapshot.start_s[i] + shift),
                None if np.isnan(snapshot.end_s[i]) else int(snapshot.end_s[i] + shift),
                int(snapshot.paused_s[i]),
            )
            for i in range(snapshot.n_events)
        ),
        key=str,
    )


def written(folder: str | Path, log: list[Event]) -> Path:
    rows = (f"1,{a},{i},{r},{stamp(s)},{w}" for a, i, r, s, w in log)
    return lines(Path(folder) / "log.csv", HEADER, *rows)


@settings(max_examples=60)
@given(st.lists(any_event, min_size=1, max_size=16) | busy_logs, st.integers(0, 12))
def test_pauses_are_those_of_a_naive_machine(log: list[Event], until: int) -> None:
    log = [("A", "", "", 0, "complete"), *log]
    with TemporaryDirectory() as folder, Historian(":memory:") as historian:
        report = historian.import_log(written(folder, log), "log")
        last = historian.snapshot("log", open_cases=())
        then = historian.snapshot("log", T0 + timedelta(seconds=until), open_cases=())
    assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined == len(log)
    executions = naive(log)
    assert rows_of(last) == as_known(log, int((report.last - T0).total_seconds()))
    assert rows_of(then) == as_known(log, until)
    assert report.paused == sum(bool(e.pauses) for e in executions)
    assert report.left_suspended == sum(bool(e.pauses) and len(e.pauses[-1]) == 1 for e in executions)
    assert report.aborted == sum(e.end is not None and "abort" in log[e.end[1]][4] for e in executions)


def test_pauses_are_in_the_hash_and_follow_their_cases(tmp_path: Path) -> None:
    words = (("start", 0), ("suspend", 10), ("resume", 30), ("complete", 60))
    rows = [
        f"{c},A,,x,{stamp(s)},{w}" for c in "12" for w, s in words if c == "2" or w in ("start", "complete")
    ]
    with Historian(":memory:") as historian:
        historian.import_log(lines(tmp_path / "log.csv", HEADER, *rows), "log")
        whole = historian.snapshot("log", open_cases=())
        plain = [row for row in rows if not row.endswith(("suspend", "resume"))]
        historian.import_log(lines(tmp_path / "plain.csv", HEADER, *plain), "log")
        bare = historian.snapshot("log", open_cases=())
    assert whole.paused_s.tolist() == [0.0, 20.0]
    assert bare.paused_s.tolist() == [0.0, 0.0]
    assert whole.content_hash != bare.content_hash
    second = subset(whole, np.array([False, True]))
    assert second.paused_s.tolist() == [20.0]
    assert second.pauses.start_s - second.start_s == [10.0]
    assert (
        subset(whole, np.array([True, False])).content_hash
        == subset(bare, np.array([True, False])).content_hash
    )


def test_strange_transitions_are_counted_by_name(tmp_path: Path) -> None:
    log = [("A", "", "", 1, "start"), ("A", "", "", 2, "Frobnicate"), ("A", "", "", 3, "complete")]
    with Historian(":memory:") as historian:
        report = historian.import_log(written(tmp_path, log), "log")
    assert report.transitions == {"complete": 1, "frobnicate": 1, "start": 1}
    assert report.rows_ignored == 1
    assert "Transitions that no lifecycle standard knows were ignored: 'frobnicate' 1." in report.sentences()
    assert report.first == datetime(2024, 3, 4, 8, 0, 1, tzinfo=UTC)


def test_a_kept_snapshot_keeps_its_pauses(tmp_path: Path) -> None:
    log = [("A", "", "x", s, w) for s, w in ((1, "start"), (2, "suspend"), (5, "resume"), (9, "complete"))]
    with Historian(":memory:") as historian:
        historian.import_log(written(tmp_path, log), "log")
        frozen = historian.snapshot("log", open_cases=())
    again = from_table(to_table(frozen))
    assert again.content_hash == frozen.content_hash
    assert again.paused_s.tolist() == [3.0]
