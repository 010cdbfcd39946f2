"""Every question's answer against the obvious computation in Python."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings

from eventlogs.mining.catalogue import QUESTIONS, mine
from metagraph.errors import UsageError
from tests.eventlogs.mining.naive import (
    STRANGE,
    T0,
    Done,
    at,
    database,
    fill,
    last,
    logs,
    segment,
    traces,
)

Rows = list[dict[str, Any]]
WITH_SEGMENT = Done("c1", "a", "r1", 0, 1)
"""So that the log knows the attribute."""


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with database() as made:
        yield made


def rows(con: DuckDBPyConnection, log: Sequence[Done], what: str, by: str = "", zone: str = "UTC") -> Rows:
    fill(con, log)
    found: Rows = mine(con, "log", what, by=by, zone=zone).to_pylist()
    return found


def by_start(log: Sequence[Done]) -> dict[str, list[Done]]:
    found = defaultdict(list)
    for done in log:
        found[done.case].append(done)
    return {
        case: sorted(trace, key=lambda d: (d.start, 999 if d.end is None else d.end))
        for case, trace in found.items()
    }


def check_times(row: dict[str, Any], name: str, hours: Sequence[int | None]) -> None:
    """Mean, median, 90 % quantile and extremes of hours, in seconds."""
    known = [3600.0 * h for h in hours if h is not None]
    found = [row[f"{key}_{name}_s"] for key in ("mean", "median", "p90", "min", "max")]
    if not known:
        assert found == [None] * 5
        return
    assert found == pytest.approx(
        [mean(known), median(known), np.quantile(known, 0.9), min(known), max(known)]
    )


def minus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


@settings(max_examples=25)
@given(logs)
def test_follows(con: DuckDBPyConnection, log: list[Done]) -> None:
    for by, ordered in (("end", traces(log)), ("start", by_start(log))):
        expected = defaultdict(list)
        for trace in ordered.values():
            for one, other in pairwise(trace):
                expected[one.activity, other.activity].append((one, other))
        found = rows(con, log, "follows", by)
        assert [(r["activity"], r["next_activity"], r["count"]) for r in found] == sorted(
            ((*key, len(times)) for key, times in expected.items()), key=lambda r: (-r[2], r[0], r[1])
        )
        for row in found:
            pairs = expected[row["activity"], row["next_activity"]]
            check_times(row, "end_to_end", [minus(b.end, a.end) for a, b in pairs])
            check_times(row, "start_to_start", [b.start - a.start for a, b in pairs])
            check_times(row, "end_to_start", [minus(b.start, a.end) for a, b in pairs])


@settings(max_examples=25)
@given(logs)
def test_variants_starts_and_ends(con: DuckDBPyConnection, log: list[Done]) -> None:
    cycles = defaultdict(list)
    for trace in traces(log).values():
        length = max(map(last, trace)) - min(d.start for d in trace)
        running = any(d.end is None for d in trace)
        cycles[tuple(d.activity for d in trace)].append(None if running else length)
    found = rows(con, log, "variants")
    expected = sorted(cycles.items(), key=lambda item: (-len(item[1]), item[0]))
    assert [(tuple(r["activities"]), r["cases"], r["length"]) for r in found] == [
        (name, len(lengths), len(name)) for name, lengths in expected
    ]
    n = len(traces(log))
    assert [r["share"] for r in found] == pytest.approx([len(lengths) / n for _, lengths in expected])
    assert [r["covered"] for r in found] == pytest.approx(np.cumsum([r["cases"] for r in found]) / n)
    for row in found:
        check_times(row, "cycle", cycles[tuple(row["activities"])])
    for what, place in (("starts", 0), ("ends", -1)):
        counts = Counter(trace[place].activity for trace in traces(log).values())
        assert [(r["activity"], r["cases"]) for r in rows(con, log, what)] == sorted(
            counts.items(), key=lambda item: (-item[1], item[0])
        )


@settings(max_examples=25)
@given(logs)
def test_durations_and_waits(con: DuckDBPyConnection, log: list[Done]) -> None:
    log = [WITH_SEGMENT, *log]
    keys: dict[str, Callable[[Done], tuple[str | None, ...]]] = {
        "activity": lambda d: (),
        "resource": lambda d: (d.resource,),
        "segment": lambda d: (segment(d.case),),
    }
    for by, key in keys.items():
        expected = defaultdict(list)
        for done in log:
            expected[(done.activity, *key(done))].append(minus(done.end, done.start))
        found = rows(con, log, "durations", by)
        assert len(found) == len(expected)
        for row in found:
            lengths = expected[(row["activity"], *([row[by]] if key(log[0]) else []))]
            known = [3600.0 * length for length in lengths if length is not None]
            assert (row["count"], row["running"]) == (len(lengths), len(lengths) - len(known))
            check_times(row, "duration", lengths)
            assert row["total_duration_s"] == (sum(known) if known else None)
            assert row["sd_duration_s"] == (pytest.approx(stdev(known)) if len(known) > 1 else None)
    waits = defaultdict(list)
    for trace in by_start(log).values():
        for one, other in pairwise(trace):
            waits[one.activity, other.activity].append(minus(other.start, one.end))
    for row in rows(con, log, "waits", "transition"):
        gaps = waits.pop((row["activity"], row["next_activity"]))
        assert row["count"] == sum(gap is not None for gap in gaps)
        assert row["overlaps"] == sum(gap is not None and gap < 0 for gap in gaps)
        check_times(row, "wait", [None if gap is None else max(gap, 0) for gap in gaps])
    assert not waits


@settings(max_examples=25)
@given(logs)
def test_handovers_rework_and_values(con: DuckDBPyConnection, log: list[Done]) -> None:
    log = [WITH_SEGMENT, *log]
    pairs = [pair for trace in traces(log).values() for pair in pairwise(trace)]
    handed = Counter((one.resource, other.resource) for one, other in pairs)
    found = rows(con, log, "handovers")
    assert {(r["resource"], r["next_resource"]): r["count"] for r in found} == handed
    times = Counter((done.activity, done.case) for done in log)
    for row in rows(con, log, "rework"):
        counts = [n for (activity, _), n in times.items() if activity == row["activity"]]
        assert (row["cases"], row["reworked_cases"]) == (len(counts), sum(n > 1 for n in counts))
        assert row["repeats"] == sum(counts) - len(counts)
    for by, value in (("resource", lambda d: d.resource), ("segment", lambda d: segment(d.case))):
        expected = {
            v: (len({d.case for d in log if value(d) == v}), sum(value(d) == v for d in log))
            for v in map(value, log)
        }
        assert {r["value"]: (r["cases"], r["executions"]) for r in rows(con, log, "values", by)} == expected


@settings(max_examples=25)
@given(logs)
def test_throughput_arrivals_and_cycle_times(con: DuckDBPyConnection, log: list[Done]) -> None:
    log = [WITH_SEGMENT, *log]
    spans = [
        (min(d.start for d in t), max(map(last, t)), any(d.end is None for d in t))
        for t in traces(log).values()
    ]
    for row in rows(con, log, "throughput", "hour"):
        hour = (row["period"] - T0) / timedelta(hours=1)
        assert row["arrivals"] == sum(first == hour for first, _, _ in spans)
        assert row["completions"] == sum(end == hour and not runs for _, end, runs in spans)
        assert row["wip"] == sum(first <= hour and (runs or end > hour) for first, end, runs in spans)
    firsts = sorted(first for first, _, _ in spans)
    found = rows(con, log, "arrivals", "hour")
    assert [r["arrivals"] for r in found] == [firsts.count(h) for h in range(firsts[0], firsts[-1] + 1)]
    [whole] = rows(con, log, "summary")
    assert (whole["cases"], whole["executions"]) == (len(spans), len(log))
    gaps = [3600.0 * (b - a) for a, b in pairwise(firsts)]
    assert whole["mean_arrival_gap_s"] == (pytest.approx(mean(gaps)) if gaps else None)
    [cycle] = rows(con, log, "cycle_times")
    check_times(cycle, "cycle", [None if runs else end - first for first, end, runs in spans])
    assert sum(r["cases"] for r in rows(con, log, "cycle_times", "segment")) == len(spans)
    assert [r["case_id"] for r in rows(con, log, "cases")] == [
        case for _, case in sorted((min(d.start for d in t), c) for c, t in traces(log).items())
    ]


@settings(max_examples=25)
@given(logs)
def test_workload(con: DuckDBPyConnection, log: list[Done]) -> None:
    until = max(map(last, log))
    expected = {}
    for hour in range(until + 1):
        for resource in {d.resource for d in log}:
            mine_ = [d for d in log if d.resource == resource]
            at_work = sum(d.start <= hour < (until if d.end is None else d.end) for d in mine_)
            started = sum(d.start == hour for d in mine_)
            completed = sum(d.end == hour for d in mine_)
            if at_work or started or completed:
                expected[at(hour), resource] = (started, completed, 3600.0 * at_work)
    found = rows(con, log, "workload", "hour")
    assert {
        (r["period"], r["resource"]): (r["started"], r["completed"], r["busy_s"]) for r in found
    } == expected
    for row in found:
        assert row["worked_s"] == (3600.0 if row["busy_s"] else 0.0)
        assert row["most_at_once"] >= row["busy_s"] / 3600.0
    week = rows(con, log, "workload", "hour_of_week")
    assert sum(r["busy_s"] for r in week) == sum(r["busy_s"] for r in found)
    assert sum(r["started"] for r in week) == len(log)
    days = rows(con, log, "workload", "day", "Europe/Berlin")
    assert sum(r["busy_s"] for r in days) == sum(r["busy_s"] for r in found)


def test_periods_follow_the_clock_of_a_zone(con: DuckDBPyConnection) -> None:
    log = [Done("1", "a", "r", 26 * 24, 28 * 24), Done("2", "a", "r", 26 * 24, 28 * 24)]
    days = rows(con, log, "workload", "day", "Europe/Berlin")
    assert [r["worked_s"] / 3600 for r in days] == [15, 23, 10]  # clocks change on 31 March 2024
    assert [r["most_at_once"] for r in days] == [2, 2, 2]
    assert days[1]["period"].hour == 23


def test_dots_are_whole_cases_and_the_same_every_time(con: DuckDBPyConnection) -> None:
    con.execute("DELETE FROM events; DELETE FROM case_attributes")
    fill(con, [])
    con.execute(
        "INSERT INTO events (upload_id, row, case_id, activity, resource, start_us, end_us) SELECT 1, i, i "
        "// 7, "
        "'a', 'r', i * 1000000, i * 1000000 FROM range(14000) t(i)"
    )
    found = mine(con, "log", "dotted")
    assert found.num_rows == 4998
    assert set(Counter(found["case_id"].to_pylist()).values()) == {7}
    assert found.equals(mine(con, "log", "dotted"))
    assert all(int(row["case_id"]) + 1 == row["place"] for row in found.to_pylist())


def test_every_question_answers_every_by_of_its_own(con: DuckDBPyConnection) -> None:
    log = [Done("c1", "a", "r1", 0, 2, "x"), Done("c1", "b", None, 1, None), Done("c2", "a", "r2", 2, 3)]
    fill(con, log)
    for what, question in QUESTIONS.items():
        for by in question.by or ("",):
            found = mine(con, "log", what, by=by)
            assert found.num_rows > 0, (what, by)
            assert found.equals(mine(con, "log", what, by=by))
    assert rows(con, log, "values", STRANGE) == [
        {"value": None, "cases": 2, "executions": 2},
        {"value": "x", "cases": 1, "executions": 1},
    ]


@pytest.mark.parametrize(
    ("what", "by", "zone", "sentence"),
    [
        ("magic", "", "UTC", "can't be mined; there are summary"),
        ("follows", "resource", "UTC", "choose end, start"),
        ("starts", "end", "UTC", "leave it out"),
        ("durations", "colour", "UTC", "no such case attribute; it has 'segment'"),
        ("values", "colour", "UTC", "no attribute"),
        ("arrivals", "", "Mars/Olympus", "no time zone"),
    ],
)
def test_a_question_that_makes_no_sense_gives_a_sentence(
    con: DuckDBPyConnection, what: str, by: str, zone: str, sentence: str
) -> None:
    fill(con, [Done("c1", "a", "r1", 0, 2)])
    with pytest.raises(UsageError, match=sentence):
        mine(con, "log", what, by=by, zone=zone)


def test_a_stray_date_is_refused_where_periods_are_short(con: DuckDBPyConnection) -> None:
    fill(con, [Done("c1", "a", "r1", 0, 2), Done("c2", "a", "r1", -(9000 * 200), 2)])
    with pytest.raises(UsageError, match="too many to count by the hour"):
        mine(con, "log", "throughput", by="hour")
    assert mine(con, "log", "throughput", by="month").num_rows > 2400
