"""What the commands print: tables for people, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from math import isfinite, nan
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from metagraph.errors import DataError
from twin.json_out import dump
from twin.progress import Progress
from twin.words import law_name, serving, span

if TYPE_CHECKING:
    from eventlogs.models import ModelInfo
    from eventlogs.report import ImportReport
    from metagraph.model import Metagraph
    from metagraph.nodes import Task
    from simulation.kpis import Interval
    from twin.commands import Built
    from twin.outlook import Forecast, Quote
    from twin.validation import Validation

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
MOST_ROWS = 15
LONGEST_WORD = 16
"""What is longer may be broken to fit a table."""


@contextmanager
def progress(file: Path | None = None) -> Iterator[Progress]:
    """A bar on standard error (on a terminal), and JSON lines {step, share} in `file` if given.

    Raises DataError if the file can't be written.
    """
    if file:
        try:
            file.open("a", encoding="utf-8").close()
        except OSError as error:
            raise DataError(
                f"--progress-file {file} can't be written ({error.strerror}); name another"
            ) from error
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    )
    with bar:
        task = bar.add_task("starting", total=1.0)

        def tell(step: str, share: float) -> None:
            bar.update(task, description=step, completed=share)
            if file:
                with file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps({"step": step, "share": share}) + "\n")

        yield Progress(tell)


def as_json(value: object) -> None:
    """One result as JSON on standard output."""
    sys.stdout.write(dump(value) + "\n")


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], texts: Collection[int] = (0,)
) -> None:
    """Print a table whose columns `texts` are texts, wrapped between words, and whose others are numbers.

    Columns that are empty throughout are left out.
    """
    rows = list(rows)
    narrow = OUT.width < 100
    shown = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0 if narrow else 1, 0, 0),
    )
    filled = [i for i in range(len(columns)) if i == 0 or any(row[i] for row in rows)]
    for i in filled:
        if i in texts:
            words = [word for row in rows for word in row[i].split()]
            longest = max((len(word) for word in words), default=0)
            shown.add_column(columns[i], overflow="fold", min_width=min(longest, LONGEST_WORD))
        else:
            shown.add_column("\n".join(wrap(columns[i], 10)), justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(*(Text(row[i]) for i in filled))
    OUT.print()
    OUT.print(shown)


def show_import(report: ImportReport, json_wanted: bool) -> None:
    """What an import found."""
    if json_wanted:
        as_json(report)
        return
    OUT.print(f"[bold]Log {escape(report.log)}[/bold]")
    for sentence in report.sentences():
        _say(sentence)


def show_built(built: Built, written: Path, json_wanted: bool) -> None:
    """A new twin and where it is; as JSON the twin itself."""
    show_twin(built.twin, json_wanted)
    if json_wanted:
        return
    kept = f"{built.name}@{built.version}"
    if built.version == built.champion:
        meant = f"'{built.name}' alone means it"
    else:
        meant = f"'{built.name}' alone still means version {built.champion} ('models --promote' changes that)"
    _say(f"Twin written to {written}, and kept in the database as {kept}; {meant}.")


def show_twin(model: Metagraph, json_wanted: bool) -> None:
    """A twin's summary; as JSON the twin itself."""
    if json_wanted:
        from metagraph.json_io import to_json

        sys.stdout.write(to_json(model))
        return
    _provenance(model)
    show_table("Tasks (means)", TASK_COLUMNS, [_task_row(model, task) for task in model.tasks()], (0, 2))
    _choices(model)
    defaults = model.provenance.defaults if model.provenance else ()
    if defaults:
        rows = [(d.where, d.missing, d.assumed) for d in defaults[:MOST_ROWS]]
        show_table("Assumed, because the log doesn't say", ("where", "missing", "assumed"), rows, (0, 1, 2))
        _more(len(defaults))
    for override in model.overrides:
        clash = f" (the data say: {override.contradiction})" if override.contradiction else ""
        _say(f"Set by hand: {override.target}, {override.field} = {override.value}{clash}")


