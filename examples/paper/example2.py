"""Example 2 of the paper: the same network under more and more orders.

    python -m examples.paper.example2 [--seeds 30] [--orders 1-40] [--work build/example2] [--out docs]

For each seed 40 orders are drawn; the first n of them are planned and simulated, n from 1 to 40. A line is
appended for each (seed, n) that is done, with the code's version: a stopped run goes on. Each optimum must be
that of an assignment of orders to slots, which another algorithm finds; otherwise the run ends. The page is
docs/example2.md, with the curves of Figure 12.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.keeping import append, rows_of, version
from examples.paper.small_network import (
    HEURISTICS,
    HOUR,
    assigned,
    outcome,
    planned,
    planned_outcome,
    simulated,
)
from metagraph.orders import Order

ROOT = Path(__file__).resolve().parents[2]
HORIZON_H = 20.0
SOONEST_H = 6.0
"""The least lead time; no order is due before."""
MOST_ORDERS = 40
SLACK = 1e-6
"""Relative difference up to which two sums of the same profits are equal."""


def orders_of(seed: int, n: int) -> tuple[Order, ...]:
    """The first n of the seed's 40 orders: due uniformly from hour 6 to 20, lost uniformly from then to hour
    20, worth uniformly up to 1000."""
    rng = np.random.default_rng([2, seed])
    due = rng.uniform(SOONEST_H, HORIZON_H, MOST_ORDERS)
    lost = rng.uniform(due, HORIZON_H)
    value = rng.uniform(0.0, 1000.0, MOST_ORDERS)
    return tuple(
        Order(f"{i + 1}", 0.0, value=worth, early_s=0.0, due_s=by * HOUR, lost_s=until * HOUR)
        for i, (worth, by, until) in enumerate(zip(value.tolist(), due.tolist(), lost.tolist(), strict=True))
    )[:n]


def measure(seed: int, n: int) -> dict[str, Any]:
    """Profit, share on time and share fulfilled of each heuristic and of the optimum.

    Raises RuntimeError if the optimum isn't that of the assignment.
    """
    orders = orders_of(seed, n)
    found = {
        name: outcome(orders, simulated(orders, name, seed, HORIZON_H).completed_s.tolist())
        for name in HEURISTICS
    }
    problem, result = planned(orders, HORIZON_H)
    best, oracle = planned_outcome(orders, problem, result), assigned(orders, HORIZON_H)
    for what, profit in {"the plan's profit": best.profit, "the bound": result.bound}.items():
        if abs(profit - oracle.profit) > SLACK * max(1.0, oracle.profit):
            raise RuntimeError(
                f"seed {seed}, {n} orders: {what} is {profit:.6f}, the assignment's {oracle.profit:.6f}"
            )
    figures = {name: (o.profit, o.on_time, o.fulfilled) for name, o in {**found, "MILP": best}.items()}
    model = {"status": result.status, "cpu_s": result.cpu_s, "columns": result.columns, "rows": result.rows}
    return {"seed": seed, "n": n, "figures": figures, "assignment": oracle.profit, **model}


def measure_all(seeds: int, numbers: list[int], work: Path) -> list[dict[str, Any]]:
    """Rows of this version, those that are missing measured now."""
    work.mkdir(parents=True, exist_ok=True)
    path, code = work / "rows.jsonl", version(ROOT)
    wanted = [(seed, n) for seed in range(seeds) for n in numbers]
    done = {(row["seed"], row["n"]): row for row in rows_of(path) if row["version"] == code}
    for k, (seed, n) in enumerate(wanted, 1):
        if (seed, n) not in done:
            done[seed, n] = {"version": code, **measure(seed, n)}
            append(path, done[seed, n])
        if k % 100 == 0:
            sys.stderr.write(f"{k} of {len(wanted)} instances\n")
    return [done[one] for one in wanted]


def numbers_in(text: str) -> list[int]:
    """Of 1-40, or 1,5,12."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--seeds", type=int, default=30)
    options.add_argument("--orders", default=f"1-{MOST_ORDERS}", help="how many: 1-40, or 1,5,12")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "example2")
    options.add_argument("--out", type=Path, default=ROOT / "docs")
    options.add_argument("--page-only", action="store_true", help="from what was measured last")
    asked = options.parse_args()
    from examples.paper.example2_page import write

    if asked.page_only:
        latest = {(row["seed"], row["n"]): row for row in rows_of(asked.work / "rows.jsonl")}
        rows = [latest[key] for key in sorted(latest)]
    else:
        rows = measure_all(asked.seeds, numbers_in(asked.orders), asked.work)
    write(rows, asked.out)
    print(f"{len(rows)} optima, each equal to the assignment's; see {asked.out / 'example2.md'}")


if __name__ == "__main__":
    main()
