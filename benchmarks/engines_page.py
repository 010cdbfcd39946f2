"""The figures of benchmarks/engines.py as a page with pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Runs = Mapping[str, Rows]
"""Runs of a unit by the last version that measured it."""

HEAD = """# How fast are the two engines, and how lean?

Made by `python -m benchmarks.engines`: every unit runs in a process of its own, once a round, so that what is
compared was measured in turn. CPU seconds are those of all threads and child processes; loading libraries and
compiled code is counted only where it is said. Given is the median over the rounds, with the least and the
most in brackets. Peers run in an environment of their own, locked in `benchmarks/peers/peers.lock`.
"""


def write(rows: Rows, docs: Path) -> str:
    """docs/engines.md and its pictures; returns the page. Units that weren't measured are left out."""
    from benchmarks.engines_curves import curves

    last = {row["unit"]: row["version"] for row in rows}
    runs = {
        unit: [
            row for row in rows if row["unit"] == unit and row["version"] == version and "failed" not in row
        ]
        for unit, version in last.items()
    }
    runs = {unit: found for unit, found in runs.items() if found}
    failed = {row["unit"]: row["failed"] for row in rows if "failed" in row and row["unit"] not in runs}
    parts = [
        HEAD,
        _targets(runs),
        _rates(runs),
        _peers(runs),
        _agreement(runs),
        _first(runs),
        curves(runs, docs),
    ]
    parts += [f"- `{unit}` failed: {why}" for unit, why in failed.items()]
    code = ", ".join(sorted({row["version"] for found in runs.values() for row in found}))
    machine = ", ".join(sorted({row["machine"] for found in runs.values() for row in found}))
    parts.append(f"Code: {code}. {machine}.\n")
    text = "\n".join(part for part in parts if part)
    (docs / "engines.md").write_text(text, encoding="utf-8")
    return text


def rate(rows: Rows) -> list[float]:
    """Task executions per CPU second, of each round."""
    return [row["executions"] / row["cpu_s"] for row in rows]


def ratio(runs: Runs, ours: str, peer: str) -> list[float]:
    """Of each round that has both."""
    theirs = {row["repeat"]: row["executions"] / row["cpu_s"] for row in runs.get(peer, ())}
    return [
        row["executions"] / row["cpu_s"] / theirs[row["repeat"]]
        for row in runs.get(ours, ())
        if row["repeat"] in theirs
    ]


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The median, and the least and the most in brackets."""
    if len(values) == 1:
        return form(values[0])
    return f"{form(median(values))} ({form(min(values))} to {form(max(values))})"


def count(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.3g} k"


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def times(value: float) -> str:
    return f"{value:.0f} ×" if value >= 10 else f"{value:.1f} ×"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown: the first column is text."""
    rule = "| --- |" + " ---: |" * (len(head) - 1)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _targets(runs: Runs) -> str:
    """The table of what was aimed at."""

    def cpu(row: Mapping[str, Any]) -> float:
        return float(row["cpu_s"])

    wanted: list[tuple[str, list[float], Callable[[float], str], float, float | None]] = [
        (
            "Example 3, policy P, kernel: executions a CPU s",
            rate(runs.get("example3_P_kernel", ())),
            count,
            2e6,
            3.5e6,
        ),
        ("the same, policy PD", rate(runs.get("example3_PD_kernel", ())), count, 2e6, 3.5e6),
        ("the same, policy P, reference", rate(runs.get("example3_P_reference", ())), count, 80e3, 150e3),
        ("the same, policy PD, reference", rate(runs.get("example3_PD_reference", ())), count, 80e3, 150e3),
        (
            "kernel by SimPy's PreemptiveResource",
            ratio(runs, "example3_beside_simpy", "example3_simpy"),
            times,
            20,
            None,
        ),
        ("kernel by Ciw, tandem queues", ratio(runs, "tandem_kernel", "tandem_ciw"), times, 50, None),
        (
            "kernel by salabim, tandem queues",
            ratio(runs, "tandem_kernel", "tandem_salabim"),
            times,
            150,
            None,
        ),
        ("kernel by Prosimos, loan office", ratio(runs, "loan_kernel", "loan_prosimos"), times, 150, None),
        ("first call, warm installation: CPU s", [*map(cpu, runs.get("first_call", ()))], seconds, -2, -1),
        (
            "1,000 replications of 480 orders: CPU s",
            [*map(cpu, runs.get("replications", ()))],
            seconds,
            -2,
            -1.1,
        ),
        (
            "memory for 10 M executions, KPIs only",
            [row["peak_mb"] for row in runs.get("memory", ())],
            lambda mb: f"{mb:.0f} MB",
            -300,
            None,
        ),
        (
            "the same in 2,800 replications",
            [row["peak_mb"] for row in runs.get("memory_of_many", ())],
            lambda mb: f"{mb:.0f} MB",
            -300,
            None,
        ),
    ]
    rows = [
        (
            name,
            _goal(goal, form),
            _goal(stretch, form),
            spread(values, form),
            _met(median(values), goal, stretch),
        )
        for name, values, form, goal, stretch in wanted
        if values
    ]
    head = ("work", "target", "stretch", "measured", "")
    return "## Targets\n\n" + table(head, rows) if rows else ""


