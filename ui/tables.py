"""What each command shows of twins: tables and sentences for people, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from metagraph.distributions import ENOUGH
from twin.choices import SCORES, TOTAL, all_told, margins_text
from twin.model_words import congestion_text
from twin.rules_told import rules_told
from twin.scarce import assumptions, scarce
from twin.time_spent import (
    PARTS,
    WAITING,
    TaskTime,
    busy_text,
    busy_told,
    causes_text,
    modelled,
    summary,
    time_spent,
)
from twin.validation import METRICS
from twin.words import law_name, number, percent, serving, span
from ui.console import MOST_ROWS, OUT, as_json, more, say, show_table

if TYPE_CHECKING:
    from metagraph.model import Metagraph
    from metagraph.nodes import Task
    from twin.commands import Built


WIDE = 100
"""Columns of a terminal below which the number of waits is left out: the table would lose its last column."""


def show_built(built: Built, written: Path, json_wanted: bool) -> None:
    """A new twin and where it is; as JSON the twin itself."""
    show_twin(built.twin, json_wanted)
    if json_wanted:
        return
    kept = f"{built.name}@{built.version}"
    if built.version == built.champion:
        meant = f"'{built.name}' alone means it"
    else:
        other = "'tracetwin models promote' changes that"
        meant = f"'{built.name}' alone still means version {built.champion} ({other})"
    say(f"Twin written to {written}, and kept in the database as {kept}; {meant}.")


def show_twin(model: Metagraph, json_wanted: bool) -> None:
    """A twin's summary; as JSON the twin itself."""
    if json_wanted:
        from metagraph.json_io import to_json

        sys.stdout.write(to_json(model))
        return
    _provenance(model)
    title = f"Tasks (means; work as fitted{_window(model)}, waits as seen in the whole log)"
    shown = [_task_row(model, task) for task in model.tasks()]
    if OUT.width < WIDE:
        shown = [[*row[:5], "", *row[6:]] for row in shown]
    show_table(title, TASK_COLUMNS, shown, (0, 2, 7))
    for sentence in rules_told(model):
        say(sentence)
    thin = scarce(model)
    if thin:
        say(thin_text(sum(one.few for one in thin), len(thin)))
    if sentence := summary(time_spent(model)):
        say(f"{sentence} 'tracetwin waits' tells more.")
    if sentence := congestion_text(model):
        say(sentence)
    _choices(model)
    _facts(model)
    assumed = assumptions(model)
    if assumed:
        rows = [(a.kind, a.assumed, _cut(a.told)) for a in assumed[:MOST_ROWS]]
        columns = ("about", "assumed", "where, and what was missing")
        show_table("Assumed, because the log doesn't say", columns, rows, (0, 1, 2))
        more(len(assumed))
    for override in model.overrides:
        clash = f" (the data say: {override.contradiction})" if override.contradiction else ""
        say(f"Set by hand: {override.target}, {override.field} = {override.value}{clash}")


def thin_text(few: int, n: int) -> str:
    """What to doubt: `n` parameters, `few` of them for want of observations."""
    unfit = f"{n - few:,} parameter{' was' if n - few == 1 else 's were'} not fitted as hoped"
    if not few:
        return f"{unfit}; the report tells more."
    rest = f"{few:,} parameter{' rests' if few == 1 else 's rest'} on so few observations"
    told = f"* fewer than {ENOUGH}; in all, {rest}"
    return f"{told}, and {unfit}; the report tells more." if n > few else f"{told}; the report tells more."


def _window(model: Metagraph) -> str:
    """The part of the log that work was fitted to, where it isn't the whole."""
    told = model.provenance.facts.get("window", "") if model.provenance else ""
    return f" to {told}" if told else ""


TASK_COLUMNS = (
    "task",
    "n of work",
    "law of the work",
    "work",
    "KS",
    "n of waits",
    "wait",
    "most of it",
    "agents",
)


def _task_row(model: Metagraph, task: Task) -> list[str]:
    fit, waits = task.durations.default, task.waits
    seen, waited, cause = "", "", ""
    if waits:
        seen = f"{waits.n:,}"
        waited = span(waits.waiting_s)
        part = max(WAITING, key=lambda part: float(getattr(waits, part)))
        cause = f"{PARTS[part]}" if waits.waiting_s else ""
    return [
        *(task.label, f"{fit.n:,}{'*' if fit.few else ''}", law_name(fit.law), span(fit.law.mean())),
        "" if fit.ks is None else f"{fit.ks:.2f}",
        *(seen, waited, cause, str(len(serving(model, task)) or "–")),
    ]


