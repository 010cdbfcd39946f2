"""The historian: one DuckDB file that holds logs and twins, and answers for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from eventlogs import uploads
from eventlogs.closing import ClosingRule
from eventlogs.freezing import known_at
from eventlogs.keeping import forgetting, mending, retention, snapshots, undoing
from eventlogs.keeping.forgetting import Forgotten
from eventlogs.keeping.reading import one_moment
from eventlogs.keeping.retention import Archive
from eventlogs.keeping.snapshots import KeptSnapshot
from eventlogs.keeping.undoing import Dropped, ImportInfo, Undone
from eventlogs.keeping.versions import Versions
from eventlogs.keeping.work import Work
from eventlogs.live import set_aside
from eventlogs.live.announcements import Kept, kept_announcements
from eventlogs.live.drain import BATCH, Drained, drain_beside, waiting_beside
from eventlogs.live.state import LogState, keep_at_hand, state_at
from eventlogs.log_names import log_name
from eventlogs.mining.catalogue import mine
from eventlogs.mining.filters import LogFilter
from eventlogs.mining.variants import variants
from eventlogs.quality.quality import QualityReport, quality
from eventlogs.readers.read import read
from eventlogs.report import ImportReport
from eventlogs.snapshot import Snapshot
from eventlogs.taking.columns import settle_mapping
from eventlogs.taking.parsing import BadRows, TakeOptions
from eventlogs.uploads import LogInfo, Progress

ERASE_WAIT_S = 10.0
"""How long others may still be at the file before its bytes are erased."""


class Historian(Versions, Work):
    """What the file holds and answers.

    Instants given to it must carry a time zone; those it returns are UTC.
    """

    def import_log(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        mapping: Mapping[str, str] | None = None,
        time_format: str | None = None,
        tz: str | None = None,
        progress: Progress | None = None,
        on_bad_rows: BadRows = "refuse",
        as_before: bool = False,
        decimal: str | None = None,
        object_type: str | None = None,
    ) -> ImportReport:
        """Take a log file in, all or nothing, as log `name` (default: the file's name without its endings).

        `mapping` is as from `columns.parse_map`, `time_format` a key of `timestamps.ORDERS` or a strptime
        pattern, `tz` the zone of stamps without one (None: UTC, reported as assumed), `decimal` the sign in
        amounts, `object_type` whose objects are the cases of an object-centric log. The same content with the
        same options is taken only once; other content under a known name supersedes it. `as_before` prefers
        the options with which the same content was taken last, as this log or else under any name, which the
        report then says. Raises DataError naming file, row and column, UsageError for bad options.
        """
        say = progress or (lambda what, share: None)
        file = Path(path)
        log = name or log_name(file)
        say("reading", 0.0)
        # Before its turn: other writers needn't wait while a file is read.
        if as_before and object_type is None:
            object_type = uploads.object_type_before(self._con, file, log)
        staged = read(self._con, file, object_type)
        with self._transaction():
            known = uploads.before(self._con, staged.content_hash, log) if as_before else None
            if known and known.options.object_type == staged.object_type:
                options = known.options
            else:
                known = None
                settled, confidence = settle_mapping(staged.source, staged.columns, mapping)
                options = TakeOptions(
                    *(settled, confidence, time_format, tz, on_bad_rows, decimal, staged.object_type)
                )
            report = uploads.take_in(self._con, staged, log, options, say)
        if known and known.log != log:
            report = replace(report, notes=(known.sentence(), *report.notes))
        say("done", 1.0)
        return report

    def logs(self) -> tuple[LogInfo, ...]:
        """The logs by name, each with the report of its current import."""
        with one_moment(self._con):
            return uploads.listed(self._con)

    def report(self, name: str) -> ImportReport:
        """The report of a log's current import. Raises DataError when there is no such log."""
        with one_moment(self._con):
            return uploads.current(self._con, name)[1]

    def quarantined(self, name: str) -> list[tuple[int, str, str]]:
        """Row, reason and JSON of every row set aside when the log was taken."""
        with one_moment(self._con):
            return mending.quarantined(self._con, name)

    def export_quarantine(self, name: str, path: Path) -> int:
        """Write the rows set aside to a CSV file with `row`, `reason` and their own columns; how many.

        Raises DataError when there are none.
        """
        with one_moment(self._con):
            return mending.export(self._con, name, path)

    def export_set_aside_events(self, name: str, path: Path) -> int:
        """Write the live events for a log that could not be applied to a CSV file; how many, 0 without one.

        Columns: `received`, `reason`, `event` as JSON.
        """
        with one_moment(self._con):
            return set_aside.export(self._con, name, path)

    def mend(
        self, name: str, fixed: Path, original: Path | None = None, progress: Progress | None = None
    ) -> ImportReport:
        """Take a log's file again with rows mended in an exported CSV; a new import that supersedes the old.

        The file is read from where it was, or from `original`. Raises DataError for what doesn't fit.
        """
        with self._transaction():
            return mending.mend(self._con, name, fixed, original, progress or (lambda what, share: None))

    def quality(self, name: str, until: datetime | None = None) -> QualityReport:
        """What is doubtful in a log as known at `until` (default: its last event), counted and judged.

        Raises DataError for an unknown log or an instant before it.
        """
        return quality(self._con, name, until)

    def imports(self, name: str) -> tuple[ImportInfo, ...]:
        """The history of a log's imports, latest first. Raises DataError when there never was one."""
        with one_moment(self._con):
            return undoing.imports(self._con, name)

    def undo_import(self, name: str) -> Undone:
        """Take back a log's current import: the one before is current again, or the log is gone.

        The same file can be taken again at once. Raises DataError when there is no such log.
        """
        with self._transaction():
            return undoing.undo(self._con, name)

    def restore_import(self, name: str, number: int) -> ImportInfo:
        """Make an import of a log's history current again. Raises DataError when it has no such number."""
        with self._transaction():
            return undoing.restore(self._con, name, number)

    def drop_superseded(self, name: str) -> Dropped:
        """Remove all imports of a log but the current one for good. Raises DataError when there is none."""
        with self._transaction():
            return undoing.drop_superseded(self._con, name)

    def mine(
        self, log: str, what: str, filters: tuple[LogFilter, ...] = (), by: str = "", zone: str = "UTC"
    ) -> pa.Table:
        """The answer to question `what` of `mining.catalogue` about a log, after each filter in turn.

        `by` chooses how it is told, `zone` whose clock its periods follow. Raises DataError for an unknown
        log, UsageError for an unknown question, way of telling, zone or name in a filter.
        """
        with one_moment(self._con):
            return mine(self._con, log, what, filters, by, zone)

    def variants(
        self,
        name: str,
        until: datetime | None = None,
        open_cases: Collection[str] | None = None,
        closing: ClosingRule | None = None,
    ) -> list[tuple[tuple[str, ...], int]]:
        """Activity sequences (by end, start, row) of the closed cases, with their numbers of cases."""
        return variants(self.snapshot(name, until, open_cases, closing))

    def snapshot(
        self,
        name: str,
        until: datetime | None = None,
        open_cases: Collection[str] | None = None,
        closing: ClosingRule | None = None,
        recorded_by: datetime | None = None,
    ) -> Snapshot:
        """What was known of a log at `until` (default: its last event).

        Executions that started later are absent, those that ended later are running. `open_cases` names
        exactly the open cases; without it `closing` decides, or a rule fitted to the snapshot itself. Live
        events received after `recorded_by`, and corrections by them, are left out. Raises DataError for an
        unknown log, an instant before it, or an open case it doesn't hold.
        """
        with one_moment(self._con):
            return known_at(self._con, name, until, open_cases, closing, recorded_by)

    def state_at(
        self,
        name: str,
        at: datetime | None = None,
        closing: ClosingRule | None = None,
        recorded_by: datetime | None = None,
    ) -> LogState:
        """The open orders of a log at `at` (default: its last event): done, in progress, waiting, expected.

        `closing` tells which are open, or a rule fitted to the log as known then; `recorded_by` is as in
        `snapshot`. Raises DataError for an unknown log, or an instant before it.
        """
        uploads.require(self._con, name)
        meant = uploads.meant_by(self._con, name)
        state, wanted = state_at(self._con, name, at, closing, recorded_by)
        if wanted:
            with self._transaction():
                if uploads.meant_by(self._con, name) == meant:
                    keep_at_hand(self._con, state, fitted=closing is None)
        return state

    def announcements(
        self, name: str, until: datetime | None = None, recorded_by: datetime | None = None
    ) -> tuple[Kept, ...]:
        """Ends that live events announced by `until`, beside those that came by then; as in `snapshot`.

        Raises DataError for an unknown log.
        """
        uploads.require(self._con, name)
        with one_moment(self._con):
            return kept_announcements(self._con, name, until, recorded_by)

    def drain(self, limit: int = BATCH) -> Drained:
        """Apply the next live events of the inbox beside the file, at most `limit`, in one transaction."""
        return drain_beside(self._con, self.path, self._transaction, limit)

    def waiting(self) -> int:
        """How many acknowledged live events are still in the inbox beside the file, not counted anywhere."""
        return waiting_beside(self._con, self.path)

    def keep_snapshot(self, snapshot: Snapshot, report: ImportReport, open_rule: str = "") -> KeptSnapshot:
        """Keep what a twin was built from beside the file, so that the same twin can be built again.

        `report` and `open_rule` say in words where it is from and how its open cases were told.
        """
        with self._transaction():
            return snapshots.keep(self._con, self.path, snapshot, report, open_rule)

    def kept_snapshots(self) -> tuple[KeptSnapshot, ...]:
        """Every snapshot ever kept, oldest first."""
        return snapshots.listed(self._con)

    def kept_snapshot(self, reference: str) -> KeptSnapshot:
        """The kept snapshot whose hash begins so. Raises DataError when none or several do."""
        return snapshots.find(self._con, reference)

    def frozen(self, reference: str) -> Snapshot:
        """A kept snapshot, proven against its hash. Raises DataError when it is unknown or damaged."""
        return snapshots.frozen(self._con, self.path, reference)

    def retain(self, name: str, older_than_days: float) -> Archive:
        """Move a log's closed cases without an event in its last so many days out to Parquet beside the file.

        Days count from its last instant that isn't in the future. Raises DataError for an unknown log,
        UsageError for an age that isn't positive.
        """
        with self._transaction():
            return retention.retain(self._con, self.path, name, older_than_days)

    def archives(self, name: str) -> tuple[Archive, ...]:
        """Where closed cases of a log went, oldest first."""
        return retention.listed(self._con, self.path, name)

    def forget_case(self, case_id: str) -> Forgotten:
        """Delete a case from every log, snapshot and archive, and its bytes from the file.

        Raises DataError when there is no such case.
        """
        return self._forget(forgetting.forget_case, case_id)

    def forget_person(self, resource: str) -> Forgotten:
        """Let a resource be called `deleted person N` in every log, snapshot, archive and twin.

        Raises DataError when there is nobody of that name.
        """
        return self._forget(forgetting.forget_person, resource)

    def _forget(self, forget: Callable[[DuckDBPyConnection, str, str], Forgotten], what: str) -> Forgotten:
        while self.drain().read:
            pass
        with self._transaction():
            done = forget(self._con, self.path, what)
        return replace(done, erased=self._erase(wait_s=ERASE_WAIT_S))
