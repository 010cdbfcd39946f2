"""What replayed periods say of the contenders: ranking, advice at each start, what following it brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import DataError, UsageError
from twin.backtest_ranking import Advice, advise, compare
from twin.backtest_results import BacktestOptions, Followed, Period, PolicyBacktest
from twin.backtest_runs import BETTER, FIGURES, Played
from twin.replay_history import History
from twin.words import number

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.kpis import Interval

_NO_PROFIT = "the profit of orders is the same whatever is tried, for they lose none of it here by being late"

Values = Mapping[str, NDArray[np.float64]]
"""By contender: the objective in each period, turned so that more is better."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A period and the runs of each contender in it."""

    start_s: float
    found: History
    runs: Mapping[str, tuple[Played, ...]]
    lead_h: float
    replayed_h: float
    error_h: float
    orders: int


def _mean(runs: Sequence[Played], figure: str) -> float:
    values = np.array([run.figures[figure] for run in runs])
    return float(values.mean())


def _figures(replays: Sequence[Replayed]) -> list[str]:
    """Names of the figures that all runs have; costs, if there are any, first."""
    names = next(iter(replays[0].runs.values()))[0].figures
    return [*(name for name in names if name not in FIGURES), *FIGURES]


def decides(wanted: str, replays: Sequence[Replayed], own: str) -> str:
    """The figure that decides: the one that is wanted, else the first that is known and differs."""
    told = _figures(replays)
    if wanted:
        if wanted not in told:
            raise UsageError(f"--objective {wanted}: take one of {', '.join(told)}")
        known = [wanted]
    else:
        known = [name for name in ("net", "profit", "late_h", "lead_h") if name in told]
    told_of = [name for name in known if not any(np.isnan(_mean(one.runs[own], name)) for one in replays)]
    # What is the same whatever is tried ranks nothing: profit, where orders lose none of it by being late.
    for figure in told_of:
        if not _same(figure, replays):
            return figure
    if told_of:
        return told_of[0]
    what = "values" if known[0] in ("net", "profit") and len(known) == 1 else "due dates or completed orders"
    raise DataError(f"{known[-1]} can't be told in every period: the log's orders have no {what} there")


def _valued(replays: Sequence[Replayed]) -> bool:
    """Whether the profit of orders is known in every period."""
    return not any(np.isnan(_mean(runs, "profit")) for one in replays for runs in one.runs.values())


def _same(figure: str, replays: Sequence[Replayed]) -> bool:
    """Whether a figure is that of all contenders alike in every period, but for the order of its summands."""
    means = np.array([[_mean(runs, figure) for runs in one.runs.values()] for one in replays])
    return bool(np.allclose(means, means[:, :1], rtol=1e-12, atol=0.0, equal_nan=True))


def judged(
    log: Snapshot,
    options: BacktestOptions,
    replays: Sequence[Replayed],
    told: Sequence[Sequence[Replayed]],
) -> PolicyBacktest:
    """The periods judged; the first contender is what is in force. `told`: per period those before it, as
    they were known at its start.

    Raises UsageError for an unknown objective, DataError for one that the log can't tell.
    """
    names = list(replays[0].runs)
    own = names[0]
    objective = decides(options.objective, replays, own)
    values = _values(replays, names, objective)
    advice = [advise(_values(past, names, objective), own, options.margin) for past in told]
    periods = tuple(_periods(log, names, options, replays, values, advice))
    return PolicyBacktest(
        twin=replays[0].found.metagraph.name,
        log=log.name,
        objective=objective,
        own=own,
        replications=options.replications,
        seed=options.seed,
        margin=options.margin,
        periods=periods,
        ranking=compare(values, own),
        differences=_differences(names, replays),
        followed=tuple(_followed(periods, values, own)),
        next=advise(values, own, options.margin),
        notes=tuple(_notes(objective, options, replays)),
    )


def _values(replays: Sequence[Replayed], names: Sequence[str], objective: str) -> Values:
    """The objective in each period that tells it."""
    sign = BETTER[objective]
    rows = np.array([[sign * _mean(one.runs[name], objective) for name in names] for one in replays])
    rows = rows.reshape(len(replays), len(names))
    return dict(zip(names, rows[~np.isnan(rows).any(axis=1)].T, strict=True))


