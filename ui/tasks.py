"""Work of the pages that no single command does, run as a process of its own: python -m ui.tasks TASK …"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import TwinError

if TYPE_CHECKING:
    from twin.progress import Progress
    from twin.validation import Validation


def holdout(db: Path, log: str, config: Path, runs: int, seed: int, progress: Progress) -> Validation:
    """A twin of what was known after four fifths of the events simulates the cases after that.

    Raises DataError if the log is too short to be cut.
    """
    from eventlogs.owner.opening import open_historian
    from eventlogs.split import closed_cases, split_snapshot
    from twin.build import build, request_of
    from twin.source import LogRequest, read_log
    from twin.validate import validate

    progress.step("cutting the log", 0.0)
    with open_historian(db, read_only=True) as historian:
        whole = historian.snapshot(log)
    train, test = split_snapshot(closed_cases(whole), 0.8)
    cut = whole.origin + timedelta(seconds=train.until_s)
    source = read_log(LogRequest(log, str(db), until=cut))
    model = build(source, request_of(config, "four fifths", seed), progress.part(0.02, 0.7))
    found = validate(
        model, test, train, runs=runs, seed=seed, cut="instant", progress=progress.part(0.7, 1.0)
    )
    return replace(found, log=log, held_out=True)


def report(twin: Path, validation: Path, forecast: Path, out: Path) -> None:
    """The report with whatever results there are."""
    from metagraph.json_io import load
    from twin.json_out import read
    from twin.outlook import Forecast
    from twin.report import write_report
    from twin.validation import Validation

    measured = read(Validation, validation.read_text(encoding="utf-8")) if validation.exists() else None
    foreseen = read(Forecast, forecast.read_text(encoding="utf-8")) if forecast.exists() else None
    write_report(out, load(twin), validation=measured, forecast=foreseen)


def take_log(request: str, quarantined: Path, progress_file: Path) -> None:
    """Take a log as asked for (JSON) and print how it was read and how good it is."""
    from twin.json_out import read
    from twin.source import LogRequest
    from ui import console
    from ui.taken import take

    with console.progress(progress_file) as progress:
        taken = take(read(LogRequest, request), quarantined, progress)
    console.as_json(taken)


def mend_log(db: Path, log: str, fixed: Path, quarantined: Path, progress_file: Path) -> None:
    """Take a log again with corrected rows and print how it was read and how good it is."""
    from ui import console
    from ui.taken import mend

    with console.progress(progress_file) as progress:
        taken = mend(str(db), log, fixed, quarantined, progress)
    console.as_json(taken)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ui.tasks")
    tasks = parser.add_subparsers(dest="task", required=True)
    cut = tasks.add_parser("holdout")
    for name in ("--db", "--config", "--progress-file"):
        cut.add_argument(name, type=Path, required=True)
    cut.add_argument("--log", required=True)
    for name in ("--runs", "--seed"):
        cut.add_argument(name, type=int, required=True)
    log = tasks.add_parser("take")
    log.add_argument("--request", required=True, help="JSON of a LogRequest")
    for name in ("--quarantined", "--progress-file"):
        log.add_argument(name, type=Path, required=True)
    mended = tasks.add_parser("mend")
    mended.add_argument("--log", required=True)
    for name in ("--db", "--fixed", "--quarantined", "--progress-file"):
        mended.add_argument(name, type=Path, required=True)
    page = tasks.add_parser("report")
    for name in ("--twin", "--validation", "--forecast", "--out"):
        page.add_argument(name, type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Run one task; a fault of the input ends in one sentence, as with the commands."""
    from ui import console, results

    told = _arguments()
    try:
        if told.task == "report":
            report(told.twin, told.validation, told.forecast, told.out)
            return
        if told.task == "take":
            take_log(told.request, told.quarantined, told.progress_file)
            return
        if told.task == "mend":
            mend_log(told.db, told.log, told.fixed, told.quarantined, told.progress_file)
            return
        with console.progress(told.progress_file) as progress:
            found = holdout(told.db, told.log, told.config, told.runs, told.seed, progress)
        results.show_validation(found, True)
    except TwinError as error:
        sys.stderr.write(f"tracetwin: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
