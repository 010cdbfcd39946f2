"""The historian: one DuckDB file that holds logs and twins, and answers for them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import duckdb
import numpy as np

from eventlogs import closing as closings
from eventlogs import models
from eventlogs.closing import ClosingRule
from eventlogs.columns import settle_mapping
from eventlogs.database import MEMORY, connect
from eventlogs.freezing import freeze, with_open
from eventlogs.importing import clear, take
from eventlogs.models import ModelInfo
from eventlogs.parsing import BadRows, TakeOptions
from eventlogs.reading import read
from eventlogs.report import ImportReport
from eventlogs.snapshot import Snapshot
from eventlogs.variants import variants
from metagraph.errors import DataError, UsageError

PARSER_VERSION = 1
WAIT_S = 60.0
DAMAGED = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
"""What the database says of a file or a disk that it can't use."""
_SUFFIXES = (".csv", ".tsv", ".txt", ".xes", ".parquet")

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done so far, 0 to 1."""


@dataclass(frozen=True, slots=True)
class LogInfo:
    """One log the database holds."""

    name: str
    imported_at: datetime
    report: ImportReport


class Historian:
    """Owner of one DuckDB file (or of `:memory:`), to be used as a context manager.

    Instants given to it must carry a time zone; those it returns are UTC.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        read_only: bool = False,
        *,
        on_wait: Callable[[str], None] | None = None,
        wait_s: float = WAIT_S,
    ) -> None:
        self.path = os.fspath(path)
        self._is_new = self.path != MEMORY and not Path(self.path).exists()
        self._con = connect(self.path, read_only=read_only, wait_s=wait_s, on_wait=on_wait)

    def __enter__(self) -> Historian:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._is_new and not self.logs() and not self.list_models():
            # A first import that failed leaves no empty database behind; unlinked while the lock is held.
            Path(self.path).unlink(missing_ok=True)
        self.close()
        if isinstance(error, DAMAGED):
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{self.path} is damaged or can't be written ({reason}); give another --db"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()

    def import_log(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        mapping: Mapping[str, str] | None = None,
        time_format: str | None = None,
        tz: str = "UTC",
        progress: Progress | None = None,
        on_bad_rows: BadRows = "refuse",
        as_before: bool = False,
    ) -> ImportReport:
        """Take a log file in, all or nothing, as log `name` (default: the file's name without its endings).

        `mapping` is as from `columns.parse_map`, `time_format` a key of `timestamps.ORDERS` or a strptime
        pattern, `tz` the zone of stamps without one. The same content with the same options is taken only
        once; other content under a known name supersedes it. `as_before` prefers the options with which the
        same content was taken last, under any name. Raises DataError naming file, row and column, UsageError
        for bad options.
        """
        say = progress or (lambda what, share: None)
        file = Path(path)
        name = name or log_name(file)
        with self._transaction():
            say("reading", 0.0)
            staged = read(self._con, file)
            options = self._options_before(staged.content_hash) if as_before else None
            if options is None:
                settled, confidence = settle_mapping(staged.source, staged.columns, mapping)
                options = TakeOptions(settled, confidence, time_format, tz, on_bad_rows)
            known = self._con.execute(
                "SELECT id, superseded, report FROM uploads WHERE log = ? AND content_hash = ? AND options "
                "= ? AND parser_version = ?",
                [name, staged.content_hash, options.to_json(), PARSER_VERSION],
            ).fetchall()
            if known:
                upload, superseded, text = known[0]
                report = ImportReport.from_json(text)
                if superseded:
                    self._make_current(name, upload)
                    return report
                return dataclasses.replace(report, already_known=True)
            say("parsing", 0.4)
            upload = self._con.execute("SELECT nextval('upload_ids')").fetchall()[0][0]
            report = take(self._con, staged, name, upload, options)
            say("keeping", 0.9)
            self._con.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, true, ?)",
                [
                    *(upload, name, staged.source, staged.content_hash, options.to_json(), PARSER_VERSION),
                    *(report.to_json(), datetime.now(UTC)),
                ],
            )
            self._make_current(name, upload)
            clear(self._con)
        say("done", 1.0)
        return report

    def logs(self) -> tuple[LogInfo, ...]:
        """The logs by name, each with the report of its current import."""
        rows = self._con.execute(
            "SELECT log, imported_at, report FROM uploads WHERE NOT superseded ORDER BY log"
        ).fetchall()
        return tuple(LogInfo(log, at, ImportReport.from_json(text)) for log, at, text in rows)

    def report(self, name: str) -> ImportReport:
        """The report of a log's current import. Raises DataError when there is no such log."""
        return self._current(name)[1]

    def quarantined(self, name: str) -> list[tuple[int, str, str]]:
        """Row, reason and JSON of every row set aside when the log was taken."""
        return self._con.execute(
            "SELECT row, reason, raw FROM quarantine WHERE upload_id = ? ORDER BY row",
            [self._current(name)[0]],
        ).fetchall()

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
    ) -> Snapshot:
        """What was known of a log at `until` (default: its last event).

        Executions that started later are absent, those that ended later are running. `open_cases` names
        exactly the open cases; without it `closing` decides, or a rule fitted to the snapshot itself. Raises
        DataError for an unknown log, an instant before it, or an open case it doesn't hold.
        """
        upload, report = self._current(name)
        if until is not None and until.tzinfo is None:
            raise UsageError(f"the instant {until.isoformat()} has no time zone; append Z for UTC")
        snapshot = freeze(
            self._con, upload, name, until or report.last, single_timestamp=report.single_timestamp
        )
        if open_cases is None:
            return with_open(snapshot, closings.apply(closing or closings.fit(snapshot), snapshot)[0])
        wanted = frozenset(open_cases)
        if unknown := sorted(wanted.difference(snapshot.cases)):
            raise DataError(
                f"open case {unknown[0]!r} is not in log {name!r} as known then ({len(unknown)} such ids); "
                "list only cases that had begun"
            )
        return with_open(snapshot, np.array([case in wanted for case in snapshot.cases], dtype=np.bool_))

    def save_model(self, name: str, json_text: str, notes: str = "") -> int:
        """Keep a twin under `name`; returns its version, 1 for the first, which becomes champion."""
        with self._transaction():
            return models.save(self._con, name, json_text, notes, datetime.now(UTC))

    def load_model(self, reference: str) -> str:
        """The JSON text of `name[@version]`, by default the champion. Raises DataError when absent."""
        return models.load(self._con, reference)

    def list_models(self) -> tuple[ModelInfo, ...]:
        """Every kept twin, by name and version."""
        return models.listed(self._con)

    def approve_model(self, name: str, version: int, who: str, when: datetime) -> None:
        """Record who approved a version, when, and make it the champion."""
        with self._transaction():
            models.approve(self._con, name, version, who, when)

    def _current(self, name: str) -> tuple[int, ImportReport]:
        found = self._con.execute(
            "SELECT id, report FROM uploads WHERE log = ? AND NOT superseded", [name]
        ).fetchall()
        if not found:
            known = ", ".join(repr(info.name) for info in self.logs()) or "none"
            raise DataError(f"{self.path} holds no log {name!r}; it holds {known}")
        return found[0][0], ImportReport.from_json(found[0][1])

    def _options_before(self, content_hash: str) -> TakeOptions | None:
        found = self._con.execute(
            "SELECT options, report FROM uploads WHERE content_hash = ? AND parser_version = ? "
            "ORDER BY superseded, id DESC LIMIT 1",
            [content_hash, PARSER_VERSION],
        ).fetchall()
        if not found:
            return None
        options, report = found[0]
        return TakeOptions.from_json(options, ImportReport.from_json(report).confidence)

    def _make_current(self, name: str, upload: int) -> None:
        self._con.execute("UPDATE uploads SET superseded = (id <> ?) WHERE log = ?", [upload, name])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._con.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._con.execute("ROLLBACK")
            raise
        self._con.execute("COMMIT")


def log_name(path: Path) -> str:
    """A file's name without the endings that say how it is written."""
    name = path.name.removesuffix(".gz")
    suffix = next((ending for ending in _SUFFIXES if name.lower().endswith(ending)), "")
    return name[: len(name) - len(suffix)] or path.name