def show_waits(model: Metagraph, times: Sequence[TaskTime], json_wanted: bool, written: Path | None) -> None:
    """Where the time goes, the longest total first."""
    if json_wanted:
        as_json(times)
        return
    if not times:
        say("Not observed: this twin does not come from a log that tells it.")
        return
    rows = [
        (
            *(t.task, f"{t.n:,}", span(t.waiting_s), causes_text(t), span(t.total_s - t.waiting_s)),
            "" if t.per_month_h is None else number(t.per_month_h),
            "" if t.share_of_cycle is None else percent(t.share_of_cycle),
        )
        for t in times[:MOST_ROWS]
    ]
    columns = ("task", "n", "waiting", "because of", "start to end", "in all, h a month", "of cycle time")
    show_table("Where the time goes (means per execution)", columns, rows, (0, 3))
    more(len(times))
    busy = [(t.task, busy_text(t.busy_with_s)) for t in busy_told(times)[:MOST_ROWS]]
    if busy:
        show_table("What the agents were busy with", ("while this waited", "they did"), busy, (0, 1))
    say(summary(times))
    say(
        "Waiting and start to end are means; h a month are of all executions together, from enabled to end; "
        "of cycle time: of all orders' time from first start to last end."
    )
    say(modelled(model))
    if written:
        say(f"Written to {written}.")


def _provenance(model: Metagraph) -> None:
    OUT.print(f"[bold]Twin {escape(model.name)}[/bold]")
    known = model.provenance
    if known is None:
        OUT.print("  made by hand: no log behind it")
        return
    say(
        f"from log {known.log}: {known.cases} cases, {known.events} task executions, "
        f"{known.first_event:%Y-%m-%d} to {known.until:%Y-%m-%d %H:%M} UTC; {known.open_cases} open orders"
    )


def _cut(text: str, most: int = 160) -> str:
    """As much as reads well in a table; the report has it all."""
    return text if len(text) <= most else f"{text[:most].rsplit(' ', 1)[0]} and more"


def _facts(model: Metagraph) -> None:
    """What is known of the log, but what is as it should be."""
    facts = model.provenance.facts if model.provenance else {}
    worth = [f"{name}: {fact}" for name, fact in facts.items() if not _as_it_should_be(fact)]
    if worth:
        OUT.print("\n[bold]What else is known[/bold]")
    for sentence in worth:
        say(sentence)


def _as_it_should_be(fact: str) -> bool:
    some, _, whole = fact.partition(" of ")
    return (
        fact in ("UTC", "as seen", "0.00")
        or fact.startswith("100.0%")
        or some == whole
        or fact.endswith("nothing is missing")
    )


def _choices(model: Metagraph) -> None:
    """Winners, and how clearly they won."""
    found = all_told(model)
    for one in found:
        if not one.metrics:
            winner = f" Taken as they come: {one.winner.name}." if one.winner else ""
            say(f"Nothing was chosen: {one.choice.reason}.{winner}")
    rows = [
        (
            *(one.choice.what, one.winner.name if one.winner else "", one.closeness, one.next_best),
            str(one.tried),
        )
        for one in found
        if one.metrics
    ]
    if rows:
        columns = ("choice", "winner", "simulates", "next best (total above winner's)", "tried")
        show_table("Chosen by simulating the last part of the log", columns, rows, (0, 1, 2, 3))
        say(
            "The copy repeats the log's period before it. Of the next best: by how much its total is "
            "higher; where it is lower (−), it is less simple, and not closer by enough. 'show --choices' "
            "and the report tell every score."
        )


def show_choices(model: Metagraph) -> None:
    """Every candidate with its scores, and why the winner won."""
    met: dict[str, None] = {}
    for one in all_told(model):
        met |= dict.fromkeys(one.metrics)
        metrics = (*one.metrics, TOTAL)
        rows = [
            (
                *(c.name, *(f"{c.scores[m]:.3g}" if m in c.scores else "" for m in metrics)),
                "; ".join(filter(None, ("chosen" if c.chosen else "", c.note))),
            )
            for c in (*one.judged, *one.refused)
        ]
        units = " (NGD 0 to 1, others in hours)" if one.metrics else ""
        columns = ("candidate", *metrics, "")
        show_table(f"Chosen: {one.choice.what}{units}", columns, rows, (0, len(columns) - 1))
        say(one.choice.reason)
    if met:
        meanings = [f"{m}, {METRICS[m].rpartition(', ')[0]}" for m in METRICS if m in met]
        say(f"Distances: {'; '.join(meanings)}.")
        say(SCORES)
        say(margins_text())
