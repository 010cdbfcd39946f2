"""The logs that benchmarks/historian.py measures on: made once, by a fixed rule, in its working folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

MILLION = 1_000_000
CASE_LENGTH = 8
HEADER = ("case_id", "activity", "resource", "start_time", "end_time", "class")

_EVENTS = """
    SELECT i // {length} AS case_no, i AS row_no, i % {length} AS step, hash(i) % 5 AS detour,
        hash(i + 7) % 60 AS who, hash(i // {length}) % 4 AS kind,
        make_timestamp((1704103200000000 + (i // {length}) * {gap_us} + (i % {length}) * 7200000000
            + (hash(i + 3) % 3600) * 1000000)::BIGINT) AS began, (hash(i + 11) % 3000)::BIGINT AS seconds
    FROM range({events}) t(i)
"""
_TEXTS = """
    SELECT 'case ' || case_no AS case_id, 'Activity ' || (step + CASE WHEN detour = 0 THEN 20 ELSE 0 END)
            AS activity, 'Resource ' || who AS resource, strftime(began, '%Y-%m-%dT%H:%M:%SZ') AS start_time,
        strftime(began + to_seconds(seconds), '%Y-%m-%dT%H:%M:%SZ') AS end_time, 'class ' || kind AS class
    FROM ({events}) ORDER BY row_no
"""


def texts(events: int, gap_us: int = 60_000_000) -> str:
    """SQL for a log of `events` executions, eight a case, 20 activities, 60 people, a case every minute."""
    return _TEXTS.format(events=_EVENTS.format(length=CASE_LENGTH, events=events, gap_us=gap_us))


def csv_log(folder: Path, events: int) -> Path:
    """A CSV of 6 columns."""
    import duckdb

    path = folder / f"{events}.csv"
    if not path.exists():
        duckdb.sql(f"COPY ({texts(events)}) TO '{path}.part' (HEADER, DELIMITER ',')")
        Path(f"{path}.part").rename(path)
    return path


def xes_log(folder: Path, events: int) -> Path:
    """The same log as XES, one completion an execution, five attributes an event."""
    import duckdb

    path = folder / f"{events}.xes"
    if path.exists():
        return path
    rows = duckdb.execute(texts(events)).fetchall()
    with Path(f"{path}.part").open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8" ?>\n<log xes.version="1.0">\n')
        for first in range(0, len(rows), CASE_LENGTH):
            _write_trace(out, rows[first : first + CASE_LENGTH])
        out.write("</log>\n")
    Path(f"{path}.part").rename(path)
    return path


def database(folder: Path, events: int) -> Path:
    """A database that holds the CSV as log `big`."""
    from eventlogs.historian import Historian

    path = folder / f"{events}.duckdb"
    if not path.exists():
        part = Path(f"{path}.part")
        part.unlink(missing_ok=True)
        with Historian(part) as historian:
            historian.import_log(csv_log(folder, events), "big")
        part.rename(path)
    return path


def parquet_log(folder: Path, events: int) -> Path:
    """The same log with times as times, as pandas and pm4py like it best."""
    import duckdb

    path = folder / f"{events}.parquet"
    if not path.exists():
        duckdb.sql(
            f'COPY (SELECT case_id AS "case:concept:name", activity AS "concept:name", resource AS '
            f'"org:resource", start_time::TIMESTAMPTZ AS start_timestamp, end_time::TIMESTAMPTZ AS '
            f"\"time:timestamp\" FROM ({texts(events)})) TO '{path}.part' (FORMAT parquet)"
        )
        Path(f"{path}.part").rename(path)
    return path


def _write_trace(out: Any, rows: list[tuple[str, ...]]) -> None:
    out.write(f'\t<trace>\n\t\t<string key="concept:name" value={quoteattr(rows[0][0])}/>\n')
    for _, activity, resource, start, end, kind in rows:
        out.write(
            f'\t\t<event>\n\t\t\t<string key="concept:name" value={quoteattr(activity)}/>\n'
            f'\t\t\t<string key="org:resource" value={quoteattr(resource)}/>\n'
            f'\t\t\t<date key="start_timestamp" value="{start}"/>\n'
            f'\t\t\t<date key="time:timestamp" value="{end}"/>\n'
            f'\t\t\t<string key="class" value={quoteattr(kind)}/>\n\t\t</event>\n'
        )
    out.write("\t</trace>\n")


if __name__ == "__main__":
    sys.exit("run benchmarks/historian.py")
