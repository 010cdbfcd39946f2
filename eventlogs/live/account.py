"""What a log's live events are and became, in the form of an import's report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us, in_words
from eventlogs.report import ImportReport
from eventlogs.taking.lifecycle import STARTS

SOURCE = "live events"
_LAST = "max(greatest(start_us, coalesce(end_us, start_us)))"


@dataclass(frozen=True, slots=True)
class LiveEvents:
    """The live events of one log: events = making + others + superseded + covered + repeated."""

    events: int
    making: int
    """Became an execution or a part of one."""
    others: int
    """ETAs, attributes, pauses, and transitions that carry no time of work."""
    superseded: int
    """Corrected by a later event."""
    covered: int
    """Recorded before the log's import was taken and not after its last stamp: the import speaks for them."""
    repeated: int
    """Told what the log's import holds already."""
    quarantined: Mapping[str, int]
    """Reason -> events that could not be applied."""
    last_recorded: datetime | None

    @property
    def set_aside(self) -> int:
        """How many could not be applied; they are not among `events`."""
        return sum(self.quarantined.values())

    def sentences(self) -> tuple[str, ...]:
        """How they add up, and what was not counted and why."""
        if not self.events and not self.quarantined:
            return ()
        until = f" up to {in_words(self.last_recorded)}" if self.last_recorded else ""
        say = [
            f"{self.events} live events received{until}: {self.making} make task executions, "
            f"{self.others} tell ETAs, attributes, pauses or other transitions, {self.superseded} were "
            "corrected."
        ]
        if self.covered:
            say.append(
                f"{self.covered} live events of cases in the import, recorded before it was taken and not "
                "after its last stamp, are covered by it and not counted again."
            )
        if self.repeated:
            say.append(f"{self.repeated} live events repeat what the import holds; they were counted once.")
        say += [f"{n} live events set aside: {reason}." for reason, n in self.quarantined.items()]
        return tuple(say)


def live_events(con: DuckDBPyConnection, log: str) -> LiveEvents:
    """Count the live events of a log."""
    events, superseded, covered, repeated, last = con.execute(
        "SELECT count(*), count(superseded_us), "
        "count(*) FILTER (superseded_us IS NULL AND covered = 'import'), "
        "count(*) FILTER (superseded_us IS NULL AND covered = 'repeat'), max(recorded_us) "
        "FROM live_events WHERE log = ?",
        [log],
    ).fetchall()[0]
    making = con.execute(
        "SELECT count(*) FILTER (row > 0) + count(start_row) FROM events e "
        "JOIN uploads u ON u.id = e.upload_id WHERE u.log = ? AND u.kind = 'live'",
        [log],
    ).fetchall()[0][0]
    quarantined = con.execute(
        "SELECT reason, count(*) FROM live_quarantine WHERE log = ? GROUP BY reason ORDER BY reason", [log]
    ).fetchall()
    return LiveEvents(
        events=events,
        making=making,
        others=events - making - superseded - covered - repeated,
        superseded=superseded,
        covered=covered,
        repeated=repeated,
        quarantined=dict(quarantined),
        last_recorded=None if last is None else from_us(last),
    )


def with_live(con: DuckDBPyConnection, log: str, taken: ImportReport) -> ImportReport:
    """An import's report with what live events added after it: the log's extent, and the account of them."""
    first, last = con.execute(
        f"SELECT min(start_us), {_LAST} FROM log_executions WHERE log = ? AND live", [log]
    ).fetchall()[0]
    return dataclasses.replace(
        taken,
        first=taken.first if first is None else min(taken.first, from_us(first)),
        last=taken.last if last is None else max(taken.last, from_us(last)),
        notes=(*taken.notes, *live_events(con, log).sentences()),
    )


def live_only(con: DuckDBPyConnection, log: str) -> ImportReport:
    """The report of a log without an import."""
    cursor = con.execute(
        f"""
        SELECT count(*) AS events, count(DISTINCT case_id) AS cases, count(DISTINCT activity) AS activities,
            coalesce(min(start_us), (SELECT min(at_us) FROM live_events WHERE log = $log), 0) AS first,
            coalesce({_LAST}, (SELECT max(at_us) FROM live_events WHERE log = $log), 0) AS last,
            count(*) - count(end_us) AS running, count(*) - count(resource) AS missing_resources,
            count(*) - count(DISTINCT (case_id, activity, resource, start_us, end_us)) AS duplicates,
            count(*) FILTER (start_row IS NULL AND end_us IS NOT NULL) AS completed_without_start,
            NOT EXISTS (FROM live_events WHERE log = $log AND superseded_us IS NULL AND transition IN
                {STARTS}) AS single_timestamp
        FROM log_executions WHERE log = $log
        """,
        {"log": log},
    )
    found = dict(zip((column[0] for column in cursor.description or ()), cursor.fetchall()[0], strict=True))
    told = live_events(con, log)
    transitions = con.execute(
        "SELECT coalesce(transition, 'none'), count(*) FROM live_events WHERE log = ? "
        "AND activity IS NOT NULL AND (transition IS NOT NULL OR eta_us IS NULL) GROUP BY 1 ORDER BY 1",
        [log],
    ).fetchall()
    names = con.execute(
        "SELECT DISTINCT name FROM live_attributes WHERE log = ? ORDER BY name", [log]
    ).fetchall()
    aside = told.set_aside
    return ImportReport(
        log=log,
        source=SOURCE,
        content_hash="",
        mapping={},
        confidence={},
        time_formats={},
        tz="UTC",
        zoneless_stamps=0,
        rows_read=told.events + aside,
        rows_kept=told.making,
        rows_ignored=told.events - told.making,
        rows_quarantined=aside,
        quarantined=dict(told.quarantined),
        transitions=dict(transitions),
        case_attributes=tuple(name for (name,) in names),
        event_attributes=(),
        notes=told.sentences()[:1],
        **found | {end: from_us(found[end]).astimezone(UTC) for end in ("first", "last")},
    )
