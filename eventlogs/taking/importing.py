"""From staged text to task executions: parse, judge every row, pair, keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us
from eventlogs.readers.staging import Staged
from eventlogs.report import ImportReport, number
from eventlogs.taking.attributes import Attributes, keep_case_attributes, sort_attributes
from eventlogs.taking.columns import ColumnMapping
from eventlogs.taking.exchanged import refuse_exchanged
from eventlogs.taking.lifecycle import KNOWN, STARTS, pair
from eventlogs.taking.parsing import TakeOptions, judge, moved, parse, time_formats, uses_lifecycle
from eventlogs.taking.timestamps import TimeFormat, clock_changes, find_zone_of
from metagraph.errors import DataError

_ONE_EACH = (
    "(SELECT *, NULL::BIGINT AS start_row, 0::BIGINT AS paused_us, NULL::BIGINT[] AS pauses FROM parsed "
    "WHERE reason IS NULL)"
)
MANY = 3
"""So many local times that the zone's clocks skipped speak against the zone."""


@dataclass(frozen=True, slots=True)
class Accounted:
    """What the rows of a file make."""

    report: ImportReport
    executions: str
    """SQL: the relation of them, with the columns that `lifecycle.pair` makes."""
    attributes: Attributes


def take(
    con: DuckDBPyConnection, staged: Staged, log: str, upload: int, options: TakeOptions
) -> ImportReport:
    """Fill the tables of `upload` from the staging table, inside the caller's transaction.

    Raises DataError for the first row that can't be used, unless bad rows go to quarantine.
    """
    formats = time_formats(con, staged, options)
    changes = clocks(con, staged, options, formats)
    lifecycle = uses_lifecycle(con, staged, options.mapping)
    parse(con, staged, options, formats, lifecycle)
    refuse_exchanged(con, staged, options.mapping)
    quarantined = judge(con, staged, upload, options, formats)
    con.execute("DROP TABLE staging")
    found = account(con, staged, log, options, formats, changes, lifecycle, quarantined)
    _keep(con, staged, upload, found.executions, found.attributes)
    unread = keep_case_attributes(con, staged, upload, found.attributes, options)
    return replace(found.report, notes=(*found.report.notes, *unread))


def account(
    con: DuckDBPyConnection,
    staged: Staged,
    log: str,
    options: TakeOptions,
    formats: Mapping[str, TimeFormat],
    changes: tuple[int, int, list[str]],
    lifecycle: bool,
    quarantined: Mapping[str, int],
) -> Accounted:
    """Pair the rows of `parsed` and tell what they make; nothing is kept. `changes` is as from `clocks`.

    Raises DataError where no row is good.
    """
    mapping = options.mapping
    missing, double, skipped_or_double = changes
    clock_notes = (*skipped_or_double, *moved(con))
    paired = pair(con) if lifecycle else None
    executions = "executions" if paired else _ONE_EACH
    counts = _count(con, executions)
    if not counts["events"]:
        raise DataError(f"{staged.source}: no row of the file can be used as a task execution")
    attributes = sort_attributes(con, staged, options)
    transitions = _transitions(con) if lifecycle else {}
    ignored = dict(paired.ignored) if paired else {}
    kept = counts["events"] + counts["started_rows"] + (paired.marks if paired else 0)
    if kept + sum(ignored.values()) + sum(quarantined.values()) != staged.rows:
        raise RuntimeError(f"{staged.source}: {staged.rows} rows were read, but not all are accounted for")
    read_by = {name: formats[staged.column(name)] for name in mapping.times()}
    report = ImportReport(
        log=log,
        source=staged.source,
        content_hash=staged.content_hash,
        mapping=mapping.by_role(),
        confidence=dict(options.confidence),
        time_formats={name: kind.readings() for name, kind in read_by.items()},
        tz=options.tz or "UTC",
        tz_assumed=options.tz is None,
        zoneless_stamps=sum(kind.zoneless for kind in read_by.values()),
        zoned_stamps=sum(kind.zoned for kind in read_by.values()),
        missing_stamps=missing,
        double_stamps=double,
        rows_read=staged.rows,
        rows_quarantined=sum(quarantined.values()),
        quarantined=quarantined,
        activities=counts["activities"],
        cases=counts["cases"],
        events=counts["events"],
        rows_kept=kept,
        rows_ignored=sum(ignored.values()),
        ignored=ignored,
        first=from_us(counts["first_us"]),
        last=from_us(counts["last_us"]),
        single_timestamp=_is_single(mapping, lifecycle, transitions),
        transitions=transitions,
        completed_without_start=counts["instant"] if lifecycle else counts["unstarted"],
        running=counts["running"],
        missing_resources=counts["unassigned"],
        duplicates=_duplicates(con, executions, counts["events"]),
        aborted=paired.aborted if paired else 0,
        paused=paired.paused if paired else 0,
        left_suspended=paired.left_suspended if paired else 0,
        case_attributes=attributes.of_case,
        event_attributes=attributes.of_event,
        notes=(*staged.notes, *clock_notes, *attributes.notes(), *_unknown(transitions)),
    )
    return Accounted(report, executions, attributes)


