"""What a what-if found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite

from twin.whatif_figures import UTILISATION, WAIT
from twin.whatif_found import Compared, Recovery
from twin.words import instant, number, percent, span

NAMES: Mapping[str, str] = {
    "net": "profit after cost",
    "profit": "profit of orders",
    "cost": "cost",
    "cost_agents": "cost of agents' shifts",
    "cost_overtime": "cost of overtime",
    "cost_executions": "cost of executions",
    "invested": "invested",
    "orders": "orders arrived",
    "completed": "orders completed",
    "lost": "orders lost",
    "fulfilled": "share fulfilled, of orders that ended",
    "on_time": "share on time",
    "on_time_n": "orders completed on time",
    "throughput_per_h": "orders completed per hour",
    "cycle_mean_s": "cycle time, mean",
    "cycle_p90_s": "cycle time, 90 % are below",
    "wip_mean": "orders in process, mean",
    "wip_end": "orders in process at the end",
}
SHARES = ("fulfilled", "on_time")
MAIN = ("net", "profit", "on_time", "lost", "completed", "cycle_mean_s", "wip_mean")
"""Those that a verdict is about, as far as they are known."""
MOST_RUNS = 1_000_000
WORTH_TELLING = 0.1
"""Profit still to come of open orders is told from this share of the difference in profit on."""

NEARLY_ALL = 0.8
"""From this share on all of it may be one of time: the mean order's profit is no exact measure."""


def figure_name(name: str) -> str:
    """A figure in words."""
    if name.startswith(UTILISATION):
        return f"load of {name.removeprefix(UTILISATION)}"
    if name.startswith(WAIT):
        return f"wait before {name.removeprefix(WAIT)}"
    return NAMES[name]


def value_text(name: str, value: float) -> str:
    """A figure in its unit."""
    if not isfinite(value):
        return "–"
    if name in SHARES or name.startswith(UTILISATION):
        return percent(value)
    if name.endswith("_s") or name.startswith(WAIT):
        return span(value)
    return number(value)


def change_text(name: str, value: float) -> str:
    """A difference in its unit, with its sign; of shares in percentage points."""
    if not isfinite(value):
        return "–"
    sign = "−" if value < 0 else "+" if value > 0 else "±"
    if name in SHARES or name.startswith(UTILISATION):
        return f"{sign}{number(100 * abs(value))} points"
    return sign + value_text(name, abs(value))


def between_text(name: str, low: float, high: float) -> str:
    """An interval of a difference."""
    return f"{change_text(name, low)} to {change_text(name, high)}"


def real_text(one: Compared) -> str:
    """Whether a difference is real, in a word or two."""
    if one.real is None:
        return ""
    if one.real:
        return "real"
    if one.difference.low == one.difference.high == 0:
        return "none"
    return "can't tell"


def verdict(figures: Mapping[str, Compared], replications: int) -> Iterator[str]:
    """Sentences on the main figures: what is real, what is the same, and what it would take to tell more."""
    known = [name for name in MAIN if name in figures and isfinite(figures[name].difference.mean)]
    if replications < 2:
        yield "One run tells no difference from chance: ask for more replications."
        return
    real = [name for name in known if figures[name].real]
    if real:
        yield f"The difference is real: {'; '.join(_real(name, figures[name]) for name in real)}."
    same = [name for name in known if real_text(figures[name]) == "none"]
    if same:
        yield f"{_listed(same)}: the same in every run."
    for name in known:
        if real_text(figures[name]) == "can't tell":
            yield _unclear(name, figures[name], replications)
    yield from _deferred(figures)


def _real(name: str, one: Compared) -> str:
    change, low, high = one.difference.mean, one.difference.low, one.difference.high
    what = "more" if change > 0 else "less"
    unit = abs(change), min(abs(low), abs(high)), max(abs(low), abs(high))
    texts = [change_text(name, value).lstrip("+−±") for value in unit]
    return f"{NAMES[name]} {texts[0]} {what} ({texts[1]} to {texts[2]})"


def _deferred(figures: Mapping[str, Compared]) -> Iterator[str]:
    """That a difference in profit is one of time, or hidden by it: open orders yield theirs after the end."""
    if not {"profit", "completed", "lost", "wip_end"} <= figures.keys() or not figures["wip_end"].real:
        return
    profit, left = figures["profit"], figures["wip_end"].difference.mean
    ended = figures["completed"].baseline.mean + figures["lost"].baseline.mean
    each = profit.baseline.mean / ended if ended > 0 else 0.0
    if not isfinite(each) or each <= 0 or abs(left * each) <= WORTH_TELLING * abs(profit.difference.mean):
        return
    if left * profit.difference.mean > 0:
        so = "the difference in profit is told too small"
    else:
        share = "all" if abs(left * each) >= NEARLY_ALL * abs(profit.difference.mean) else "part"
        so = f"{share} of the difference in profit may be one of time"
    yield (
        f"Profit counts orders that ended: {number(abs(left))} {'more' if left > 0 else 'fewer'} are open at "
        f"the end than in the baseline; their profit is still to come, about {number(abs(left * each))} at "
        f"the baseline's mean of {number(each)} an order. So {so}; a longer "
        "--horizon leaves less of that."
    )


def _unclear(name: str, one: Compared, replications: int) -> str:
    told = (
        f"{NAMES[name][:1].upper()}{NAMES[name][1:]}: no difference can be told from chance after "
        f"{replications} runs ({between_text(name, one.difference.low, one.difference.high)})"
    )
    if one.more_runs is None:
        return f"{told}."
    seen = change_text(name, one.difference.mean)
    if one.more_runs > MOST_RUNS:
        return f"{told}; if there is one it is too small for a million runs to tell."
    return f"{told}; if it is as large as seen ({seen}), {_more_runs(one.more_runs)} would tell it."


def _more_runs(count: int) -> str:
    return "about one more run" if count == 1 else f"about {count:,} more runs"


def recovery_text(one: Recovery, dates: Sequence[datetime]) -> str:
    """When a course left the baseline's and was back."""
    name = one.series[:1].upper() + one.series[1:]
    if one.left is None:
        return f"{name}: never really different from the baseline."
    text = (
        f"{name}: different from the baseline from {instant(one.left)} on{_after(one.left, dates)}, most at "
    )
    text += f"{instant(one.largest_at)} ({change_text('', one.largest)})"
    if one.back is None:
        return f"{text}, and still so at the end."
    return f"{text}, and back from {instant(one.back)} on{_after(one.back, dates)}."


def _after(moment: datetime, dates: Sequence[datetime]) -> str:
    """How long after the scenario's last date before it."""
    earlier = [date for date in dates if date <= moment]
    if not earlier:
        return ""
    since = (moment - max(earlier)).total_seconds()
    return f", {span(since)} after the change of {instant(max(earlier))}" if since else ""


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(NAMES[name] for name in names)
    return text[:1].upper() + text[1:]
