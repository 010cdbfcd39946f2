"""What the quote command shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING

from twin.words import by_engine, number, unit_for
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.outlook import Quote


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
