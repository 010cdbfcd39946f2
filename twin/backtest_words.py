"""A backtest of policies in sentences, for the console and the page."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from twin.backtest_ranking import Advice, Compared, p_text
from twin.backtest_results import PolicyBacktest
from twin.backtest_runs import BETTER
from twin.words import number

NAMES = {
    "net": "profit after cost",
    "profit": "profit",
    "cost": "cost",
    "on_time": "share on time",
    "late_h": "mean hours late",
    "lead_h": "mean lead time, hours",
    "lost": "orders lost",
    "wip": "orders in process",
    "preemptions": "interruptions",
}
"""Figures of a period, in words."""


def turned(found: PolicyBacktest, value: float) -> float:
    """A value of the objective as it was measured, in place of one of which more is better."""
    return BETTER[found.objective] * value


def between(found: PolicyBacktest, one: Compared) -> str:
    """The interval of a difference from the policy in force."""
    if not (isfinite(one.low) and isfinite(one.high)):
        return ""
    low, high = sorted((turned(found, one.low), turned(found, one.high)))
    return f"{signed(low)} to {signed(high)}"


def signed(value: float) -> str:
    """With its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def verdict(found: PolicyBacktest, one: Compared) -> str:
    """What is shown of a contender."""
    if one.policy == found.own:
        return "in force"
    told = f"{one.shown} than {found.own}" if one.shown else "no difference shown"
    if one.best_low > 0:
        return f"{told}; the best"
    return told if one.may_be_best else f"{told}; not the best"


def sentences(found: PolicyBacktest) -> Iterator[str]:
    """What was found, and what to do next."""
    what, n = NAMES[found.objective], len(found.periods)
    better = [one for one in found.ranking if one.shown == "better"]
    for one in better:
        yield (
            f"Over {n} periods {one.policy} gave {signed(turned(found, one.difference))} {what} a period "
            f"against {found.own} ({between(found, one)}; p {p_text(one.p_corrected)} after Holm)."
        )
    if not better:
        yield f"Over {n} periods no contender is shown to be better than {found.own} in {what}."
    yield f"Now: {advice_text(found.next, found.own)}."


def advice_text(advice: Advice, own: str) -> str:
    """The advice in a few words, with its reason."""
    what = f"switch to {advice.policy}" if advice.call == "switch" else advice.call
    what = f"stay with {own}" if advice.call == "stay" else what
    return f"{what} ({advice.reason})"
