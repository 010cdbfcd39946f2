"""What the commands print: tables for people, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from twin.json_out import dump
from twin.progress import Progress

if TYPE_CHECKING:
    from eventlogs.models import ModelInfo
    from eventlogs.report import ImportReport
    from metagraph.model import Metagraph
    from simulation.kpis import Interval
    from twin.outlook import Forecast, Quote
    from twin.validation import Validation

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
MOST_ROWS = 25


@contextmanager
def progress(file: Path | None = None) -> Iterator[Progress]:
    """A bar on standard error (on a terminal), and JSON lines {step, share} in `file` if given."""
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


def table(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are numbers, right-aligned."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for i, column in enumerate(columns):
        made.add_column(column, justify="right" if i else "left", overflow="fold")
    return made


def span(seconds: float) -> str:
    """A duration in the unit people would say it in."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def show_import(report: ImportReport, json_wanted: bool) -> None:
    """What an import found."""
    if json_wanted:
        as_json(report)
        return
    OUT.print(f"[bold]Log {report.log}[/bold]")
    for sentence in report.sentences():
        OUT.print(f"  {sentence}", markup=False)


def show_twin(model: Metagraph, json_wanted: bool, written: Path | None = None) -> None:
    """A twin's summary; as JSON the twin itself."""
    if json_wanted:
        from metagraph.json_io import to_json

        sys.stdout.write(to_json(model) + "\n")
        return
    _provenance(model)
    tasks = table(
        "Tasks", "task", "n", "law of the work", "mean work", "KS", "off shift", "busy", "remaining", "agents"
    )
    for task in model.tasks():
        fit, waits = task.durations.default, task.waits
        agents = {a for q in model.queues if q.id in task.queues for a in q.agents}
        tasks.add_row(
            task.label,
            str(fit.n),
            getattr(fit.law, "family", fit.law.kind),
            span(fit.law.mean()),
            "" if fit.ks is None else f"{fit.ks:.3f}",
            *(
                [span(w) for w in (waits.off_shift_s, waits.busy_s, waits.remaining_s)]
                if waits
                else ["", "", ""]
            ),
            str(len(agents)) if agents else "none needed",
        )
    OUT.print(tasks)
    _choices(model)
    if model.provenance and model.provenance.defaults:
        assumed = table("Assumed, because the log doesn't say", "where", "missing", "assumed")
        for default in model.provenance.defaults[:MOST_ROWS]:
            assumed.add_row(default.where, default.missing, default.assumed)
        OUT.print(assumed)
        _more(len(model.provenance.defaults))
    for override in model.overrides:
        clash = f" (the data say: {override.contradiction})" if override.contradiction else ""
        OUT.print(f"Set by hand: {override.target}, {override.field} = {override.value}{clash}", markup=False)
    if written:
        OUT.print(f"Twin written to {written}", markup=False)


def _provenance(model: Metagraph) -> None:
    OUT.print(f"[bold]Twin {model.name}[/bold]")
    known = model.provenance
    if known is None:
        OUT.print("  made by hand: no log behind it")
        return
    OUT.print(
        f"  from log {known.log}: {known.cases} cases, {known.events} task executions, "
        f"{known.first_event:%Y-%m-%d} to {known.until:%Y-%m-%d %H:%M} UTC; {known.open_cases} open orders",
        markup=False,
    )
    for name, fact in known.facts.items():
        OUT.print(f"  {name}: {fact}", markup=False)


def _choices(model: Metagraph) -> None:
    for choice in model.provenance.choices if model.provenance else ():
        metrics = list(choice.candidates[0].scores)
        scores = table(f"Chosen: {choice.what}", "candidate", *metrics, "")
        for c in choice.candidates:
            scores.add_row(
                c.name,
                *(f"{c.scores[m]:.3g}" for m in metrics if m in c.scores),
                "chosen" if c.chosen else c.note,
            )
        OUT.print(scores)
        OUT.print(f"  {choice.reason}", markup=False)


def show_kpis(found: dict[str, Interval], json_wanted: bool, written: Path | None = None) -> None:
    """Figures of simulated logs."""
    if json_wanted:
        as_json(found)
        return
    shown = table("Simulated logs", "figure", "mean", "95 % interval", "logs")
    for name, figure in found.items():
        values = (figure.mean, figure.low, figure.high)
        words = [span(value) if name.endswith("_s") else f"{value:.4g}" for value in values]
        between = f"{words[1]} to {words[2]}" if figure.n > 1 else "unknown: one log"
        shown.add_row(name.removesuffix("_s").replace("_", " "), words[0], between, str(figure.n))
    OUT.print(shown)
    if written:
        OUT.print(f"First log written to {written}", markup=False)


