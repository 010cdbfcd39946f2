"""What a backtest of policies found, period by period and over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulation.kpis import Interval
from twin.backtest_ranking import Advice, Compared

WEEK_S = 7 * 86400.0
PERIODS = 8
REPLICATIONS = 8
MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What to replay, and how often."""

    period_s: float = WEEK_S
    periods: int = PERIODS
    since_s: float | None = None
    """Start of the first period, seconds since the log's origin; None: so that the last one ends where the
    orders of the log mostly are over."""
    replications: int = REPLICATIONS
    seed: int = 0
    workers: int | None = None
    margin: float = MARGIN
    """A gain that is too small to matter, as a share."""
    objective: str = ""
    """One of FIGURES; '': profit if orders have values that what is tried changes, else hours late if they
    have dates, else hours."""


@dataclass(frozen=True, slots=True)
class Period:
    """One period of the past, and what was made of it."""

    start: datetime
    end: datetime
    orders: int
    """Open at its start or released in it: those that count."""
    open_at_start: int
    lead_h: float
    """Of those that are over, as the log has it."""
    replayed_h: float
    """Of the same orders, replayed under the policy in force."""
    error_h: float
    """Mean absolute error of their ends, replayed."""
    held: float
    """Share of the waiting before work that no policy changes, as somebody was free to begin."""
    placed: float
    """Share of their executions that have a place in the twin of then."""
    known: datetime | None
    """When all that was used of this period was known; None: it still isn't."""
    figures: Mapping[str, Mapping[str, float]]
    """By contender and figure: mean over the replications."""
    advice: Advice
    """At its start, from the periods known by then."""
    gain: float
    """Of following the advice, over the policy in force, in units of the objective; more is better."""
    best: str
    """Contender that turned out best."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What it would have brought to follow something, beside staying; per period, more is better."""

    name: str
    gain: Interval


@dataclass(frozen=True, slots=True)
class PolicyBacktest:
    """Contenders over the past."""

    twin: str
    log: str
    objective: str
    own: str
    replications: int
    seed: int
    margin: float
    periods: tuple[Period, ...]
    ranking: tuple[Compared, ...]
    """In the objective, turned so that more is better; the best first."""
    differences: Mapping[str, Mapping[str, Interval]]
    """By contender and figure: it minus the policy in force, over the periods."""
    followed: tuple[Followed, ...]
    next: Advice
    """For what comes now, from all periods that are known."""
    notes: tuple[str, ...]


def read_backtest(text: str) -> PolicyBacktest:
    """The inverse of `json_out.dump`: JSON has no word for a number that isn't there."""
    import json

    from twin.json_out import read

    def numbers(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: numbers(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [numbers(part) for part in value]
        return "nan" if value is None and name != "known" else value

    return read(PolicyBacktest, json.dumps(numbers(json.loads(text))))
