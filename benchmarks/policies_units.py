"""Known processes whose orders have values and due dates, their pasts, and what is true of policies."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.known_logs import START
from benchmarks.known_twins import lognormal, random_twin
from metagraph.distributions import Fitted, Parametric
from metagraph.model import Metagraph
from metagraph.orders import OrderClass, OrderModel, ProfitShape

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.run import Run
    from twin.backtest_policies import TwinAt
    from twin.backtest_results import PolicyBacktest

POLICIES = ("own", "P", "D", "S", "PD", "LIFO")
PAST, LONG = 1200, 30_000
"""Orders of the log, and of each long simulation."""
PERIODS = 8
COLUMNS = {"value": "value", "due": "due_date"}


def known(seed: int) -> Metagraph:
    """A random process whose orders differ in worth and promise: due after .5 to 1.5 mean lead times."""
    from simulation.kpis import kpis
    from twin.simulate import simulate

    twin, _ = random_twin(seed)
    lead_s = kpis(simulate(twin, start=START, cases=2000, seed=seed)).cycle_mean_s
    due = Fitted(Parametric("uniform", (0.5 * lead_s, lead_s)), 0, "human")
    kind = OrderClass("", "", 1.0, 0, Fitted(lognormal(1000.0, 1.0), 0, "human"), due)
    shape = ProfitShape(1.0, 1.0, 0.8, 0.8, 0.0)
    return replace(twin, orders=OrderModel((kind,), shape, COLUMNS))


def truth(twin: Metagraph, seed: int) -> dict[str, float]:
    """Profit an order under each policy, from other orders, simulated from beginning to end."""
    from simulation.kpis import kpis
    from twin.policies import Wanted, policy_of
    from twin.simulate import simulate

    found = {}
    for name in POLICIES:
        policy = policy_of(Wanted(policy=name), Path())
        run = simulate(twin, start=START, cases=LONG, seed=seed + 7_000_000, policy=policy)
        found[name] = kpis(run).profit / LONG
    return found


def past(twin: Metagraph, seed: int) -> Snapshot:
    """The log of a process until the last order comes, with values and due dates."""
    from eventlogs.split import known_at
    from twin.simulate import simulate

    run = simulate(twin, start=START, cases=PAST, seed=seed)
    return known_at(log_of(run, twin), float(run.release_s.max()))


def log_of(run: Run, twin: Metagraph) -> Snapshot:
    """All of a run as a log, in floats."""
    from eventlogs.snapshot import NO_RESOURCE, Snapshot, no_pauses, sealed
    from simulation.lowering_names import names_of
    from simulation.orders import as_orders

    log = run.executions
    first = np.full(len(run.order_ids), np.inf)
    np.minimum.at(first, log.order, log.start_s)
    kept = np.argsort(first, kind="stable")
    kept = kept[np.isfinite(first[kept])]
    rank = np.full(len(first), -1)
    rank[kept] = np.arange(len(kept))
    rows = np.lexsort((log.start_s, log.end_s, rank[log.order]))
    orders = list(as_orders(names_of(twin), run.program.orders))
    due = [run.origin + timedelta(seconds=float(orders[i].due_s or 0.0)) for i in kept]
    return sealed(
        Snapshot(
            name=twin.name,
            origin=run.origin,
            until_s=run.until_s,
            cases=tuple(run.order_ids[i] for i in kept),
            activities=run.labels,
            resources=run.agents,
            offsets=np.concatenate([[0], np.cumsum(np.bincount(rank[log.order], minlength=len(kept)))]),
            activity=run.task[rows].astype(np.int32),
            resource=np.where(log.agent[rows] < 0, NO_RESOURCE, log.agent[rows]).astype(np.int32),
            start_s=log.start_s[rows].copy(),
            end_s=log.end_s[rows].copy(),
            is_open=np.zeros(len(kept), np.bool_),
            attributes={
                "value": tuple(str(orders[i].value) for i in kept),
                "due_date": tuple(moment.isoformat() for moment in due),
            },
            single_timestamp=False,
            content_hash="",
            pauses=no_pauses(),
        )
    )


def measure(seed: int, twin: str) -> dict[str, Any]:
    """One process: its past tried with the `true` twin, or one `found` in what was known at each start."""
    begun = time.process_time()
    process = known(seed)
    log = past(process, seed)
    told = _backtest(log, (lambda _: process) if twin == "true" else found_in(process))
    true = truth(process, seed)
    ranked = [one.policy for one in told.ranking]
    best = max(true, key=lambda name: true[name])
    spread = max(true.values()) - min(true.values())
    shown = [one for one in told.ranking if one.shown]
    wrong = [one.policy for one in shown if (one.difference > 0) != (true[one.policy] > true["own"])]
    gains = [period.gain for period in told.periods]
    return {
        "seed": seed,
        "twin": twin,
        "ranked": ranked,
        "truth": sorted(true, key=lambda name: -true[name]),
        "tau": _tau([one.mean for one in told.ranking], [true[name] for name in ranked]),
        "top": true[ranked[0]],
        "best": true[best],
        "own": true["own"],
        "spread": spread,
        "shown": len(shown),
        "wrong": wrong,
        "covers": next(one.may_be_best for one in told.ranking if one.policy == best),
        "error": float(np.nanmean([p.error_h for p in told.periods]))
        / float(np.nanmean([p.lead_h for p in told.periods])),
        "switched": sum(period.advice.call == "switch" for period in told.periods),
        "gain": float(np.mean(gains)),
        "hindsight": told.followed[1].gain.mean,
        "cpu_s": time.process_time() - begun,
    }


def _backtest(log: Snapshot, twin_at: TwinAt) -> PolicyBacktest:
    from eventlogs.bounds import case_bounds
    from twin.backtest_policies import backtest
    from twin.backtest_results import BacktestOptions
    from twin.backtest_runs import Contender
    from twin.policies import Wanted, policy_of

    contenders = [Contender(name, policy_of(Wanted(policy=name), Path())) for name in POLICIES]
    begin, last = case_bounds(log)
    lead_s = float(np.nanquantile((last - begin)[~log.is_open], 0.9))
    span = log.until_s - lead_s - float(begin.min())
    options = BacktestOptions(
        period_s=0.75 * span / PERIODS,
        periods=PERIODS,
        since_s=float(begin.min()) + 0.25 * span,
        replications=4,
        workers=1,
    )
    return backtest(log, contenders, twin_at, options)


def found_in(process: Metagraph) -> TwinAt:
    """A twin fitted to what was known, all of it: structure, laws, calendars, people."""
    from calibration.settings import OrderSpec, Settings
    from twin.as_of import judged_open
    from twin.build import fitted
    from twin.structures import Recipe

    spec = OrderSpec(value_column="value", due_column="due_date", profit=process.orders.profit)
    settings = Settings(use_priorities=True, orders=spec)

    def twin(known: Snapshot) -> Metagraph:
        return fitted(judged_open(known, None), Recipe(0.0), settings, 0)

    return twin


def _tau(one: list[float], other: list[float]) -> float:
    """Kendall's."""
    from scipy.stats import kendalltau

    value = float(kendalltau(one, other).statistic)
    return value if isfinite(value) else 0.0
