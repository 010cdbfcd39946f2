"""How good a log is as evidence: what is doubtful in it, how much, where, and what a twin makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from eventlogs import uploads
from eventlogs.instants import from_us, to_us
from eventlogs.keeping.reading import one_moment
from eventlogs.live.account import LiveEvents, live_events
from eventlogs.quality import edges, rows, stamps
from eventlogs.quality.found import Example, Found, Known, one_row
from eventlogs.quality.words import TITLES, consequence
from eventlogs.report import ImportReport


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of doubt: how often it was found, where, and what follows."""

    key: str
    title: str
    count: int
    unit: str
    """What is counted: executions, cases, rows, stamps, activities, jumps."""
    of: int
    """Of how many of them."""
    share: float
    examples: tuple[Example, ...]
    """At most five."""
    consequence: str
    """What the twin does about it."""


@dataclass(frozen=True, slots=True)
class RowAccount:
    """Where every row of the file went."""

    read: int
    kept: int
    ignored: int
    quarantined: int
    """Counted anew in the quarantine."""
    balanced: bool
    """Whether read = kept + ignored + quarantined, the executions in the log being those of the report."""

    def equation(self) -> str:
        """The account as it adds up."""
        sign = "=" if self.balanced else "≠"
        return (
            f"{self.read:,} rows read {sign} {self.kept:,} kept + {self.ignored:,} ignored + "
            f"{self.quarantined:,} quarantined"
        )


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What is doubtful in a log as known at an instant."""

    log: str
    until: datetime
    cases: int
    executions: int
    running: int
    """Executions without an end by then."""
    rows: RowAccount
    live: LiveEvents
    """Its live events, however late they happened."""
    findings: tuple[Finding, ...]
    """Every check that was made, those that found nothing with a count of 0."""

    def doubts(self) -> tuple[Finding, ...]:
        """The checks that found something."""
        return tuple(finding for finding in self.findings if finding.count)

    def finding(self, key: str) -> Finding:
        """The finding of this key."""
        return next(finding for finding in self.findings if finding.key == key)


def quality(con: DuckDBPyConnection, name: str, until: datetime | None = None) -> QualityReport:
    """Count what is doubtful among the executions of a log that had begun by `until` (default: all).

    Running executions are taken to last until that instant. Works in SQL, in the database's own memory.
    Raises DataError for an unknown log or an instant before it.
    """
    with one_moment(con):
        upload, report = uploads.current(con, name)
        known = rows.prepare(con, name, None if until is None else to_us(until))
        live = live_events(con, name)
        found = _found(con, upload, report, known, live)
        quarantined = found["end_before_start"].count + found["unusable"].count
        if _of_a_file(report):
            quarantined -= live.set_aside
        account = _account(con, upload, report, quarantined)
    return QualityReport(
        log=name,
        until=from_us(known.until_us),
        cases=known.cases,
        executions=known.executions,
        running=known.running,
        rows=account,
        live=live,
        findings=tuple(_finding(key, found[key], report.single_timestamp) for key in TITLES),
    )


def _of_a_file(report: ImportReport) -> bool:
    return bool(report.mapping)


def _found(
    con: DuckDBPyConnection, upload: int, report: ImportReport, known: Known, live: LiveEvents
) -> dict[str, Found]:
    (imported_us,) = one_row(con, "SELECT epoch_us(imported_at) FROM uploads WHERE id = ?", [upload])
    stamped = stamps.prepare(con, report.tz)
    told = report.rows_read + (live.events + live.set_aside if _of_a_file(report) else 0)
    return {
        **rows.set_aside(con, upload, known.log, report.mapping, told),
        **rows.executions(con, known, imported_us),
        **stamps.rounded(con, stamped),
        "zone_jumps": stamps.zone_jumps(stamped),
        "batches": rows.batches(con, known, stamped.resolution_s),
        "long_cases": rows.long_cases(con, known),
        "begun_before": edges.begun_before(con, known),
        "unfinished": edges.unfinished(con, known),
    }


def _finding(key: str, found: Found, single_timestamp: bool) -> Finding:
    title, unit = TITLES[key]
    share = found.count / found.of if found.of else 0.0
    follows = consequence(key, found, single_timestamp)
    return Finding(key, title, found.count, unit, found.of, share, found.examples, follows)


def _account(con: DuckDBPyConnection, upload: int, report: ImportReport, quarantined: int) -> RowAccount:
    (kept,) = one_row(con, "SELECT count(*) FROM events WHERE upload_id = ?", [upload])
    whole = report.rows_read == report.rows_kept + report.rows_ignored + quarantined
    return RowAccount(
        report.rows_read,
        report.rows_kept,
        report.rows_ignored,
        quarantined,
        whole and kept == report.events,
    )