def _goal(goal: float | None, form: Callable[[float], str]) -> str:
    """Negative ones are upper bounds."""
    if goal is None:
        return ""
    return f"{'≤' if goal < 0 else '≥'} {form(abs(goal))}"


def _met(value: float, goal: float, stretch: float | None) -> str:
    def reached(bound: float) -> bool:
        return value <= -bound if bound < 0 else value >= bound

    if stretch is not None and reached(stretch):
        return "stretch met"
    return "met" if reached(goal) else "missed"


RATES = (
    ("example3_P_kernel", "Example 3, P, kernel, KPIs"),
    ("example3_P_kernel_log", "Example 3, P, kernel, with the log in memory"),
    ("example3_PD_kernel", "Example 3, PD, kernel"),
    ("example3_beside_simpy", "Example 3, highest profit and shortest queue, kernel"),
    ("example3_P_reference", "Example 3, P, reference"),
    ("example3_PD_reference", "Example 3, PD, reference"),
    ("tandem_kernel", "tandem queues, kernel"),
    ("tandem_reference", "tandem queues, reference"),
    ("loan_kernel", "loan office, kernel, KPIs"),
    ("loan_parquet", "loan office, kernel, log to Parquet"),
    ("loan_reference", "loan office, reference"),
)


def _rates(runs: Runs) -> str:
    rows = [
        (name, spread(rate(runs[unit]), count), f"{median(row.get('peak_mb', 0) for row in runs[unit]):.0f}")
        for unit, name in RATES
        if unit in runs
    ]
    return "## Ours\n\n" + table(("", "executions a CPU s", "peak MB"), rows) if rows else ""


PEERS = (
    ("example3_simpy", ("example3_beside_simpy",), "Example 3 in SimPy's PreemptiveResource style"),
    ("tandem_simpy", ("tandem_kernel", "tandem_reference"), "8 tandem queues, load 0.8, plain SimPy"),
    ("tandem_ciw", ("tandem_kernel", "tandem_reference"), "the same, Ciw"),
    ("tandem_salabim", ("tandem_kernel", "tandem_reference"), "the same, salabim"),
    ("loan_prosimos", ("loan_kernel", "loan_reference"), "loan office, Prosimos, no log"),
    ("loan_prosimos_csv", ("loan_parquet",), "loan office, Prosimos writes its CSV, ours Parquet"),
)
"""A peer's unit, ours with the same work (kernel, reference), and what it is."""


def _peers(runs: Runs) -> str:
    rows = []
    for peer, ours, name in PEERS:
        if peer in runs:
            ratios = [ratio(runs, unit, peer) for unit in ours]
            found = [spread(values, times) if values else "" for values in ratios]
            rows.append((name, runs[peer][0]["library"], spread(rate(runs[peer]), count), *found, ""))
    head = ("", "version", "executions a CPU s", "kernel", "reference")
    return "## Beside peers\n\n" + table(head, [row[:5] for row in rows]) if rows else ""


FIGURES = {
    "cycle_s": "mean cycle time",
    "fulfilled": "share fulfilled",
    "profit": "profit an order",
    "preemptions": "interruptions an order",
}


def _agreement(runs: Runs) -> str:
    """Equal work: the peers' means beside ours, and their difference in standard errors."""
    rows = []
    for peer, (ours, *_), name in PEERS:
        found = [row for row in runs.get(ours, ()) if row.get("spread")]
        for figure, what in FIGURES.items():
            if peer in runs and found and figure in runs[peer][0]:
                theirs = [row[figure] for row in runs[peer]]
                mine, deviation = fmean(row[figure] for row in found), found[0]["spread"][figure]
                n = sum(row["runs"] for row in found)
                error = deviation * sqrt(1 / len(theirs) + 1 / n)
                z = (fmean(theirs) - mine) / error if error else 0.0
                rows.append((name, what, f"{fmean(theirs):.5g}", f"{mine:.5g}", f"{z:+.1f}"))
    if not rows:
        return ""
    intro = (
        "Is it equal work? Means over the rounds, and their difference in standard errors (from the spread "
        "of our replications):\n\n"
    )
    return intro + table(("", "figure", "peer", "ours", "difference"), rows)


def _first(runs: Runs) -> str:
    parts = []
    for unit, title in (("first_call", "warm"), ("cold_call", "nothing compiled before")):
        if unit in runs:
            steps = runs[unit][0]["steps"]
            rows = [(step, f"{median(row['steps'][step] for row in runs[unit]):.2f}") for step in steps]
            total = spread([row["cpu_s"] for row in runs[unit]], seconds)
            parts.append(f"{title.capitalize()}: {total}.\n\n" + table(("step", "CPU s"), rows))
    if "forecast" in runs:
        rows_ = runs["forecast"]
        cpu = [row["cpu_s"] for row in rows_]
        error = stdev(cpu) / sqrt(len(cpu)) if len(cpu) > 1 else 0.0
        parts.append(
            f"`tracetwin forecast` of {rows_[0]['open']} open orders of BPIC12W, {rows_[0]['futures']} "
            f"futures, all included: {fmean(cpu):.1f} ± {2 * error:.1f} CPU s (mean, twice its standard "
            f"error), {median(row['wall_s'] for row in rows_):.1f} s on the clock.\n"
        )
    intro = "A new process that loads a twin and simulates 100 orders.\n\n"
    return "## First call\n\n" + intro + "\n".join(parts) if parts else ""