def _periods(
    log: Snapshot,
    names: Sequence[str],
    options: BacktestOptions,
    replays: Sequence[Replayed],
    values: Values,
    advice: Sequence[Advice],
) -> Iterator[Period]:
    own, told = names[0], _figures(replays)
    for i, one in enumerate(replays):
        start = log.origin + timedelta(seconds=one.start_s)
        known_s = one.found.known_s
        yield Period(
            start=start,
            end=start + timedelta(seconds=options.period_s),
            orders=one.orders,
            open_at_start=len(one.found.state.orders),
            lead_h=one.lead_h,
            replayed_h=one.replayed_h,
            error_h=one.error_h,
            held=one.found.held,
            placed=one.found.placed / max(one.found.executed, 1),
            known=log.origin + timedelta(seconds=known_s) if np.isfinite(known_s) else None,
            figures={name: {figure: _mean(one.runs[name], figure) for figure in told} for name in names},
            advice=advice[i],
            gain=float(values[advice[i].policy][i] - values[own][i]),
            best=max(names, key=lambda name: values[name][i]),
        )


def _differences(names: Sequence[str], replays: Sequence[Replayed]) -> dict[str, dict[str, Interval]]:
    from simulation.kpis import interval

    own = names[0]
    return {
        name: {
            figure: interval(
                [_mean(one.runs[name], figure) - _mean(one.runs[own], figure) for one in replays]
            )
            for figure in _figures(replays)
        }
        for name in names
        if name != own
    }


def _followed(
    periods: Sequence[Period],
    values: Values,
    own: str,
) -> Iterator[Followed]:
    """The advice beside the best single policy and the best of each period, both known in hindsight only."""
    from simulation.kpis import interval

    yield Followed("the advice", interval([period.gain for period in periods]))
    best = max(values, key=lambda name: values[name].mean())
    yield Followed(f"{best}, best in hindsight", interval(values[best] - values[own]))
    highest = np.max(np.array(list(values.values())), axis=0)
    yield Followed("the best of each period, in hindsight", interval(highest - values[own]))


def _notes(objective: str, options: BacktestOptions, replays: Sequence[Replayed]) -> Iterator[str]:
    if objective == "lead_h" and not options.objective:
        why = _NO_PROFIT if _valued(replays) else "the log's orders have neither values nor due dates"
        yield f"{why}: policies are compared by the mean time from an order's first event to its last"
    if objective == "net" and _same("profit", replays):
        yield (
            f"{_NO_PROFIT}, so profit after cost differs by the cost alone: other figures say what is "
            "gained, and --objective late_h, on_time or lead_h judges by one of them"
        )
    if objective == "late_h" and not options.objective:
        why = _NO_PROFIT if _valued(replays) else "the log's orders have no values"
        yield f"{why}: policies are compared by hours past the due date"
    cut = sum(run.cut for one in replays for runs in one.runs.values() for run in runs)
    if cut:
        yield f"{cut} runs were broken off because orders piled up: their figures are too good"
    lead = float(np.nanmean([one.lead_h for one in replays]))
    error = float(np.nanmean([one.error_h for one in replays]))
    yield (
        f"replayed under the policy in force, orders end {number(error)} h off on average where they took "
        f"{number(lead)} h: differences much smaller than that rest on the twin"
    )
    held = np.mean([one.found.held for one in replays])
    if held > 0.05:
        yield (
            f"in {held:.0%} of the waiting before work somebody was free to begin: the twin takes that for "
            "delays from outside, which no policy here changes"
        )
    unknown = sum(not np.isfinite(one.found.known_s) for one in replays)
    if unknown:
        yield (
            f"in {unknown} of {len(replays)} periods an order is still open at the end of the log: the rest "
            "of it is drawn"
        )
    placed = sum(one.found.placed for one in replays) / max(sum(one.found.executed for one in replays), 1)
    if placed < 0.995:
        yield f"{1 - placed:.1%} of the executions have no place in the twin, and are left out of the replay"