TASK_COLUMNS = (
    "task",
    "n",
    "law of the work",
    "work",
    "KS",
    "wait: off shift",
    "wait: busy",
    "wait: other",
    "agents",
)


def _task_row(model: Metagraph, task: Task) -> list[str]:
    fit, waits = task.durations.default, task.waits
    known = [span(w) for w in (waits.off_shift_s, waits.busy_s, waits.remaining_s)] if waits else ["", "", ""]
    return [
        *(task.label, str(fit.n), law_name(fit.law), span(fit.law.mean())),
        "" if fit.ks is None else f"{fit.ks:.2f}",
        *(*known, str(len(serving(model, task)) or "–")),
    ]


def _provenance(model: Metagraph) -> None:
    OUT.print(f"[bold]Twin {escape(model.name)}[/bold]")
    known = model.provenance
    if known is None:
        OUT.print("  made by hand: no log behind it")
        return
    _say(
        f"from log {known.log}: {known.cases} cases, {known.events} task executions, "
        f"{known.first_event:%Y-%m-%d} to {known.until:%Y-%m-%d %H:%M} UTC; {known.open_cases} open orders"
    )
    for name, fact in known.facts.items():
        _say(f"{name}: {fact}")


def _choices(model: Metagraph) -> None:
    choices = model.provenance.choices if model.provenance else ()
    for choice in choices:
        metrics = list(choice.candidates[0].scores)
        if not metrics:
            _say(f"{choice.candidates[0].name}: {choice.reason}")
            continue
        rows = [
            (
                *(c.name, *(f"{c.scores[m]:.3g}" if m in c.scores else "" for m in metrics)),
                "chosen" if c.chosen else c.note,
            )
            for c in choice.candidates
        ]
        show_table(f"Chosen: {choice.what}", ("candidate", *metrics, ""), rows)
    if any(choice.candidates[0].scores for choice in choices):
        _say(
            "total: mean log ratio of the distances to those of the last period copied. Lower is better, but "
            "a less simple candidate has to win clearly; the report gives the reasons."
        )


def show_kpis(found: dict[str, Interval], json_wanted: bool, written: Path | None = None) -> None:
    """Figures of simulated logs."""
    if json_wanted:
        as_json(found)
        return
    rows = []
    for name, figure in found.items():
        values = (figure.mean, figure.low, figure.high)
        words = [span(value) if name.endswith("_s") else f"{value:.4g}" for value in values]
        between = f"{words[1]} to {words[2]}" if figure.n > 1 else "unknown: one log"
        rows.append((name.removesuffix("_s").replace("_", " "), words[0], between, str(figure.n)))
    show_table("Simulated logs", ("figure", "mean", "95 % interval", "logs"), rows)
    if written:
        _say(f"First log written to {written}")


def show_validation(result: Validation, json_wanted: bool) -> None:
    """Distances, with references beside them."""
    if json_wanted:
        as_json(result)
        return
    from twin.validation import METRICS
    from twin.verdict import spread, verdict

    rows = [
        (metric, METRICS[metric], spread(values), *(spread(r[metric]) for r in result.references.values()))
        for metric, values in result.distances.items()
    ]
    show_table(
        f"Distance to {result.log} ({result.cases} cases, {result.runs} simulated logs; lower is better)",
        ("", "distance of", "twin", *result.references),
        rows,
        (0, 1),
    )
    _say(verdict(result))
    tasks = [
        (
            *(t.activity, f"{t.observed_per_case:.2f}", f"{t.simulated_per_case:.2f}"),
            *(
                _time(s)
                for s in (t.observed_work_s, t.simulated_work_s, t.observed_wait_s, t.simulated_wait_s)
            ),
        )
        for t in result.tasks[:MOST_ROWS]
    ]
    columns = ("task", "per case", "twin's", "from start to end", "twin's", "gap before", "twin's")
    show_table("Per task, pauses off shift included (means)", columns, tasks)
    _more(len(result.tasks))


