"""What `tracetwin simulate` shows of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from twin.words import number, percent, span
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from simulation.kpis import Interval
    from twin.simulated import Simulated

FIGURES: Mapping[str, str] = {
    "orders": "orders",
    "completed": "orders completed",
    "lost": "orders lost",
    "open": "orders still open at the end",
    "profit": "profit, in the money of the orders' values",
    "fulfilled": "share fulfilled, of orders that ended",
    "on_time": "share on time, of orders that ended or were due",
    "lateness_mean_s": "completion after the due date, mean",
    "cycle_mean_s": "cycle time, mean",
    "cycle_median_s": "cycle time, median",
    "cycle_p90_s": "cycle time, 90 % are below",
    "waiting_mean_s": "wait before a task, mean",
    "throughput_per_h": "orders completed per hour",
    "wip_mean": "orders in process, mean",
    "wip_most": "orders in process, at most",
    "executions": "tasks finished",
    "preemptions": "interruptions",
}
SHARES = ("fulfilled", "on_time")
SIGNED = ("profit", "lateness_mean_s")
"""All others can't be below 0, whatever a t-interval says."""
AGENT, TASK, WAIT, QUEUE, LONGEST = (
    "utilisation ",
    "task_n ",
    "task_waiting_s ",
    "queue_mean ",
    "queue_longest ",
)
MANY = 20


def show_simulated(found: Simulated, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Figures of simulated logs, and which engine ran."""
    if json_wanted:
        as_json(found)
        return
    figures = found.figures
    rows = [(FIGURES[name], *_cells(name, figures[name])) for name in FIGURES if worth_telling(name, figures)]
    agents = sorted((name for name in figures if name.startswith(AGENT)), key=lambda n: -figures[n].mean)
    rows += [(name, *_cells(name, figures[name])) for name in agents[:MOST_ROWS]]
    runs = found.replications
    title = f"{found.twin}, policy {found.policy}: " + (
        f"{runs} simulated logs" if runs > 1 else "one simulated log"
    )
    show_table(title, ("figure", "mean" if runs > 1 else "", "95 % interval"), rows)
    more(len(agents))
    _tasks(figures, "mean " if runs > 1 else "")
    _queues(figures)
    say(f"Engine: {found.engine}, because {found.why}.")
    if found.precision_met is False:
        say("The interval that was asked for was not reached: it would take more runs.")
    for note in found.notes:
        say(note[:1].upper() + note[1:] + ".")
    if all(figure.n < 2 for figure in figures.values()):
        say(f"Add --replications {MANY} for intervals.")
    for path in written:
        say(f"Written: {path}")


def worth_telling(name: str, figures: Mapping[str, Interval]) -> bool:
    """Whether a figure says something."""
    figure = figures.get(name)
    if figure is None or not isfinite(figure.mean):
        return False
    if name in ("lost", "open", "preemptions"):
        return figure.mean > 0
    # Where none was lost the share is 1, and where all that came were completed, saying so once is enough.
    if name == "fulfilled":
        return figures["lost"].mean > 0
    return name != "completed" or figure.mean != figures["orders"].mean


def _cells(name: str, figure: Interval) -> tuple[str, str]:
    below = max(figure.low, 0.0) if figure.mean >= 0 and name not in SIGNED else figure.low
    above = min(figure.high, 1.0) if name in SHARES or name.startswith(AGENT) else figure.high
    low, high = value_text(name, below), value_text(name, above)
    return value_text(name, figure.mean), f"{low} to {high}" if figure.low < figure.high else ""


def value_text(name: str, value: float) -> str:
    """A figure in its unit."""
    if not isfinite(value):
        return "–"
    if name.startswith(AGENT) or name in SHARES:
        return percent(value)
    return span(value) if name.endswith("_s") else number(value)


def _tasks(figures: Mapping[str, Interval], mean: str) -> None:
    """How often each task was done, and what it waited for on average, the longest wait first."""
    names = [name.removeprefix(TASK) for name in figures if name.startswith(TASK)]
    if len(names) < 2:
        return
    waits = {name: figures[WAIT + name] for name in names if WAIT + name in figures}
    names.sort(key=lambda name: -waits[name].mean if name in waits and isfinite(waits[name].mean) else 0.0)
    rows = [
        (name, number(figures[TASK + name].mean), *(_wait(waits[name]) if name in waits else ("", "")))
        for name in names[:MOST_ROWS]
    ]
    show_table("Tasks", ("task", f"{mean}times begun", "wait before it", "95 % interval"), rows)
    more(len(names))


def _wait(figure: Interval) -> tuple[str, str]:
    if not isfinite(figure.mean):
        return "", ""
    between = f"{span(max(figure.low, 0.0))} to {span(figure.high)}" if figure.low < figure.high else ""
    return span(figure.mean), between


def _queues(figures: Mapping[str, Interval]) -> None:
    """How long queues were, the longest first; those in which nothing ever waited are left out."""
    names = [
        name.removeprefix(QUEUE) for name in figures if name.startswith(QUEUE) and figures[name].mean > 0
    ]
    if not names:
        return
    names.sort(key=lambda name: -figures[QUEUE + name].mean)
    rows = [
        (name, *_cells(QUEUE, figures[QUEUE + name]), number(figures[LONGEST + name].mean))
        for name in names[:MOST_ROWS]
    ]
    show_table("Queues", ("queue", "items waiting", "95 % interval", "at most"), rows)
    more(len(names))
