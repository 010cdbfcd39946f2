"""docs/roundtrip.md: what was found of the known twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

Rows = Sequence[Mapping[str, Any]]

HEAD = """# Is the process found that made the log?

Made by `python -m benchmarks.roundtrip`. Known processes are drawn at random (benchmarks/known_twins.py):
nested sequences, choices, loops and parallel blocks, roles with their own hours, crowding, delays,
multitasking at full and at shared rate, unattended tasks, batches, last come first. Each leaves a log, cut
where its last order arrives; a twin is built from that log alone, as a user would. Intervals are 99.9 % ones
around the known values (benchmarks/roundtrip_compare.py, benchmarks/roundtrip_people.py). What no log can
tell is said in [limits.md](limits.md).

Distances: those of the twin's logs to fresh logs of the truth, over those between two fresh logs of the
truth. At 1 the twin's logs can't be told from the truth's. The logs are of orders first seen after two weeks:
what arrives over a weekend is first seen on Monday, so that a first week without one before is unlike others.
"""


FITTED = """## Fitted, nothing chosen

The strictest structure with branches told apart by time, calendars, busy agents, a remaining delay, batches,
orders of work; parameters from the whole log. It tells what fitting can find.
"""
BUILT = """## Built, with all choices

What `tracetwin build` makes of the same logs: it chooses the structure and what to use by simulating the last
part of each log.
"""


def page(rows: Rows) -> str:
    """The whole page."""
    parts = [HEAD]
    for way, words in (("fitted", FITTED), ("built", BUILT)):
        mine = [row for row in rows if row["way"] == way]
        if mine:
            parts += [words, _summary(mine), _kinds(mine), _twins(mine), _missed(mine)]
    return "\n".join(parts)


def _same(row: Mapping[str, Any]) -> bool:
    return bool(row["known"] == row["found"])


def _inside(check: Mapping[str, Any]) -> bool:
    return bool(abs(check["found"] - check["known"]) <= check["allowed"])


def _summary(rows: Rows) -> str:
    other = [row["footprint"] for row in rows if not _same(row)]
    differs = f"; in the others {median(other):.0%} (median) of the pairs of activities" if other else ""
    inside = [_inside(check) for row in rows for check in row["checks"]]
    lines = [
        f"{len(rows)} twins of {rows[0]['cases']} orders. The same structure was found in "
        f"{len(rows) - len(other)}{differs}{' follow each other in the same ways' if other else ''}. "
        f"{sum(inside)} of {len(inside)} parameters are inside their intervals.\n",
        "| distance | median ratio | worst |",
        "| --- | --- | --- |",
    ]
    for metric in rows[0]["ratios"]:
        values = [row["ratios"][metric] for row in rows]
        lines.append(f"| {metric} | {median(values):.2f} | {max(values):.2f} |")
    return "\n".join(lines) + "\n"


def _kinds(rows: Rows) -> str:
    found: dict[str, list[bool]] = {}
    for row in rows:
        for check in row["checks"]:
            found.setdefault(check["kind"], []).append(_inside(check))
    lines = ["| parameter | inside its interval | of |", "| --- | --- | --- |"]
    lines += [f"| {kind} | {sum(inside)} | {len(inside)} |" for kind, inside in found.items()]
    return "\n".join(lines) + "\n"


def _twins(rows: Rows) -> str:
    metrics = list(rows[0]["ratios"])
    head = ["twin", "what is special", "tasks", "structure", *metrics, "inside", "CPU s", "chosen"]
    lines = [_row(head), _row(["---"] * len(head))]
    for row in rows:
        inside = [_inside(check) for check in row["checks"]]
        shape = "same" if _same(row) else f"differs ({row['footprint']:.0%})"
        ratios = [f"{row['ratios'][m]:.2f}" for m in metrics]
        told = f"{sum(inside)} of {len(inside)}"
        cells = [str(row["seed"]), ", ".join(row["special"]), str(row["tasks"]), shape, *ratios, told]
        lines.append(_row([*cells, f"{row['cpu_s']:.0f}", "; ".join(row["choices"].values())]))
    return "\n".join(lines) + "\n"


def _missed(rows: Rows) -> str:
    lines = ["Outside their intervals:\n"]
    for row in rows:
        missed = [
            f"{c['kind']} {c['where']}: {c['known']:.3g}, found {c['found']:.3g} (± {c['allowed']:.2g})"
            for c in row["checks"]
            if not _inside(c)
        ]
        if missed:
            lines.append(f"- {row['seed']}: {'; '.join(missed)}")
    codes = ", ".join(sorted({row["version"] for row in rows}))
    return "\n".join([*lines, f"\nCode: {codes}."]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
