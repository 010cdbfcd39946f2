"""What was known of a log at an instant, read from the events by SQL and frozen as columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from eventlogs import closing as closings
from eventlogs import uploads
from eventlogs.closing import ClosingRule
from eventlogs.instants import from_us, in_words, monday, to_us, zoned
from eventlogs.live.recorded import NOW, Record, last_instant, record
from eventlogs.snapshot import NO_RESOURCE, Pauses, Snapshot, sealed
from metagraph.errors import DataError


def known_at(
    con: DuckDBPyConnection,
    name: str,
    until: datetime | None = None,
    open_cases: Collection[str] | None = None,
    closing: ClosingRule | None = None,
    recorded_by: datetime | None = None,
) -> Snapshot:
    """What was known of a log at `until` (default: its last event) as recorded, and its open cases.

    Raises DataError for an unknown log, an instant before it, or an open case it doesn't hold.
    """
    _, report = uploads.current(con, name)
    known = record(con, name, recorded_by)
    last = report.last if recorded_by is None else last_instant(con, name, known) or report.last
    single = report.single_timestamp if known.single_timestamp is None else known.single_timestamp
    snapshot = freeze(con, name, zoned(until) if until else last, single_timestamp=single, record=known)
    return decide_open(snapshot, open_cases, closing)


def freeze(
    con: DuckDBPyConnection,
    name: str,
    until: datetime,
    *,
    single_timestamp: bool,
    record: Record = NOW,
) -> Snapshot:
    """The executions known at `until`, every case closed; an execution that ends later is running.

    `record` says which events are taken into account. Raises DataError when nothing had begun by then.
    """
    until_us = to_us(until)
    table = con.sql(
        f"""
        SELECT case_id, activity, resource, start_us,
            CASE WHEN end_us <= $until THEN end_us END AS known_end_us,
            list_filter(pauses, lambda p: p <= $until) AS pauses
        FROM {record.executions} WHERE log = $log AND start_us <= $until
        ORDER BY min(start_us) OVER (PARTITION BY case_id), case_id, known_end_us NULLS LAST, start_us,
            sequence, row
        """,
        params={"log": name, "until": until_us},
    ).to_arrow_table()
    if not table.num_rows:
        raise DataError(
            f"log {name!r} has no event at or before {in_words(until)}; ask for an instant inside the log"
        )
    starts_us = table["start_us"].to_numpy()
    origin = monday(from_us(int(starts_us.min())))
    cases, case = _codes(table["case_id"])
    activities, activity = _codes(table["activity"], ordered=True)
    resources, resource = _codes(table["resource"], ordered=True)
    offsets = np.searchsorted(case, np.arange(len(cases) + 1)).astype(np.int64)
    end_s = (table["known_end_us"].to_numpy() - to_us(origin)) / 1e6
    until_s = (until_us - to_us(origin)) / 1e6
    snapshot = Snapshot(
        name=name,
        origin=origin,
        until_s=until_s,
        cases=cases,
        activities=activities,
        resources=resources,
        offsets=offsets,
        activity=activity,
        resource=resource,
        start_s=(starts_us - to_us(origin)) / 1e6,
        end_s=end_s,
        is_open=np.zeros(len(cases), dtype=np.bool_),
        attributes=_case_attributes(con, name, cases, until_us, record.attributes),
        single_timestamp=single_timestamp,
        content_hash="",
        pauses=_pauses(table["pauses"], to_us(origin), np.where(np.isnan(end_s), until_s, end_s)),
    )
    return sealed(snapshot)


def with_open(snapshot: Snapshot, is_open: NDArray[np.bool_]) -> Snapshot:
    """The snapshot with these cases open."""
    return sealed(replace(snapshot, is_open=is_open))


def decide_open(
    snapshot: Snapshot, open_cases: Collection[str] | None, closing: ClosingRule | None
) -> Snapshot:
    """The snapshot with exactly `open_cases` open; without them `closing` decides, or a rule fitted to it.

    Raises DataError for an open case that it doesn't hold.
    """
    if open_cases is None:
        return with_open(snapshot, closings.apply(closing or closings.fit(snapshot), snapshot)[0])
    wanted = frozenset(open_cases)
    if unknown := sorted(wanted.difference(snapshot.cases)):
        raise DataError(
            f"open case {unknown[0]!r} is not in log {snapshot.name!r} as known then ({len(unknown)} such "
            "ids); list only cases that had begun"
        )
    return with_open(snapshot, np.array([case in wanted for case in snapshot.cases], dtype=np.bool_))


def _pauses(column: Any, origin_us: int, end_s: NDArray[np.float64]) -> Pauses:
    """Pauses from lists of instants of suspending and resuming in turn; the last may not have ended."""
    lists = column.combine_chunks()
    counts = lists.value_lengths().fill_null(0).to_numpy().astype(np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    marks_s = (lists.flatten().to_numpy() - origin_us) / 1e6
    nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    begins = nth % 2 == 0
    closed = nth + 1 < counts[row]
    after_s = np.append(marks_s[1:], 0.0)
    ends_s = np.minimum(np.where(closed, after_s, end_s[row]), end_s[row])
    return Pauses(row[begins], marks_s[begins], ends_s[begins])


def _codes(column: Any, *, ordered: bool = False) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Distinct texts of an Arrow column, sorted or in order of appearance, and each row's index into them."""
    encoded = column.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(NO_RESOURCE).to_numpy().astype(np.int32)
    if not ordered:
        return tuple(names), codes
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.full(len(names) + 1, NO_RESOURCE, dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[i] for i in order), rank[codes]


def _case_attributes(
    con: DuckDBPyConnection, name: str, cases: tuple[str, ...], until_us: int, live: str
) -> dict[str, tuple[str | None, ...]]:
    """An import's hold for the whole case, live ones from their instant on; they are sorted by name."""
    rows = con.execute(
        f"""
        WITH told AS (
            SELECT a.name, a.case_id, a.value, NULL AS since
            FROM case_attributes a JOIN uploads u ON u.id = a.upload_id
            WHERE u.log = $log AND NOT u.superseded
            UNION ALL
            SELECT name, case_id, value, {{us: since_us, sequence: sequence, arrival: arrival}}
            FROM {live} WHERE log = $log AND since_us <= $until
        )
        FROM told QUALIFY row_number() OVER (PARTITION BY name, case_id ORDER BY since DESC NULLS LAST) = 1
        """,
        {"log": name, "until": until_us},
    ).fetchall()
    index = {case: i for i, case in enumerate(cases)}
    values: dict[str, list[str | None]] = {name: [None] * len(cases) for name in {row[0] for row in rows}}
    for attribute, case, value, _ in rows:
        if case in index:
            values[attribute][index[case]] = value
    return {name: tuple(values[name]) for name in sorted(values)}
