"""What `tracetwin bottlenecks` shows: log and twin side by side, then what would help."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from twin.bottleneck_words import best_text, causes_text, gain_text, plus_minus
from twin.words import by_engine, number, percent, span
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from simulation.kpis import Interval
    from twin.bottleneck_findings import Bottlenecks, Gain, QueueShare, Usage


def show_bottlenecks(found: Bottlenecks, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Tables and sentences; all of it as JSON."""
    if json_wanted:
        as_json(found)
        return
    say(found.sentence)
    say(" ".join(filter(None, map(causes_text, found.sides))))
    say(best_text(found))
    _stations(found, "role")
    _stations(found, "agent")
    _queues(found)
    unit = "profit" if found.value == "profit" else "h of lead time"
    _gains(found.hours, f"One more hour a week, by what it is worth ({unit} a week)", "agent")
    _gains(found.tasks, f"Activities automated, by what that is worth ({unit} a week)", "activity")
    say(
        f"Twin: orders of {number(found.weeks)} weeks after {number(found.warm_up_weeks)} of warm-up, "
        f"{found.replications} runs{by_engine(found.engine)}, policy {found.policy}; changes on the same "
        "orders and draws. Intervals are of 95 %, tests are corrected for their number."
    )
    for note in found.notes:
        say(f"{note[0].upper()}{note[1:]}.")
    for path in written:
        say(f"Written: {path}")


def _stations(found: Bottlenecks, kind: str) -> None:
    """Utilisation and shares as bottleneck."""
    sides = {side.source: side.roles if kind == "role" else side.agents for side in found.sides}
    if kind == "role" and all(len(side.roles) == len(side.agents) for side in found.sides):
        return
    names = [one.name for one in sides["twin"]]
    known = {source: {one.name: one for one in rows} for source, rows in sides.items()}
    columns = [kind]
    for source in sides:
        columns += [f"{source}: used %", "sole %", "shifting %"]
    rows = [
        (name, *(cell for source in sides for cell in _usage(known[source].get(name))))
        for name in names[:MOST_ROWS]
    ]
    title = {"role": "Roles", "agent": "Agents"}[kind]
    show_table(f"{title}: utilisation, and share of the time as sole or shifting bottleneck", columns, rows)
    more(len(names))


def _usage(one: Usage | None) -> tuple[str, str, str]:
    if one is None:
        return "", "", ""
    used, sole, shifting = (_share(figure) for figure in (one.utilisation, one.sole, one.shifting))
    return used, sole, shifting


def _share(figure: Interval) -> str:
    """In whole per cent: there are many of them in a row."""
    if not isfinite(figure.mean):
        return ""
    half = f" ± {100 * (figure.high - figure.mean):.0f}" if isfinite(figure.high) else ""
    return f"{100 * figure.mean:.0f}{half}"


def _queues(found: Bottlenecks) -> None:
    """Waiting before activities, as shares of the lead time."""
    sides = {side.source: {one.activity: one for one in side.queues} for side in found.sides}
    names = [one.activity for one in found.sides[-1].queues if one.of_lead > 0]
    columns = ["waiting before"]
    for source in sides:
        columns += [f"{source}: of lead time", "mean", "most of it"]
    rows = [
        (name, *(cell for source in sides for cell in _queue(sides[source].get(name))))
        for name in names[:MOST_ROWS]
    ]
    texts = (0, *(3 + 3 * i for i in range(len(sides))))
    lead = ", ".join(f"{side.source} {plus_minus(side.lead_h, 1.0, 'h')}" for side in found.sides)
    show_table(f"What orders wait for (mean lead time: {lead})", columns, rows, texts)
    more(len(names))


def _queue(one: QueueShare | None) -> tuple[str, str, str]:
    if one is None or not isfinite(one.of_lead):
        return "", "", ""
    cause, seconds = max(one.parts_s.items(), key=lambda part: part[1])
    total = sum(one.parts_s.values())
    told = f"{cause} {percent(seconds / total)}" if total > 0 else ""
    return percent(one.of_lead), span(one.wait_s.mean) if isfinite(one.wait_s.mean) else "", told


def _gains(gains: Sequence[Gain], title: str, name: str) -> None:
    if not gains:
        return
    rows = [
        (
            one.name,
            gain_text(one),
            "" if one.profit is None else plus_minus(one.profit),
            plus_minus(one.saved_h),
            f"{one.p:.2g}",
        )
        for one in gains[:MOST_ROWS]
    ]
    show_table(title, (name, "", "profit", "h of lead time saved", "p"), rows, (0, 1))
    more(len(gains))
