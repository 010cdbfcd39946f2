"""What `tracetwin whatif` does: a twin, scenarios and perhaps a log in; a comparison and its pictures out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from metagraph.errors import UsageError
from twin.announced import with_announced
from twin.files import check_picture_name, check_writable
from twin.given import Given
from twin.mine import check_table_name, write_table
from twin.progress import Progress
from twin.renames import closing_in_log_words
from twin.scenario import load_scenario
from twin.source import LogRequest, read_log
from twin.whatif import WhatIfRequest, what_if
from twin.whatif_found import WhatIf
from twin.whatif_words import figure_name


@dataclass(frozen=True, slots=True)
class WhatIfFiles:
    """What is read and written beside the twin."""

    scenarios: tuple[Path, ...]
    log: LogRequest | None = None
    """With `until`, the instant at which the comparison begins."""
    out: Path | None = None
    """A row for each figure and scenario."""
    chart: Path | None = None
    """Courses over time."""
    differences: Path | None = None
    """The main figures."""


def whatif_command(wanted: WhatIfRequest, files: WhatIfFiles, progress: Progress) -> WhatIf:
    """Compare, and write what was asked for; `wanted` without its scenarios and its state.

    Raises UsageError and DataError for what can't be read, compared or written.
    """
    check_writable(files.out, files.chart, files.differences)
    check_table_name(files.out)
    check_picture_name(files.chart)
    check_picture_name(files.differences, "--differences")
    wanted = replace(wanted, scenarios=tuple(load_scenario(path) for path in files.scenarios))
    if files.log is not None:
        wanted = _standing(wanted, files.log, progress.part(0.0, 0.1))
    found = what_if(wanted, progress.part(0.1 if files.log else 0.0, 1.0))
    if files.out:
        import pyarrow as pa

        write_table(files.out, pa.Table.from_pylist(list(rows_of(found))))
    if files.chart or files.differences:
        from twin.drawing_tools import write_picture
        from twin.whatif_charts import differences_chart, whatif_chart

        for path, chart in ((files.chart, whatif_chart), (files.differences, differences_chart)):
            if path:
                write_picture(path, chart(found))
    return found


def _standing(wanted: WhatIfRequest, log: LogRequest, progress: Progress) -> WhatIfRequest:
    """The request with the orders that are open in the log."""
    from twin.state import stale, state_of

    given = wanted.given
    if given.state is not None or given.orders:
        raise UsageError("--log: the instance has orders of its own; give a twin, to begin with a log's")
    request = replace(log, closing=closing_in_log_words(given.metagraph))
    source = read_log(request, progress.step, lambda text: progress.step(text, 0.0))
    progress.step("replaying the open orders", 0.8)
    twin, etas, learnt = with_announced(given.metagraph, request)
    state, notes = state_of(twin, source.snapshot, etas)
    notes = (*stale(source.snapshot), *learnt, *notes)
    given = Given(twin, source.snapshot.origin, state=state)
    return replace(wanted, given=given, open_rule=source.open_rule, notes=notes)


def rows_of(found: WhatIf) -> Iterator[dict[str, object]]:
    """A row for each figure and scenario; seconds, shares from 0 to 1, money in the log's currency."""
    for one in found.scenarios:
        for name, figure in one.figures.items():
            parts = {
                f"{of}_{part}": getattr(getattr(figure, of), part)
                for of in ("baseline", "scenario", "difference")
                for part in ("mean", "low", "high")
            }
            yield {
                "scenario": one.name,
                "figure": name,
                "in_words": figure_name(name),
                **parts,
                "runs": figure.difference.n,
                "real": figure.real,
                "more_runs": figure.more_runs,
            }