def clear(con: DuckDBPyConnection) -> None:
    """Give back the memory of the working tables."""
    for table in (
        "staging",
        "broken",
        "parsed",
        "executions",
        "waiting",
        "pairs",
        "worked",
        "pause_marks",
        "paused",
    ):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def clocks(
    con: DuckDBPyConnection, staged: Staged, options: TakeOptions, formats: Mapping[str, TimeFormat]
) -> tuple[int, int, list[str]]:
    """Local times that the zone's clocks skipped, those that they showed twice, and what to say of them."""
    zone = find_zone_of(con, "staging", formats, options.tz or "UTC")
    missing = double = 0
    notes: list[str] = []
    if zone is None:
        return missing, double, notes
    for name in options.mapping.times():
        column = staged.column(name)
        found = clock_changes(con, "staging", column, formats[column], zone)
        if found.missing:
            missing += found.missing
            against = "; so many speak against this zone" if found.missing >= MANY else ""
            notes.append(
                f"{number(found.missing, 'stamp')} in {name!r} can't exist in {zone.name}, whose clocks went "
                f"forward over it (such as {found.missing_example!r}); read as if they had not yet{against}."
            )
        if found.double:
            double += found.double
            notes.append(
                f"{number(found.double, 'stamp')} in {name!r} came twice in {zone.name}, whose clocks went "
                f"back (such as {found.double_example!r}); the earlier instant was taken."
            )
    return missing, double, notes


def _keep(
    con: DuckDBPyConnection, staged: Staged, upload: int, executions: str, attributes: Attributes
) -> None:
    json = staged.json(attributes.of_event) if attributes.of_event else "NULL"
    con.execute(
        "INSERT INTO events (upload_id, row, case_id, activity, resource, start_us, end_us, attributes, "
        "start_row, paused_us, pauses) SELECT ?, row, case_id, activity, resource, start_us, end_us, "
        f"{json}, start_row, paused_us, pauses FROM {executions}",
        [upload],
    )


def _count(con: DuckDBPyConnection, executions: str) -> dict[str, int]:
    cursor = con.execute(
        f"""
        SELECT count(*) AS events, count(DISTINCT case_id) AS cases, count(DISTINCT activity) AS activities,
            min(start_us) AS first_us, max(greatest(start_us, coalesce(end_us, start_us))) AS last_us,
            count(*) - count(end_us) AS running, count(*) - count(resource) AS unassigned,
            count(start_row) AS started_rows,
            count(*) FILTER (start_row IS NULL AND end_us IS NOT NULL) AS instant,
            count(*) FILTER (unstarted) AS unstarted
        FROM {executions}
        """
    )
    names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _duplicates(con: DuckDBPyConnection, executions: str, events: int) -> int:
    """Executions equal to an earlier one. Hashes may only prove that there is none."""
    columns = "case_id, activity, resource, start_us, end_us"
    if con.execute(f"SELECT count(DISTINCT hash({columns})) FROM {executions}").fetchall()[0][0] == events:
        return 0
    return events - int(
        con.execute(f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {executions})").fetchall()[0][0]
    )


def _transitions(con: DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute(
            "SELECT coalesce(transition, 'none'), count(*) FROM parsed WHERE reason IS NULL GROUP BY 1 "
            "ORDER BY 1"
        ).fetchall()
    )


def _is_single(mapping: ColumnMapping, lifecycle: bool, transitions: Mapping[str, int]) -> bool:
    return not transitions.keys() & set(STARTS) if lifecycle else not (mapping.start and mapping.end)


def _unknown(transitions: Mapping[str, int]) -> Sequence[str]:
    strange = [f"{name!r} {n}" for name, n in transitions.items() if name not in (*KNOWN, "none")]
    if not strange:
        return ()
    return (f"Transitions that no lifecycle standard knows were ignored: {', '.join(strange)}.",)
