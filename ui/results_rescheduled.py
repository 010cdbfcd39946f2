"""What `tracetwin reschedule` shows of its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from twin.planned_words import sentence
from twin.words import number, percent, span
from ui.console import as_json, say, show_table
from ui.results_simulated import AGENT, FIGURES, value_text, worth_telling

if TYPE_CHECKING:
    from simulation.kpis import Interval
    from twin.rescheduling import Rescheduled

COMPARED = ("profit", "on_time", "fulfilled", "cycle_mean_s", "lateness_mean_s")
"""Figures of which differences are shown."""
BUSIEST = 5


def show_rescheduled(found: Rescheduled, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Figures beside those of policies, their differences, and the plans that were made."""
    if json_wanted:
        as_json(found)
        return
    runs = "one run" if found.replications == 1 else f"means of {found.replications} runs"
    names = list(found.figures)
    first = found.figures[names[0]]
    busiest = sorted((name for name in first if name.startswith(AGENT)), key=lambda name: -first[name].mean)
    wanted = [name for name in FIGURES if any(worth_telling(name, found.figures[one]) for one in names)]
    rows = [
        (FIGURES.get(figure, figure), *(_mean(figure, found.figures[name]) for name in names))
        for figure in [*wanted, *busiest[:BUSIEST]]
    ]
    show_table(f"{found.twin}, {runs}", ("figure", *names), rows)
    _differences(found)
    _plans(found)
    for note in found.notes:
        say(sentence(note))
    for path in written:
        say(f"Written: {path}")


def _mean(name: str, figures: object) -> str:
    figure: Interval | None = figures.get(name) if isinstance(figures, dict) else None
    return "" if figure is None else value_text(name, figure.mean)


def _differences(found: Rescheduled) -> None:
    """Rescheduled minus each policy, run by run."""
    rows = []
    for policy, figures in found.differences.items():
        for name in COMPARED:
            figure = figures.get(name)
            if figure is not None and isfinite(figure.mean):
                rows.append((policy, FIGURES[name], *_cells(name, figure)))
    if rows:
        columns = ("minus", "figure", "mean", "95 % interval")
        show_table("Rescheduled minus each policy, on the same orders and work", columns, rows, (0, 1))
    if rows and found.replications == 1:
        say("Add --replications 20 for intervals.")


def _cells(name: str, figure: Interval) -> tuple[str, str]:
    between = ""
    if isfinite(figure.low) and figure.low < figure.high:
        between = f"{_signed(name, figure.low)} to {_signed(name, figure.high)}"
    return _signed(name, figure.mean), between


def _signed(name: str, value: float) -> str:
    """A difference with its sign; shares in points."""
    sign = "+" if value > 0 else ""
    if name in ("on_time", "fulfilled"):
        return f"{sign}{100 * value:.1f} points"
    return sign + (span(value) if name.endswith("_s") else number(value))


def _plans(found: Rescheduled) -> None:
    plans = found.plans
    if not plans:
        say("No plan was made.")
        return
    solved = [one for one in plans if one.status != "infeasible"]
    statuses = ", ".join(f"{n} {status}" for status, n in Counter(one.status for one in plans).most_common())
    text = f"{len(plans):,} plans ({statuses}), {number(len(plans) / found.replications)} a run"
    if solved:
        taken = [one.build_s + one.solve_s for one in solved]
        orders, work = max(one.orders for one in solved), max(one.operations for one in solved)
        text += (
            f"; {number(sum(taken) / len(taken))} s each to make, {number(max(taken))} s at most; up to "
            f"{orders} orders and {work} operations at once; largest gap "
            f"{percent(max(one.gap for one in solved))}"
        )
    say(f"{text}.")
