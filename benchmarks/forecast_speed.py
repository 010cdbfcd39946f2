"""How long does a forecast take? 100 open orders, the arrivals of a week, 200 futures: at most 2 s.

    python -m benchmarks.forecast_speed [--repeats 5] [--workers N]

The bundled order-to-cash process, with 1.6 times its orders so that 100 are open. Times are of `forecast`
from the state's replay to the finished result, after the imports and with compiled kernels at hand; the
reference engine runs a tenth of the futures, and its time is scaled. Prints a table.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

OPEN = 100
BUSIER = 1.6
WEEK_H = 168.0
FUTURES = 200


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--workers", type=int)
    asked = options.parse_args()
    twin, known = crowded()
    _once(twin, known, 2, asked.workers)
    wall, cpu = zip(*(_once(twin, known, FUTURES, asked.workers) for _ in range(asked.repeats)), strict=True)
    few = FUTURES // 10
    simulated_s, reference_s = (_simulated(twin, known, few, engine) for engine in ("kernel", "reference"))
    out = sys.stdout.write
    out(f"{int(known.is_open.sum())} open orders, {_arrivals(twin):.0f} arrivals in the week, ")
    out(f"{FUTURES} futures\n")
    out(f"forecast: {min(wall):.2f} s at best, {sorted(wall)[len(wall) // 2]:.2f} s in the middle; ")
    out(f"{min(cpu):.2f} CPU s\n")
    out(f"simulation alone, a future: kernel {1000 * simulated_s:.2f} ms, ")
    out(f"reference {1000 * reference_s:.2f} ms ({reference_s / simulated_s:.0f} times)\n")


def crowded() -> tuple[Metagraph, Snapshot]:
    """The process, and what is known when OPEN orders are open that have begun."""
    import numpy as np

    from benchmarks.known_states import known_at
    from examples.order_to_cash import START, known_twin
    from twin.simulate import simulate

    twin = known_twin()
    assert twin.arrivals is not None
    rates = tuple(BUSIER * rate for rate in twin.arrivals.rates_per_h)
    twin = replace(twin, arrivals=replace(twin.arrivals, rates_per_h=rates))
    run = simulate(twin, start=START, cases=1200, seed=1)
    first = np.full(len(run.order_ids), np.inf)
    np.minimum.at(first, run.order, run.start_s)
    gone = np.fmin(run.completed_s, run.lost_s)
    for at_s in np.sort(first)[OPEN:]:
        if ((first <= at_s) & ~(gone <= at_s)).sum() >= OPEN:
            return twin, known_at(run, float(at_s))
    raise AssertionError("never so many were open")


def _once(twin: Metagraph, known: Snapshot, futures: int, workers: int | None) -> tuple[float, float]:
    """Wall-clock and CPU seconds."""
    from twin.forecast import forecast

    wall, cpu = time.perf_counter(), time.process_time()
    forecast(twin, known, open_rule="", replications=futures, horizons_h=_days(), workers=workers)
    return time.perf_counter() - wall, time.process_time() - cpu


def _days() -> tuple[float, ...]:
    return tuple(6.0 * (k + 1) for k in range(int(WEEK_H / 6.0)))


def _simulated(twin: Metagraph, known: Snapshot, futures: int, engine: str) -> float:
    """CPU seconds a future, with its program made before."""
    from simulation.engines import run
    from twin.futures import Future
    from twin.state import state_of

    state, _ = state_of(twin, known)
    future = Future(twin, state, known.origin, 0, known.until_s + WEEK_H * 3600)
    programs = [future(i) for i in range(futures)]
    begun = time.process_time()
    for i, program in enumerate(programs):
        run(program, 0, i, engine="kernel" if engine == "kernel" else "reference")
    return (time.process_time() - begun) / futures


def _arrivals(twin: Metagraph) -> float:
    assert twin.arrivals is not None
    return sum(twin.arrivals.rates_per_h) * WEEK_H / len(twin.arrivals.rates_per_h)


if __name__ == "__main__":
    main()
