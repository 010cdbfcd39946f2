"""The figures of benchmarks/historian.py as a page."""

from __future__ import annotations

from collections.abc import Mapping

Figures = Mapping[str, float]

HEAD = """# How fast and how lean is the historian?

Made by `benchmarks/historian.py`: medians of its runs, each in a process of its own, on two shared cores. CPU
seconds count every thread. Memory is the process's peak above what it held when the work began (libraries
loaded; for pandas and pm4py on ten million events, their table loaded as well). The logs are made by a rule:
eight executions a case, 20 activities, 60 people, six columns. pm4py and pandas do the same work on the same
file; "×" is their CPU time by ours. The first state of a log, and the first after it has grown by a fifth,
fits the rule that tells open orders from closed ones, some 20 CPU s here; the table has those after it.
"""
PEERS = ("pm4py", "regex", "pandas", "duckdb", "scratch")
"""Endings of the units that do a historian's unit's work in another way."""
SECTIONS = (
    (
        "XES, 1 M events",
        "events per CPU second ≥ 50 k (stretch 150 k), ≤ 350 MB",
        (
            ("xes_read", "read into columns"),
            ("xes_import", "the whole import into a database"),
            ("xes_pm4py", "pm4py, iterparse"),
            ("xes_pm4py_regex", "pm4py, its default (drops and cuts some texts)"),
        ),
    ),
    (
        "CSV, 5 M rows",
        "≥ 800 k rows a second",
        (
            ("csv_read", "read into columns"),
            ("csv_import", "the whole import into a database"),
            ("csv_pandas", "pandas, all as text, times parsed"),
            ("csv_pm4py", "pandas and pm4py.format_dataframe"),
        ),
    ),
    (
        "Directly-follows with times, 10 M events",
        "≤ 10 CPU s, ≤ 1.5 GB",
        (("follows", "historian"), ("follows_pm4py", "pm4py (counts only)"), ("follows_pandas", "pandas")),
    ),
    (
        "Variants, 10 M events",
        "≤ 10 CPU s, ≤ 1.5 GB",
        (("variants", "historian"), ("variants_pm4py", "pm4py"), ("variants_pandas", "pandas")),
    ),
    (
        "Durations by activity, 10 M events",
        "≤ 10 CPU s, ≤ 1.5 GB",
        (
            ("durations", "historian"),
            ("durations_pm4py", "pm4py (means only)"),
            ("durations_pandas", "pandas"),
        ),
    ),
    (
        "Live events, in batches of 100",
        "inbox ≥ 20 k a second, drain ≥ 20 k a second",
        (
            ("inbox", "acknowledged: on the disk"),
            ("inbox_duckdb", "baseline: each batch straight into DuckDB"),
            ("drain", "drained into executions, 20,000 at a time"),
        ),
    ),
    (
        "State of 20 k open among 1 M cases",
        "≤ 100 ms",
        (("state", "historian"), ("state_scratch", "baseline: by a query over all events")),
    ),
)


def page(figures: Mapping[str, Figures], failed: Mapping[str, str], version: Mapping[str, str]) -> str:
    """The page in Markdown; units that weren't measured are left out, those that failed say why."""
    parts = [HEAD]
    for title, goal, units in SECTIONS:
        rows = [_row(unit, name, figures, units[0][0], version) for unit, name in units if unit in figures]
        rows += [f"| {name} | failed: {failed[unit]} | | | | | |" for unit, name in units if unit in failed]
        if rows:
            head = "| | CPU s | wall s | a CPU second | a second | memory MB | × |\n| --- |" + " ---: |" * 6
            parts.append(f"## {title}\n\nGoal: {goal}.\n\n{head}\n" + "\n".join(rows) + "\n")
    versions = sorted(set(version.values()))
    return "\n".join(parts) + f"\nCode: {', '.join(versions)}.\n"


def _row(unit: str, name: str, figures: Mapping[str, Figures], ours: str, version: Mapping[str, str]) -> str:
    own = figures[unit]
    per_work = own["cpu_s"] / own["amount"]
    times = per_work / (figures[ours]["cpu_s"] / figures[ours]["amount"]) if ours in figures else None
    cells = (
        _short(own["cpu_s"]),
        _short(own["wall_s"]),
        _count(own["amount"] / own["cpu_s"]),
        _count(own["amount"] / own["wall_s"]),
        f"{own['peak_mb'] - own['base_mb']:.0f}",
        f"{times:.1f}" if times is not None and unit.endswith(PEERS) else "",
    )
    return f"| {name} | {' | '.join(cells)} |"


def _short(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.1f}"


def _count(rate: float) -> str:
    return f"{rate / 1000:,.0f} k"
