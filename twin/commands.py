"""What each command does, as functions: read, work, write. The command line and the pages call these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from twin.files import check_picture_name, check_writable, write_text
from twin.progress import Progress
from twin.requests import log_request
from twin.source import LogRequest, LogSource, read_log
from twin.validation import Validation

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from twin.observed import Cut
    from twin.time_spent import TaskTime
    from twin.volume import By, Volume


@dataclass(frozen=True, slots=True)
class Built:
    """A twin that was built and kept."""

    twin: Metagraph
    name: str
    """Under which the database keeps it."""
    version: int
    champion: int
    """The version that the name alone means: the first one, until another is promoted."""


def build_command(
    request: LogRequest, twin: Path, config: Path | None, seed: int | None, progress: Progress
) -> Built:
    """Build a twin, write it to `twin` and keep it in the database under the file's stem."""
    from getpass import getuser

    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import save, to_json
    from twin.build import build, request_of

    check_writable(twin)
    if "@" in twin.stem:
        raise UsageError(
            f"--twin {twin}: the name stands before its version, as in name@2; use one without @"
        )
    wanted = request_of(config, twin.stem, seed)
    source = _read(request, progress.part(0.0, 0.1))
    model = build(source, wanted, progress.part(0.1, 1.0))
    save(model, twin)
    with open_historian(request.db, on_wait=lambda text: progress.step(text, 1.0)) as historian:
        historian.keep_snapshot(source.snapshot, source.report, source.open_rule)
        version = historian.save_model(twin.stem, to_json(model), f"built from {request.log}", getuser())
        kept = historian.list_models()
    champion = next(info.version for info in kept if info.name == twin.stem and info.champion)
    return Built(model, twin.stem, version, champion)


def validate_command(
    model: Metagraph,
    log: str,
    train: str | None,
    db: str,
    mapping: str | None,
    runs: int,
    seed: int,
    report: Path | None,
    progress: Progress,
    warn: Callable[[str], None],
    log_end: Cut | None = None,
) -> Validation:
    """Distances of simulated logs to `log`; every case in it counts, open or not.

    `warn` is told if the twin was built from that very log, or which activities only one of them has.
    """
    from twin.validate import one_sided, validate

    check_writable(report)
    test = _read(_closed(log, db, mapping), progress.part(0.0, 0.1)).snapshot
    if _built_from(model, test):
        warn(
            f"the twin was built from {test.name}, so these distances flatter it; validate on a log that it "
            "has not seen"
        )
    if difference := one_sided(model, test):
        warn(f"the twin and {test.name} don't have the same activities: {difference}")
    history = _read(_closed(train, db, mapping), progress.part(0.1, 0.2)).snapshot if train else None
    result = validate(
        model, test, history, runs=runs, seed=seed, cut=log_end, progress=progress.part(0.2, 1.0)
    )
    if report:
        from twin.report import write_report

        write_report(report, model, validation=result)
    return result


def write_pictures(model: Metagraph, svg: Path | None, report: Path | None) -> None:
    """The process diagram and the model's report, where asked for."""
    from metagraph.drawing import draw_svg

    check_writable(svg, report)
    if svg:
        write_text(svg, draw_svg(model))
    if report:
        from twin.report import write_report

        write_report(report, model)


def write_waits(model: Metagraph, out: Path | None, chart: Path | None) -> tuple[TaskTime, ...]:
    """Where the time goes, as a table and a picture where asked for.

    Raises UsageError for a picture of an unknown kind, DataError where a file can't be written.
    """
    from twin.drawing_tools import write_picture
    from twin.time_charts import waits_chart
    from twin.time_spent import time_spent, write_csv

    check_picture_name(chart)
    check_writable(out, chart)
    times = time_spent(model)
    if out:
        write_csv(out, times)
    if chart:
        write_picture(chart, waits_chart(model))
    return times


def foresee_arrivals(
    model: Metagraph,
    asked: Mapping[By, int],
    start: datetime | None,
    replications: int,
    seed: int,
    out: Path | None,
    chart: Path | None,
) -> Volume:
    """Orders to come in so many days or weeks, as a table and a picture where asked for.

    Raises UsageError for a picture of an unknown kind, DataError where a file can't be written or nothing is
    known of arrivals.
    """
    from twin.drawing_tools import write_picture
    from twin.volume import foresee, write_volume
    from twin.volume_charts import volume_chart

    check_picture_name(chart)
    check_writable(out, chart)
    ((by, periods),) = asked.items()
    volume = foresee(model, periods=periods, by=by, start=start, replications=replications, seed=seed)
    if out:
        write_volume(volume, out)
    if chart:
        write_picture(chart, volume_chart(volume))
    return volume


def _read(request: LogRequest, progress: Progress) -> LogSource:
    return read_log(request, progress.step, lambda text: progress.step(text, 0.0))


def _closed(log: str, db: str, mapping: str | None) -> LogRequest:
    """A log of which every case is taken as finished."""
    return replace(log_request(log, db, mapping), all_closed=True)


def _built_from(model: Metagraph, test: Snapshot) -> bool:
    """Whether the twin knows cases of this log: the same content, or the same name from a time it covers."""
    known = model.provenance
    if known is None:
        return False
    first = test.origin + timedelta(seconds=float(min(test.start_s, default=0.0)))
    return known.content_hash == test.content_hash or (known.log == test.name and first < known.until)
