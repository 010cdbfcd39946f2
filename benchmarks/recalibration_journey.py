"""A twin that is recalibrated month by month on a public log: what is found, built, judged and promoted.

    TRACETWIN_LOGS=… python -m benchmarks.recalibration_journey [--log P2P] [--first 2011-04-01]
        [--work build/journey] [--page-only]

At the first instant a twin is built from what was known then. From then on `tracetwin recalibrate --promote`
is asked at the beginning of every month, with what was known then. Beside it stands the first twin, left
alone: both are held against the orders of the month that follows. A stopped run goes on where it was: what is
done is in the database, and asking again does nothing. Writes docs/recalibration-journey.md and its pictures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.keeping import append, rows_of

ROOT = Path(__file__).resolve().parent.parent
NAME = "journey"


def main() -> None:
    from benchmarks.recalibration_journey_page import write_page

    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    rows = asked.work / f"{asked.log}.jsonl"
    if not asked.page_only:
        done = {row["as_of"] for row in rows_of(rows)}
        db = asked.work / f"{asked.log}.duckdb"
        log = Path(os.environ["TRACETWIN_LOGS"]) / "forecast" / "logs" / f"{asked.log}.csv.gz"
        end = _import(log, db)
        _first(asked.log, db, asked.first)
        for as_of in _months(asked.first, end):
            if as_of.isoformat() not in done:
                row = _month(asked.log, db, as_of, min(_next(as_of), end))
                append(rows, row)
                sys.stderr.write(f"{row['as_of']}: {row['verdict']}\n")
    write_page(asked.log, rows_of(rows), asked.work / f"{asked.log}.duckdb", ROOT / "docs")


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--log", default="P2P")
    options.add_argument(
        "--first", type=_day, default=_day("2011-04-01"), help="when the first twin is built"
    )
    options.add_argument("--work", type=Path, default=ROOT / "build" / "journey")
    options.add_argument("--page-only", action="store_true")
    return options.parse_args()


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _next(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _months(first: datetime, end: datetime) -> list[datetime]:
    """The beginnings of the months after the first instant, up to the end of the log."""
    found, at = [], _next(first)
    while at < end:
        found.append(at)
        at = _next(at)
    return found


def _import(log: Path, db: Path) -> datetime:
    """The log in the database; its last event."""
    from eventlogs.owner.opening import open_historian

    with open_historian(db) as historian:
        last = historian.import_log(log).last
    assert last is not None
    return last


def _first(log: str, db: Path, as_of: datetime) -> None:
    """The first twin, built from what was known then, if it isn't there yet."""
    from calibration.settings import Settings
    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import to_json
    from twin.build import BuildRequest, build
    from twin.source import LogRequest, read_log

    with open_historian(db) as historian:
        if any(info.name == NAME for info in historian.list_models()):
            return
    source = read_log(LogRequest(log, db=str(db), until=as_of))
    model = build(source, BuildRequest(NAME, Settings()))
    with open_historian(db) as historian:
        historian.keep_snapshot(source.snapshot, source.report, source.open_rule)
        historian.save_model(NAME, to_json(model), f"built from {log}")


def _month(log: str, db: Path, as_of: datetime, until: datetime) -> dict[str, Any]:
    """One run, and what the twins are worth in the month that follows."""
    import json

    from twin.json_out import dump
    from twin.progress import Progress
    from twin.recalibrate import Wanted, recalibrate
    from twin.source import LogRequest

    request = LogRequest(log, db=str(db), until=as_of)
    begun = time.process_time()
    result = recalibrate(Wanted(NAME, request, promote=True, who="schedule"), Progress())
    cpu_s = time.process_time() - begun
    return {
        "as_of": as_of.isoformat(),
        "verdict": result.verdict,
        "cpu_s": round(cpu_s, 1),
        "result": json.loads(dump(result)),
        "month": _worth(db, replace(request, until=until), as_of),
    }


def _worth(db: Path, request: Any, begin: datetime) -> dict[str, Any] | None:
    """The champion against the first twin on the orders that began after the instant; None where too few
    ended."""
    import json

    from eventlogs.bounds import case_bounds
    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import from_json
    from twin.gate import judge
    from twin.json_out import dump
    from twin.progress import Progress
    from twin.renames import closing_in_log_words
    from twin.source import read_log

    with open_historian(db) as historian:
        first, now = (from_json(historian.load_model(name), name) for name in (f"{NAME}@1", NAME))
        version = historian.find_model(NAME).version
    snapshot = read_log(replace(request, closing=closing_in_log_words(first))).snapshot
    begin_s = (begin - snapshot.origin).total_seconds()
    release, _ = case_bounds(snapshot)
    if ((release >= begin_s) & ~snapshot.is_open).sum() < 2:
        return None
    gate = judge(first, now, snapshot, begin_s, name=f"version {version}", seed=1, progress=Progress())
    return {"version": version, "gate": json.loads(dump(gate))}


if __name__ == "__main__":
    main()
