"""Do policies rank on the past as in long simulations, and what is the advice worth?

    python -m benchmarks.policies_backtest [--seeds 40] [--twins true,found] [--work FOLDER]

Known random processes leave a log of 1,200 orders each, with values and due dates. Policies are tried on its
last three quarters, by the process itself and by twins found in what was known at each start; the truth is
30,000 other orders simulated under each policy. A row a process is kept, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.keeping import append, rows_of, version

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--seeds", type=int, default=40, help="so many processes")
    options.add_argument("--twins", default="true,found")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "policies")
    asked = options.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    kept = asked.work / "rows.jsonl"
    done = {(row["seed"], row["twin"]) for row in rows_of(kept)}
    for twin in asked.twins.split(","):
        for seed in range(asked.seeds):
            if (seed, twin) not in done:
                append(kept, _measured(seed, twin))
    for twin in asked.twins.split(","):
        sys.stdout.write(text(twin, [row for row in rows_of(kept) if row["twin"] == twin]) + "\n")


def _measured(seed: int, twin: str) -> dict[str, Any]:
    from benchmarks.policies_units import measure
    from metagraph.errors import TwinError

    try:
        row = measure(seed, twin)
    except TwinError as error:
        row = {"seed": seed, "twin": twin, "failed": str(error)}
    return {**row, "version": version(ROOT)}


def text(twin: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """What was measured, in a paragraph."""
    good = [row for row in rows if "failed" not in row]
    if not good:
        return f"{twin}: nothing measured"
    # Where no policy differs from another by a thousandth there is nothing to rank.
    differ = [row for row in good if row["spread"] > 1e-3 * abs(row["own"])]
    lost = sum(row["best"] - row["top"] for row in differ) / sum(row["best"] - row["own"] for row in differ)
    shown, wrong = sum(row["shown"] for row in good), sum(len(row["wrong"]) for row in good)
    gain, most = sum(row["gain"] for row in good), sum(row["hindsight"] for row in good)
    parts = (
        f"{twin} twin, {len(good)} processes ({len(rows) - len(good)} failed), {len(differ)} of which differ",
        f"Kendall's tau {_mean(differ, 'tau'):.2f}; first = best in {_first(differ)}",
        f"of the best policy's gain over own {lost:.1%} is lost by taking the first",
        f"the best one isn't ruled out in {sum(row['covers'] for row in differ)}",
        f"{shown} differences shown, {wrong} of the wrong sign",
        f"replay error {_mean(good, 'error'):.1%} of the lead time",
        f"advice had {gain / most:.0%} of what the best single policy had in hindsight",
        f"{_mean(good, 'cpu_s'):.0f} CPU s each",
    )
    return "; ".join(parts)


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return sum(float(row[name]) for row in rows) / max(len(rows), 1)


def _first(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["ranked"][0] == row["truth"][0] for row in rows)


if __name__ == "__main__":
    main()