def show_forecast(result: Forecast, json_wanted: bool, written: Path | None = None) -> None:
    """Open orders by their median completion."""
    if json_wanted:
        as_json(result)
        return
    from twin.outlook import LEVELS, median

    low, high = LEVELS.index(0.05), LEVELS.index(0.95)
    _say(f"As of {result.as_of:%Y-%m-%d %H:%M} UTC: {result.open_rule}; {result.replications} futures")
    rows = []
    for o in sorted(result.orders, key=lambda o: median(o.quantiles))[:MOST_ROWS]:
        times = (o.quantiles[low], median(o.quantiles), o.quantiles[high])
        rows.append(
            (
                *(o.case_id, _short(o.standing), *(_stamp(t, result.as_of) for t in times)),
                _stamp(o.due, result.as_of) if o.due else "",
                "" if o.late_probability is None else f"{o.late_probability:.0%}",
            )
        )
    columns = ("order", "stands", "5 %", "median", "95 %", "due", "late")
    show_table("Completion, UTC (month-day)", columns, rows, (0, 1))
    _more(len(result.orders))
    counts = [
        (
            f"in {s.horizon_h:g} h",
            s.metric,
            *(f"{s.quantiles[i]:.0f}" for i in (low, LEVELS.index(0.5), high)),
        )
        for s in result.system
    ]
    if counts:
        show_table("Orders", ("", "", "5 %", "median", "95 %"), counts, (0, 1))
    for note in result.notes[:MOST_ROWS]:
        _say(note)
    _more(len(result.notes))
    if written:
        _say(f"Forecast written to {written}")


def _short(standing: str) -> str:
    """Where an order stands, without since when and with whom: a table has little room."""
    return "; ".join(part.partition(" since ")[0].partition(" by ")[0] for part in standing.split("; "))


def _stamp(at: datetime, now: datetime) -> str:
    """The month, day and time (but midnight); the year too where it isn't the same."""
    date = f"{at:%m-%d}" if at.year == now.year else f"{at:%Y-%m-%d}"
    return date if at.time() == time() else f"{date} {at:%H:%M}"


def show_quote(result: Quote, json_wanted: bool) -> None:
    """Promise dates and what drives them."""
    if json_wanted:
        as_json(result)
        return
    who = ", ".join(part for part in (result.cls, result.segment) if part) or "any class"
    dates = [
        (
            *(f"{confidence} %", f"{date:%Y-%m-%d %H:%M}", span((date - result.at).total_seconds())),
            _time(result.history_lead_h.get(confidence, nan) * 3600),
        )
        for confidence, date in result.dates.items()
    ]
    title = f"A new order ({who}) at {result.at:%Y-%m-%d %H:%M} UTC"
    show_table(title, ("kept with", "promise", "lead time", "past orders"), dates)
    drivers = [
        (
            d.activity,
            *(span(h * 3600) for h in (d.wait_h, d.wait_half_width_h, d.work_h, d.work_half_width_h)),
        )
        for d in result.drivers[:MOST_ROWS]
    ]
    columns = ("task", "wait", "±", "from start to end", "±")
    show_table("Where its time goes (mean, with its 95 % interval)", columns, drivers)


def show_models(found: tuple[ModelInfo, ...], json_wanted: bool) -> None:
    """The registry's twins."""
    if json_wanted:
        as_json(found)
        return
    rows = [
        (m.name, str(m.version), f"{m.created_at:%Y-%m-%d %H:%M}", "yes" if m.champion else "no", m.notes)
        for m in found
    ]
    columns = ("name", "version", "created (UTC)", "meant by the name", "notes")
    show_table("Twins", columns, rows, (0, 4))


def _say(sentence: str) -> None:
    OUT.print(Padding(Text(sentence), (0, 0, 0, 2)))


def _time(seconds: float) -> str:
    return span(seconds) if isfinite(seconds) else ""


def _more(n: int) -> None:
    if n > MOST_ROWS:
        _say(f"… and {n - MOST_ROWS} more (--json shows all)")