def show_validation(result: Validation, json_wanted: bool) -> None:
    """Distances, with references beside them."""
    if json_wanted:
        as_json(result)
        return
    from statistics import fmean, stdev

    from twin.validation import METRICS

    shown = table(
        f"Distance to {result.log} ({result.cases} cases, {result.runs} simulated logs; lower is better)",
        *("metric", "twin", "± sd of the runs", *result.references),
    )
    for metric, values in result.distances.items():
        sd = f"{stdev(values):.3g}" if len(values) > 1 else "one run"
        references = [f"{fmean(reference[metric]):.3g}" for reference in result.references.values()]
        shown.add_row(f"{metric}: {METRICS[metric]}", f"{fmean(values):.3g}", sd, *references)
    OUT.print(shown)
    tasks = table("Per task", "task", "per case", "simulated", "work", "simulated", "wait", "simulated")
    for t in result.tasks[:MOST_ROWS]:
        tasks.add_row(
            t.activity,
            f"{t.observed_per_case:.2f}",
            f"{t.simulated_per_case:.2f}",
            *(
                span(s)
                for s in (t.observed_work_s, t.simulated_work_s, t.observed_wait_s, t.simulated_wait_s)
            ),
        )
    OUT.print(tasks)
    _more(len(result.tasks))


def show_forecast(result: Forecast, json_wanted: bool, written: Path | None = None) -> None:
    """Open orders by their median completion."""
    if json_wanted:
        as_json(result)
        return
    from twin.outlook import LEVELS, median

    low, high = LEVELS.index(0.05), LEVELS.index(0.95)
    OUT.print(
        f"As of {result.as_of:%Y-%m-%d %H:%M} UTC: {result.open_rule}; {result.replications} futures",
        markup=False,
    )
    shown = table("Completion (UTC)", "order", "stands", "5 %", "median", "95 %", "due", "late")
    for o in sorted(result.orders, key=lambda o: median(o.quantiles))[:MOST_ROWS]:
        times = (o.quantiles[low], median(o.quantiles), o.quantiles[high])
        shown.add_row(
            o.case_id,
            o.standing,
            *(f"{t:%m-%d %H:%M}" for t in times),
            f"{o.due:%m-%d %H:%M}" if o.due else "",
            "" if o.late_probability is None else f"{o.late_probability:.0%}",
        )
    OUT.print(shown)
    _more(len(result.orders))
    for s in result.system:
        OUT.print(
            f"In {s.horizon_h:g} h: {s.metric} {s.quantiles[LEVELS.index(0.5)]:.0f} "
            f"(90 % interval {s.quantiles[low]:.0f} to {s.quantiles[high]:.0f})"
        )
    for note in result.notes[:MOST_ROWS]:
        OUT.print(f"  {note}", markup=False)
    if written:
        OUT.print(f"Forecast written to {written}", markup=False)


def show_quote(result: Quote, json_wanted: bool) -> None:
    """Promise dates and what drives them."""
    if json_wanted:
        as_json(result)
        return
    who = ", ".join(part for part in (result.cls, result.segment) if part) or "any class"
    dates = table(
        f"A new order ({who}) at {result.at:%Y-%m-%d %H:%M} UTC", "kept with", "promise", "past lead time"
    )
    for confidence, date in result.dates.items():
        past = result.history_lead_h.get(confidence)
        dates.add_row(f"{confidence} %", f"{date:%Y-%m-%d %H:%M}", "" if past is None else span(past * 3600))
    OUT.print(dates)
    drivers = table("Where its time goes (mean)", "task", "wait", "work", "± wait", "± work")
    for d in result.drivers[:MOST_ROWS]:
        hours = (d.wait_h, d.work_h, d.wait_half_width_h, d.work_half_width_h)
        drivers.add_row(d.activity, *(span(h * 3600) for h in hours))
    OUT.print(drivers)


def show_models(found: tuple[ModelInfo, ...], json_wanted: bool) -> None:
    """The registry's twins."""
    if json_wanted:
        as_json(found)
        return
    shown = table("Twins", "name", "version", "created", "champion", "notes")
    for m in found:
        shown.add_row(
            m.name, str(m.version), f"{m.created_at:%Y-%m-%d %H:%M}", "yes" if m.champion else "", m.notes
        )
    OUT.print(shown)


def _more(n: int) -> None:
    if n > MOST_ROWS:
        OUT.print(f"  … and {n - MOST_ROWS} more (see --json or the written files)")
