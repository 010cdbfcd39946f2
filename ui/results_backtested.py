"""What `tracetwin backtest policies` and `backtest scenario` show."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from twin.backtest_ranking import p_text
from twin.backtest_words import NAMES, advice_text, between, sentences, signed, turned, verdict
from twin.planned_words import sentence
from twin.words import number, percent
from ui.console import as_json, say, show_table

if TYPE_CHECKING:
    from simulation.kpis import Interval
    from twin.backtest_results import PolicyBacktest
    from twin.kept_backtests import BacktestLine


def show_backtested(found: PolicyBacktest, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """The ranking, other figures, the periods with their advice, and what is assumed."""
    if json_wanted:
        as_json(found)
        return
    what = NAMES[found.objective]
    rows = [
        (
            one.policy,
            number(turned(found, one.mean)),
            "" if one.policy == found.own else signed(turned(found, one.difference)),
            between(found, one) if one.policy != found.own else "",
            p_text(one.p_corrected),
            verdict(found, one),
        )
        for one in found.ranking
    ]
    title = f"{found.twin}: {what} a period, {len(found.periods)} periods of {found.log} replayed"
    columns = ("policy", "mean", f"minus {found.own}", "95 % interval", "p after Holm", "shown")
    show_table(title, columns, rows, (0, 5))
    _others(found)
    _periods(found)
    gains = ", ".join(f"{one.name} {_gain(found, one.gain)}" for one in found.followed)
    say(f"{what.capitalize()} a period against staying with {found.own}: {gains}.")
    for text in sentences(found):
        say(text)
    for note in found.notes:
        say(sentence(note))
    for path in written:
        say(f"Written: {path}")


def show_kept(kept: Sequence[BacktestLine], json_wanted: bool) -> None:
    """The backtests that are kept, the newest last."""
    if json_wanted:
        as_json(kept)
        return
    rows = [
        (
            str(one.number),
            one.kind,
            one.twin,
            one.log,
            f"{one.made_at:%Y-%m-%d %H:%M}",
            one.content_hash[:12],
        )
        for one in kept
    ]
    if not rows:
        say("No backtest is kept here yet.")
        return
    show_table("Kept backtests", ("number", "of", "twin", "log", "made, UTC", "snapshot"), rows, (1, 2, 3))


def _gain(found: PolicyBacktest, gain: Interval) -> str:
    if not isfinite(gain.low):
        return signed(turned(found, gain.mean))
    low, high = sorted((turned(found, gain.low), turned(found, gain.high)))
    return f"{signed(turned(found, gain.mean))} ({signed(low)} to {signed(high)})"


def _others(found: PolicyBacktest) -> None:
    """Figures beside the objective."""
    rows = []
    for policy, figures in found.differences.items():
        for name, text in NAMES.items():
            if name not in figures:
                continue
            one = figures[name]
            if name != found.objective and isfinite(one.mean) and (one.mean or one.low or one.high):
                spread = f"{signed(one.low)} to {signed(one.high)}" if isfinite(one.low) else ""
                rows.append((policy, text, signed(one.mean), spread))
    if rows:
        show_table(
            f"Other figures, minus {found.own}", ("policy", "figure", "mean", "95 % interval"), rows, (0, 1)
        )


def _periods(found: PolicyBacktest) -> None:
    rows = [
        (
            f"{period.start:%Y-%m-%d}",
            f"{period.orders:,}",
            number(period.lead_h),
            number(period.error_h),
            percent(period.placed),
            period.best,
            advice_text(period.advice, found.own),
        )
        for period in found.periods
    ]
    columns = (
        "from",
        "orders",
        "lead time, h",
        "replay error, h",
        "placed",
        "turned out best",
        "advised then",
    )
    show_table("Periods, and the advice from what was known by then", columns, rows, (0, 5, 6))
