"""What each command shows of what it found: simulated figures, distances, forecasts, quotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING

from twin.validation import METRICS
from twin.words import by_engine, mean_span, number, unit_for
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.outlook import Forecast, Quote
    from twin.validation import Validation


def show_validation(result: Validation, json_wanted: bool) -> None:
    """Distances, with references beside them."""
    if json_wanted:
        as_json(result)
        return
    from twin.far_off import far_off_text
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
    say(verdict(result))
    if worst := far_off_text(result):
        say(worst)
    if result.engine:
        say(f"Simulated by the {result.engine} engine.")
    tasks = [
        (
            *(t.activity, f"{t.observed_per_case:.2f}", f"{t.simulated_per_case:.2f}"),
            mean_span(t.observed_work_s, t.observed_work_half_s),
            mean_span(t.simulated_work_s, t.simulated_work_half_s),
            mean_span(t.observed_wait_s, t.observed_wait_half_s),
            mean_span(t.simulated_wait_s, t.simulated_wait_half_s),
        )
        for t in result.tasks[:MOST_ROWS]
    ]
    columns = ("task", "per case", "twin's", "from start to end", "twin's", "gap before", "twin's")
    show_table("Per task, off-shift hours included (means, with 95 % intervals)", columns, tasks)
    more(len(result.tasks))


def show_forecast(result: Forecast, json_wanted: bool, written: Path | None = None) -> None:
    """Open orders by their median completion."""
    if json_wanted:
        as_json(result)
        return
    from twin.outlook import LEVELS

    low, high = LEVELS.index(0.05), LEVELS.index(0.95)
    if result.orders:
        _orders(result)
    else:
        say(f"Nothing is open at {result.as_of:%Y-%m-%d %H:%M} UTC.")
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
        say(note)
    more(len(result.notes))
    if written:
        say(f"Forecast written to {written}")


def _orders(result: Forecast) -> None:
    from twin.outlook import LEVELS, median

    low, high = LEVELS.index(0.05), LEVELS.index(0.95)
    futures = f"{result.replications} futures{by_engine(result.engine)}"
    say(f"As of {result.as_of:%Y-%m-%d %H:%M} UTC: {result.open_rule}; {futures}")
    rows = []
    for o in sorted(result.orders, key=lambda o: median(o.quantiles))[:MOST_ROWS]:
        times = (o.quantiles[low], median(o.quantiles), o.quantiles[high])
        rows.append(
            (
                *(o.case_id, _short(o.standing), *(_stamp(t, result.as_of) for t in times)),
                _stamp(o.due, result.as_of) if o.due else "",
                "" if o.late_probability is None else f"{o.late_probability:.0%}",
                "" if o.lost_probability is None else f"{o.lost_probability:.0%}",
            )
        )
    columns = ("order", "stands", "5 %", "median", "95 %", "due", "late", "lost")
    show_table("Completion, UTC (month-day)", columns, rows, (0, 1))
    more(len(result.orders))


def _short(standing: str) -> str:
    """Where an order stands, without since when and with whom: a table has little room."""
    return "; ".join(part.partition(" since ")[0].partition(" by ")[0] for part in standing.split("; "))


def _stamp(at: datetime, now: datetime) -> str:
    """The month, day and time; the year too where it isn't the same."""
    return f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d %H:%M}"


def show_quote(result: Quote, json_wanted: bool) -> None:
    """Promise dates and what drives them."""
    if json_wanted:
        as_json(result)
        return
    who = ", ".join(part for part in (result.cls, result.segment) if part) or "any class"
    leads = [(date - result.at).total_seconds() for date in result.dates.values()]
    past = [result.history_lead_h.get(confidence, nan) * 3600 for confidence in result.dates]
    unit, (lead_texts, past_texts) = _in_one_unit(leads, past)
    dates = [
        (f"{confidence} %", f"{date:%Y-%m-%d %H:%M}", lead, before)
        for (confidence, date), lead, before in zip(result.dates.items(), lead_texts, past_texts, strict=True)
    ]
    futures = f"{result.replications} futures{by_engine(result.engine)}"
    title = f"A new order ({who}) at {result.at:%Y-%m-%d %H:%M} UTC, {futures}"
    show_table(title, ("kept with", "promise", f"lead time ({unit})", f"past orders ({unit})"), dates)
    drivers = result.drivers[:MOST_ROWS]
    parts = [
        [hours * 3600 for hours in column]
        for column in (
            [d.wait_h for d in drivers],
            [d.wait_half_width_h for d in drivers],
            [d.work_h for d in drivers],
            [d.work_half_width_h for d in drivers],
        )
    ]
    unit, texts = _in_one_unit(*parts)
    columns = ("task", f"wait ({unit})", "±", f"from start to end ({unit})", "±")
    rows = zip([d.activity for d in drivers], *texts, strict=True)
    show_table("Where its time goes (mean, with its 95 % interval)", columns, rows)
    more(len(result.drivers))
    say(
        "Tasks of parallel branches go on at the same time: all of them together may add up to more than the "
        "lead time."
    )


def _in_one_unit(*columns: Sequence[float]) -> tuple[str, list[list[str]]]:
    """The unit in which the longest of these times (s) reads well, and each column's numbers in it."""
    unit, length = unit_for(max((s for column in columns for s in column if isfinite(s)), default=0.0))
    return unit, [[number(s / length) if isfinite(s) else "" for s in column] for column in columns]
