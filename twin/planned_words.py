"""A plan in words: what was decided, and why it is to be believed."""

from __future__ import annotations

from datetime import datetime

from twin.planned import Planned
from twin.words import few, number, percent

WORSE = 1e-9


def moment(plan: Planned, at: datetime, *, whole: bool = False) -> str:
    """An instant, UTC, without the year if it is that of the plan; hours since its beginning where the
    instance knows no instants."""
    if plan.hours:
        return "from hour 0" if whole else f"{number((at - plan.at).total_seconds() / 3600)} h"
    if whole:
        return f"as of {at:%Y-%m-%d %H:%M} UTC"
    return f"{at:%m-%d %H:%M}" if at.year == plan.at.year else f"{at:%Y-%m-%d %H:%M}"


def value_text(plan: Planned, name: str, value: float) -> str:
    """'profit 8,810', 'lateness 3.5 h'."""
    if name == "profit":
        return f"profit {_money(value)}"
    if name == "preemptions":
        return f"{-value:.0f} interruptions"
    return f"{name} {number(-value)} h"


def _money(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.2f}"


def decided_text(plan: Planned) -> str:
    """One sentence."""
    counts = {name: sum(o.standing == name for o in plan.orders) for name in ("late", "lost", "left out")}
    told = [f"{n} {name}" for name, n in counts.items() if n]
    values = ", ".join(value_text(plan, name, value) for name, value in plan.values.items())
    on_time = f", {percent(plan.on_time)} on time" if plan.on_time is not None else ""
    orders = f"{len(plan.orders):,} {'order' if len(plan.orders) == 1 else 'orders'}"
    extra = f" ({', '.join(told)})" if told else ""
    return f"{orders}, {values}{on_time}{extra}."


def levels_text(plan: Planned) -> str:
    """What was aimed at: 'most profit, then least lateness'."""
    words = {
        "profit": "most profit",
        "flow time": "least time from release to completion",
        "lateness": "least lateness",
        "preemptions": "fewest interruptions",
    }
    return ", then ".join(words[name] for name in plan.values)


def believed_text(plan: Planned) -> str:
    """How good the plan is at least, and how that is known."""
    name, bound = next(iter(plan.values)), plan.bound
    limit = value_text(plan, name, bound)
    proof = {
        "optimal": f"No plan on this grid is better (bound: {limit}).",
        "gap": f"Within {_gap(plan.gap)} of the best plan on this grid (bound: {limit}).",
        "time": f"The time limit came first: within {_gap(plan.gap)} of the best plan on this grid "
        f"(bound: {limit}).",
        "cancelled": "Cancelled: this is the best plan that was found until then, within "
        f"{_gap(plan.gap)} of the best one on this grid (bound: {limit}).",
    }[plan.status]
    return f"{proof} {checked_text(plan)}"


def _gap(gap: float) -> str:
    return f"{100 * gap:.2g} %" if gap < 1 else f"{number(100 * gap)} %"


def checked_text(plan: Planned) -> str:
    """What was recomputed, and how long all took."""
    return (
        "Dates, places and what it is worth were recomputed without the solver. "
        f"{plan.build_s + plan.solve_s:.1f} s, {plan.cpu_s:.1f} of CPU; {_model_text(plan)}."
    )


def _model_text(plan: Planned) -> str:
    model = plan.model
    if not model.columns and plan.status in ("optimal", "gap"):
        return "no model was needed"
    if not model.columns:
        why = (
            f"a model of {model.too_large:,} columns would be too large to solve"
            if model.too_large
            else "the search ended before a model gave a bound"
        )
        return f"{why}: the bound is what each order could reach if it were alone"
    return f"{model.rows:,} rows, {model.binaries:,} binaries, {model.continuous:,} continuous"


def sentence(note: str) -> str:
    """A note with a capital letter and a full stop."""
    text = note[:1].upper() + note[1:]
    return text if text.endswith((".", "!", "?", ".)")) else f"{text}."


def better_text(plan: Planned) -> str:
    """'1.9 % better than the best rule, PD.'; '' without rules."""
    if not plan.rules or plan.better_by is None:
        return ""
    best = [
        rule.rule
        for rule in plan.rules
        if all(abs(rule.values[n] - plan.rules[0].values[n]) <= WORSE for n in rule.values)
    ]
    names = few(best, 3)
    if plan.better_by < -WORSE:
        return f"{percent(-plan.better_by)} worse than the best rule, {names}."
    if plan.better_by <= WORSE:
        return f"As good as the best rule, {names}."
    return f"{100 * plan.better_by:.1f} % better than the best rule, {names}."
