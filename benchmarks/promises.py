"""Are promises kept? Forecasts and quotes on known twins, held against what the known twin itself did.

    python -m benchmarks.promises [--states 110] [--workers 2] [--work build/promises] [--page-only]

Each state is of a run of its own: some weeks from an empty start, then the instant at which an order arrives.
What a log would hold then goes to the twin that made it, and to the twin that is built from a log of its own
of 2,000 orders (as `tracetwin build` does, with all its choices). Forecast: the orders that are open, 90 %
intervals. Quote: the arriving order, and one more on each of the days that follow, at 80 %. Arrivals stand in
the logs as a task of no length, or orders that wait for their first task would be hidden from everybody. A
JSON line is appended for each state; a run that is ended goes on. The page docs/promises.md is written from
what is there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.keeping import append, rows_of, version
from metagraph.distributions import Constant, Fitted
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Flow, Task

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.run import Run

ROOT = Path(__file__).resolve().parent.parent
DAY = 86400.0
WARM_WEEKS, TAIL_WEEKS = 4, 3
FUTURES, QUOTE_FUTURES = 99, 49
"""With these the 5 %, 80 % and 95 % quantiles are order statistics themselves."""
QUOTES = 5
"""A run, a day apart."""
TRAINING = 2000
TRUE, FOUND = "true", "rediscovered"


def worlds() -> dict[str, Metagraph]:
    """The known twins, whose logs show arrivals."""
    from benchmarks.known_twins import random_twin
    from examples.order_to_cash import known_twin

    found = {"order to cash": known_twin()} | {f"random {seed}": random_twin(seed)[0] for seed in SEEDS}
    return {name: received(steady(twin)) for name, twin in found.items()}


SEEDS = (3, 7, 15)


def steady(twin: Metagraph) -> Metagraph:
    """Without days that are busier than others by chance: what came today would tell of the rest of the day,
    and no forecast looks at that."""
    assert twin.arrivals is not None
    return replace(twin, arrivals=replace(twin.arrivals, dispersion=0.0))


def received(twin: Metagraph) -> Metagraph:
    """With a first task of no length that needs nobody."""
    start = next(node.id for node in twin.nodes if node.kind == "start")
    task = Task("received", "Received", DurationTable((DurationRow(Fitted(Constant(0.0))),)))
    flows = tuple(replace(flow, source=task.id) if flow.source == start else flow for flow in twin.flows)
    return replace(twin, nodes=(*twin.nodes, task), flows=(*flows, Flow("received first", start, task.id)))


def watched(twin: Metagraph, seed: int, replication: int, weeks: float) -> Run:
    """A run from an empty start, of all orders that arrive in so many weeks, to their end."""
    from datetime import timedelta

    from benchmarks.known_logs import START
    from simulation.arrivals import draw_orders, monday
    from simulation.engines import run
    from simulation.lowering import lower

    start = START + timedelta(days=7 * (replication % 26))
    origin = monday(start)
    until_s = weeks * 7 * DAY
    orders = draw_orders(
        twin, start, origin=origin, seed=seed, replication=replication, until_s=until_s, first_at_start=False
    )
    return run(lower(twin, orders, origin=origin), seed, replication)


def rediscovered(name: str, twin: Metagraph, work: Path) -> Metagraph:
    """Built from a log of the known twin that has nothing to do with the states; made once."""
    from benchmarks.known_states import known_at
    from calibration.settings import Settings
    from discovery.miners import load as load_miners
    from metagraph.json_io import load, save
    from twin.build import NOISES, fitted
    from twin.progress import Progress
    from twin.select import select

    path = work / f"{name.replace(' ', '_')}.json"
    if not path.exists():
        assert twin.arrivals is not None
        run = watched(twin, 77, 0, TRAINING / sum(twin.arrivals.rates_per_h))
        known = known_at(run, float(run.release_s.max()))
        load_miners()
        chosen = select(known, Settings(), NOISES, 0, Progress())
        model = fitted(known, chosen.recipe, chosen.settings, 0)
        # The log's columns are called as the known twin calls them.
        save(model, path)
    return load(path)


@dataclass(frozen=True, slots=True)
class Unit:
    """One state of one world."""

    world: str
    state: int
    work: Path


def run_unit(unit: Unit) -> dict[str, Any]:
    """Rows of one state: covered orders and kept quotes, by twin."""
    import time

    from benchmarks.known_states import known_at

    begun = time.process_time()
    twin = worlds()[unit.world]
    models = {TRUE: twin, FOUND: rediscovered(unit.world, twin, unit.work)}
    run = watched(twin, 5, 1 + unit.state, WARM_WEEKS + TAIL_WEEKS + QUOTES / 7)
    first_s = (WARM_WEEKS * 7 + np.random.default_rng([8, unit.state]).uniform(0, 7)) * DAY
    arriving = [int(np.searchsorted(run.release_s, first_s + k * DAY)) for k in range(QUOTES)]
    arriving = list(dict.fromkeys(i for i in arriving if i < len(run.release_s)))
    at_s = float(run.release_s[arriving[0]])
    known = known_at(run, at_s)
    row: dict[str, Any] = {"world": unit.world, "state": unit.state, "open": int(known.is_open.sum())}
    for name, model in models.items():
        row[name] = {"levels": _levels(model, known, run), "quotes": _quotes(model, run, arriving)}
    return row | {"cpu_s": round(time.process_time() - begun, 2)}


def _levels(model: Metagraph, known: Snapshot, run: Run) -> list[int]:
    """Per open order how many of the 19 quantiles lie before its true completion."""
    from twin.forecast import forecast

    done_s = dict(zip(run.order_ids, np.fmin(run.completed_s, run.lost_s).tolist(), strict=True))
    found = forecast(model, known, open_rule="", replications=FUTURES, seed=1 + int(known.until_s), workers=1)
    return [
        sum((quantile - known.origin).total_seconds() < done_s[order.case_id] for quantile in order.quantiles)
        for order in found.orders
    ]


def _quotes(model: Metagraph, run: Run, arriving: Sequence[int]) -> list[list[float]]:
    """Per quote: whether it was kept at 50, 80 and 95 %, and lead time promised at 80 % and taken, hours."""
    from benchmarks.known_states import known_at
    from metagraph.orders import Order
    from twin.futures import Future
    from twin.horizons import arrivals_until
    from twin.quote import promises, quoted
    from twin.quote_asked import QUOTED
    from twin.state import state_of

    rows = []
    names = {code: name for name, code in run.program.network.segments.items()}
    for i in arriving:
        at_s = float(run.release_s[i])
        known = known_at(run, at_s, without=i)
        state, _ = state_of(model, known)
        segment = names.get(int(run.program.orders.table["segment"][i]), "") or ""
        future = Future(
            model,
            state,
            known.origin,
            1 + i,
            arrivals_until(model, known, ()),
            (Order(QUOTED, at_s, "", segment),),
        )
        dates = promises(quoted(future, QUOTE_FUTURES, workers=1).values, known.origin)
        promised = [(date - known.origin).total_seconds() for date in dates.values()]
        taken = float(np.fmin(run.completed_s, run.lost_s)[i])
        kept = [float(taken <= date) for date in promised]
        rows.append([*kept, round((promised[1] - at_s) / 3600, 3), round((taken - at_s) / 3600, 3)])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what isn't there yet, and write the page."""
    from benchmarks.promises_page import write

    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--states", type=int, default=110, help="of each known twin")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "promises", help="where rows are kept")
    options.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page is written")
    options.add_argument("--page-only", action="store_true")
    asked = options.parse_args(arguments)
    asked.work.mkdir(parents=True, exist_ok=True)
    path = asked.work / "rows.jsonl"
    if not asked.page_only:
        code = version(ROOT)
        done = {(row["world"], row["state"]) for row in rows_of(path)}
        known = worlds()
        for name, twin in known.items():
            rediscovered(name, twin, asked.work)
        todo = [
            Unit(name, state, asked.work)
            for state in range(asked.states)
            for name in known
            if (name, state) not in done
        ]
        sys.stderr.write(f"{len(todo)} to run, {len(done)} there\n")
        with ProcessPoolExecutor(asked.workers, get_context("spawn")) as pool:
            for row in pool.map(run_unit, todo):
                append(path, {"version": code, **row})
                sys.stderr.write(
                    f"{row['world']:14} {row['state']:3} {row['open']:3} open, {row['cpu_s']} CPU s\n"
                )
    print(write(rows_of(path), asked.docs))


if __name__ == "__main__":
    main()
