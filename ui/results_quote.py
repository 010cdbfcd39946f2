"""What the quote command shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10, nan
from pathlib import Path
from typing import TYPE_CHECKING

from twin.outlook_words import alternative_text, plus_minus
from twin.words import by_engine, number, percent, unit_for
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.outlook import Quote


def show_quote(result: Quote, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Promise dates, what drives them, and what else would change them."""
    if json_wanted:
        as_json(result)
        return
    _dates(result)
    _promised(result)
    _drivers(result)
    if result.slowest:
        say(_sentence(result.slowest))
    _history(result)
    for one in result.alternatives:
        say(_sentence(alternative_text(one)))
    for sentence in (*result.origin_words, *result.notes):
        say(_sentence(sentence))
    for path in written:
        say(f"Written: {path}")


def _dates(result: Quote) -> None:
    who = ", ".join(part for part in (result.cls, result.segment) if part) or "any class"
    leads = [(date - result.at).total_seconds() for date in result.dates.values()]
    past = [result.history_lead_h.get(confidence, nan) * 3600 for confidence in result.dates]
    unit, (lead_texts, past_texts) = _in_one_unit(leads, past)
    rows = [
        (f"{confidence} %", f"{date:%Y-%m-%d %H:%M}", _between(result, confidence), lead, before)
        for (confidence, date), lead, before in zip(result.dates.items(), lead_texts, past_texts, strict=True)
    ]
    futures = f"{result.replications} futures{by_engine(result.engine)}"
    under = "" if result.policy == "own" else f", policy {result.policy}"
    title = f"A new order ({who}) at {result.at:%Y-%m-%d %H:%M} UTC{under}, {futures}"
    show_table(
        title, ("kept with", "promise", "95 % interval", f"lead time ({unit})", f"past ({unit})"), rows
    )


def _between(result: Quote, confidence: str) -> str:
    """How far more futures could move the date."""
    low, high = result.between.get(confidence, (None, None))
    if low is None and high is None:
        return ""
    return f"{f'{low:%m-%d %H:%M}' if low else '?'} to {f'{high:%m-%d %H:%M}' if high else '?'}"


def _promised(result: Quote) -> None:
    """Of the due date and the value that were given."""
    if result.late_probability is not None and result.late_between is not None and result.due is not None:
        low, high = result.late_between
        say(
            f"Late on {result.due:%Y-%m-%d %H:%M}: {percent(result.late_probability)} "
            f"({percent(low)} to {percent(high)})."
        )
    if result.profit is not None:
        say(f"Expected profit: {plus_minus(result.profit)}.")


def _drivers(result: Quote) -> None:
    drivers = result.drivers[:MOST_ROWS]
    parts = [
        [nan if hours is None else hours * 3600 for hours in column]
        for column in (
            [d.wait_h for d in drivers],
            [d.wait_half_width_h for d in drivers],
            [d.work_h for d in drivers],
            [d.work_half_width_h for d in drivers],
        )
    ]
    unit, texts = _in_one_unit(*parts)
    columns = ("task", f"wait ({unit})", "±", f"start to end ({unit})", "±", "items before", "their hours")
    ahead = [
        _even([nan if one is None else one.mean for one in column])
        for column in ([d.ahead for d in drivers], [d.ahead_h for d in drivers])
    ]
    before = list(zip(*ahead, strict=True))
    rows = [
        (*row, *first)
        for row, first in zip(zip([d.activity for d in drivers], *texts, strict=True), before, strict=True)
    ]
    show_table("Where its time goes (mean, with its 95 % interval)", columns, rows)
    more(len(result.drivers))
    say(
        "Tasks of parallel branches go on at the same time: all of them together may add up to more than the "
        "lead time."
    )


def _history(result: Quote) -> None:
    if not result.history or result.lead is None:
        return
    found = result.lead
    hours = [*(row.mean.mean for row in result.history), found.mean]
    unit, length = unit_for(3600 * max(hours))
    scale = 3600 / length
    rows = [
        (
            *(row.group, str(row.n), plus_minus(row.mean, scale)),
            "" if row.sd_h is None else number(scale * row.sd_h),
            *(number(scale * row.lead_h[c]) for c in result.dates),
        )
        for row in result.history
    ]
    leads = [(date - result.at).total_seconds() / length for date in result.dates.values()]
    rows.append(("this order", "", plus_minus(found, scale), "", *map(number, leads)))
    levels = [f"{c} %" for c in result.dates]
    show_table(f"Lead times of closed orders ({unit})", ("", "n", "mean", "deviation", *levels), rows)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _in_one_unit(*columns: Sequence[float]) -> tuple[str, list[list[str]]]:
    """The unit in which the longest of these times (s) reads well, and each column's numbers in it."""
    unit, length = unit_for(max((s for column in columns for s in column if isfinite(s)), default=0.0))
    return unit, [_even([s / length for s in column]) for column in columns]


def _even(values: Sequence[float]) -> list[str]:
    """Numbers of a column with as many decimals as its greatest needs; '' where there is none."""
    most = max((abs(value) for value in values if isfinite(value)), default=0.0)
    digits = max(0, 2 - floor(log10(most))) if most > 0 else 0
    texts = [f"{value:,.{min(digits, 3)}f}" if isfinite(value) else "" for value in values]
    zero = f"{0:.{min(digits, 3)}f}"
    return ["0" if text in (zero, f"-{zero}") else text.replace("-", "−") for text in texts]
