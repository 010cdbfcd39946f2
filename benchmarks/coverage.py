"""Do forecast intervals hold? The example's known process makes logs; its forecasts are held against them.

    python benchmarks/coverage.py [--seeds 101,202] [--replications 60]

Each log has 700 orders; at six instants, six days apart, every open order is forecast from what was known.
Prints a line an instant (orders, median error in hours) and the shares of completions outside the interval.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FIRST = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", default="101,202")
    options.add_argument("--replications", type=int, default=60)
    asked = options.parse_args()
    shares: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in map(int, asked.seeds.split(",")):
            shares += _foreseen(seed, asked.replications, Path(folder))
    pit = np.array(shares)
    early, late = (pit == 0).mean(), (pit == 1).mean()
    sys.stdout.write(
        f"{len(pit)} forecasts: {early:.1%} completed before q05, {late:.1%} after q95, "
        f"{1 - early - late:.1%} between; mean level {pit.mean():.3f}\n"
    )


def _foreseen(seed: int, replications: int, folder: Path) -> list[float]:
    """Per forecast the share of its quantiles that lie before the true completion."""
    from metagraph.json_io import load
    from simulation.lowering_names import names_of
    from simulation.orders import as_orders
    from twin.files import write_frame
    from twin.forecast import forecast
    from twin.frames import frame_of_run
    from twin.simulate import simulate
    from twin.source import LogRequest, read_log

    known = load(ROOT / "examples" / "order_to_cash.twin.json")
    run = simulate(known, start=datetime(2026, 3, 2, 8, tzinfo=UTC), cases=700, seed=seed)
    arrived = as_orders(names_of(known), run.program.orders)
    segments = {order.id: order.segment for order in arrived}
    frame = frame_of_run(run)
    log, listed = folder / f"log{seed}.csv", folder / "open.txt"
    write_frame(log, frame.assign(segment=frame["case_id"].map(segments)))
    first, last = frame.groupby("case_id")["start_time"].min(), frame.groupby("case_id")["end_time"].max()
    shares: list[float] = []
    for k in range(6):
        at = FIRST + timedelta(days=6 * k + (k % 3) * 0.2)
        listed.write_text("\n".join(c for c in last.index if first[c] <= at < last[c]), encoding="utf-8")
        request = LogRequest(str(log), db=str(folder / f"{seed}.duckdb"), until=at, open_file=listed)
        found = forecast(
            known, read_log(request).snapshot, open_rule="", replications=replications, seed=7, workers=1
        )
        errors = []
        for order in found.orders:
            done = last[order.case_id].to_pydatetime()
            shares.append(float(np.mean([q < done for q in order.quantiles])))
            errors.append((done - order.quantiles[9]).total_seconds() / 3600)
        sys.stdout.write(
            f"log {seed}, {at:%Y-%m-%d %H:%M}: {len(errors)} orders, {np.median(errors):+.2f} h\n"
        )
        sys.stdout.flush()
    return shares


if __name__ == "__main__":
    main()
