"""Policies tried on the past: each period replayed from what was known at its start, by every contender.

docs/decisions/2026-11-22-backtest-policies.md says how, and what is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from twin.as_of import as_of, judged_open
from twin.backtest_judged import Replayed, judged
from twin.backtest_results import BacktestOptions, PolicyBacktest
from twin.backtest_runs import Contender, Measure, Played, play
from twin.progress import Progress
from twin.replay_history import History, history

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

DAY_S = 86400.0
TwinAt = Callable[["Snapshot"], Metagraph]


def refitted_to(model: Metagraph, seed: int | None = None) -> TwinAt:
    """The twin fitted to what was known; it keeps the choices that were made for it."""
    from twin.rebuild import refit

    def twin(known: Snapshot) -> Metagraph:
        return refit(model, judged_open(known, model.closing), seed=seed)

    return twin


def backtest(
    log: Snapshot,
    contenders: Sequence[Contender],
    twin_at: TwinAt,
    options: BacktestOptions,
    progress: Progress | None = None,
) -> PolicyBacktest:
    """Every contender on every period; the first one is what is in force.

    `log` is all that is known now. Raises UsageError for periods that the log doesn't hold, DataError for
    what can't be replayed.
    """
    progress = progress or Progress()
    starts = starts_of(log, options)
    replays = []
    for i, start_s in enumerate(starts):
        share = progress.part(0.5 * i / len(starts), 0.5 * (i + 1) / len(starts))
        replays.append(_replay(log, contenders, twin_at, options, start_s, share))
    told = [
        _told(log, contenders, options, replays, i, progress.part(0.5 + 0.5 * i / len(starts), 1.0))
        for i in range(len(replays))
    ]
    return judged(log, options, replays, told)


def _as_it_was(metagraph: Metagraph) -> TwinAt:
    return lambda known: metagraph


def _told(
    log: Snapshot,
    contenders: Sequence[Contender],
    options: BacktestOptions,
    replays: Sequence[Replayed],
    number: int,
    progress: Progress,
) -> list[Replayed]:
    """The periods before one, as the log told of them at its start: where orders were still open then, the
    rest of them is drawn. Contenders that plan are costly: of them only what was known in full counts."""
    now_s, found = replays[number].start_s, []
    again = not any(contender.how for contender in contenders)
    for one in replays[:number]:
        if one.found.known_s <= now_s:
            found.append(one)
        elif again:
            known, then = as_of(log, now_s), _as_it_was(one.found.metagraph)
            found.append(_replay(known, contenders, then, options, one.start_s, progress))
    return found


def starts_of(log: Snapshot, options: BacktestOptions) -> tuple[float, ...]:
    """When periods begin, seconds since the log's origin. Raises UsageError where they don't fit."""
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(log)
    n, length = options.periods, options.period_s
    if n < 1:
        raise UsageError(f"--periods {n}: give at least 1")
    begin_s = float(first.min())
    since_s = options.since_s
    if n * length > log.until_s - begin_s:
        raise UsageError(
            f"{n} periods of {length / DAY_S:g} days are {n * length / DAY_S:g} days, and the log has only "
            f"{(log.until_s - begin_s) / DAY_S:.0f}: take fewer with --periods, or shorter ones with --period"
        )
    if since_s is None:
        done = (last - first)[~log.is_open]
        span = log.until_s - begin_s
        guard = min(float(np.quantile(done, 0.9)) if len(done) else 0.0, 0.15 * span)
        since_s = (log.until_s - guard - n * length) // DAY_S * DAY_S
    # Something has to be known at the first start.
    if since_s <= begin_s or since_s + n * length > log.until_s + 1.0:
        since, begin, until = (log.origin + timedelta(seconds=t) for t in (since_s, begin_s, log.until_s))
        raise UsageError(
            f"{n} periods of {length / 86400:g} days from {since:%Y-%m-%d %H:%M} don't fit into the log, "
            f"which goes from {begin:%Y-%m-%d} to {until:%Y-%m-%d}: take fewer or shorter ones, "
            "or another --since"
        )
    return tuple(since_s + i * length for i in range(n))


def _replay(
    log: Snapshot,
    contenders: Sequence[Contender],
    twin_at: TwinAt,
    options: BacktestOptions,
    start_s: float,
    progress: Progress,
) -> Replayed:
    """One period."""
    progress.step("fitting the twin to what was known", 0.0)
    metagraph = twin_at(as_of(log, start_s))
    end_s = start_s + options.period_s
    # Orders that come in the next period compete with these; later ones hardly meet them.
    found = history(metagraph, log, start_s, min(end_s + options.period_s, log.until_s))
    measure = Measure(start_s, end_s)
    runs: dict[str, tuple[Played, ...]] = {}
    for i, contender in enumerate(contenders):
        part = progress.part(0.3 + 0.7 * i / len(contenders), 0.3 + 0.7 * (i + 1) / len(contenders))
        runs[contender.name] = play(
            found,
            contender,
            measure,
            replications=options.replications,
            seed=options.seed,
            workers=options.workers,
            progress=part,
        )
    lead, replayed, error, orders = _fidelity(found, runs[contenders[0].name], end_s)
    return Replayed(start_s, found, runs, lead, replayed, error, orders)


def _fidelity(found: History, runs: Sequence[Played], end_s: float) -> tuple[float, float, float, int]:
    """Mean lead time as it was and as replayed, mean absolute error of ends; hours; and orders that count."""
    orders = [*(one.order for one in found.state.orders), *found.orders]
    orders = [order for order in orders if order.release_s < end_s]
    ended = np.array([found.ended_s.get(order.id, np.nan) for order in orders])
    release = np.array([order.release_s for order in orders])
    done = np.array([run.done_s for run in runs])
    both = ~np.isnan(ended) & ~np.isnan(done).any(axis=0)
    if not both.any():
        return float("nan"), float("nan"), float("nan"), len(orders)
    return (
        float((ended - release)[both].mean()) / 3600,
        float((done - release)[:, both].mean()) / 3600,
        float(np.abs(done - ended)[:, both].mean()) / 3600,
        len(orders),
    )
