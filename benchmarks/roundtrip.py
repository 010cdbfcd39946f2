"""Known twins, and what is found of them: makes logs of random processes, builds twins from the logs alone.

    python -m benchmarks.roundtrip [--twins 30] [--cases 1000] [--fitted-only] [--work build/roundtrip]
        [--table-only]

Each known twin leaves a log of `cases` orders, cut where the last one arrives. Two twins are made of it and
compared with the known one (see roundtrip_compare.py): one that `build` chooses, and one that is fitted in a
given way, nothing being chosen (`--fitted-only`: this one alone, which takes seconds). Results are appended
as one JSON line a twin, with the code's version, so that a stopped run goes on; docs/roundtrip.md is written
at the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from metagraph.model import Metagraph
    from twin.source import LogSource

ROOT = Path(__file__).resolve().parent.parent
TEST_CASES = 250
WARM_WEEKS = 2
"""Before a compared period: what waits over a weekend is first seen on Monday, in the first week, too."""
SAMPLES = 4
"""Fresh logs of the truth, and of the twin."""
METRICS = ("NGD", "AEDD", "CEDD", "REDD", "CTDD")
FITTED, BUILT = "fitted", "built"


def main() -> None:
    from benchmarks.keeping import append, rows_of, version
    from benchmarks.roundtrip_page import page

    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    results, code = asked.work / "results.jsonl", version(ROOT)
    ways = (FITTED,) if asked.fitted_only else (FITTED, BUILT)
    wanted = [(seed, way) for seed in range(asked.first, asked.first + asked.twins) for way in ways]
    done = {(row["seed"], row["way"]) for row in rows_of(results) if row["version"] == code}
    for seed, way in () if asked.table_only else wanted:
        if (seed, way) not in done:
            row = {"version": code, **measure(seed, way, asked.cases, asked.work)}
            append(results, row)
            sys.stderr.write(in_a_line(row) + "\n")
    latest = {(r["way"], r["seed"]): r for r in rows_of(results) if r["cases"] == asked.cases}
    text = page([latest[key] for key in sorted(latest)])
    (ROOT / "docs" / "roundtrip.md").write_text(text, encoding="utf-8")


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--twins", type=int, default=30)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--cases", type=int, default=1000)
    options.add_argument("--fitted-only", action="store_true")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "roundtrip")
    options.add_argument("--table-only", action="store_true")
    return options.parse_args()


@dataclass(frozen=True, slots=True)
class Case:
    """A known twin and its log."""

    known: Metagraph
    special: tuple[str, ...]
    log: pd.DataFrame
    source: LogSource
    seed: int

    def samples(self, twin: Metagraph, seed: int) -> list[pd.DataFrame]:
        """Logs of the orders first seen in a period long after, work on earlier ones being under way."""
        from benchmarks.known_logs import START, log_of

        start = START + timedelta(weeks=520)
        seen = start + timedelta(weeks=WARM_WEEKS)
        assert twin.arrivals is not None
        cases = TEST_CASES + round(2 * WARM_WEEKS * sum(twin.arrivals.rates_per_h))
        logs = (log_of(twin, cases, seed, r, cut=False, start=start) for r in range(SAMPLES))
        return [_first_seen(log, seen) for log in logs]


def _first_seen(log: pd.DataFrame, since: datetime) -> pd.DataFrame:
    """The first TEST_CASES cases whose first stamp is no earlier."""
    begun = log.groupby("case_id")["start_time"].min().sort_values(kind="stable")
    kept = begun[begun >= since].index[:TEST_CASES]
    return log[log["case_id"].isin(kept)].reset_index(drop=True)


def case_of(seed: int, cases: int, work: Path) -> Case:
    """Make the log, and read it as a user would."""
    from benchmarks.known_logs import log_of, write_log
    from benchmarks.known_twins import random_twin
    from twin.source import LogRequest, read_log

    known, special = random_twin(seed)
    log = log_of(known, cases, seed)
    path = write_log(work / f"known{seed}.csv", log)
    db = work / f"known{seed}.duckdb"
    for old in (db, db.with_name(db.name + ".wal")):
        old.unlink(missing_ok=True)
    return Case(known, special, log, read_log(LogRequest(str(path), db=str(db))), seed)


def as_fitted(case: Case) -> Metagraph:
    """The strictest structure, its branches told apart by time; all that can make tasks late, on the whole
    log; nothing is chosen."""
    from calibration.settings import Settings
    from twin.build import fitted
    from twin.structures import Recipe

    return fitted(
        case.source.snapshot, Recipe(0.0, apart=True), Settings(use_batching=True, use_priorities=True), 0
    )


def as_built(case: Case) -> Metagraph:
    """What `tracetwin build` makes of it."""
    from calibration.settings import Settings
    from twin.build import BuildRequest, build

    return build(case.source, BuildRequest(f"known {case.seed}", Settings()))


WAYS: dict[str, Callable[[Case], Metagraph]] = {FITTED: as_fitted, BUILT: as_built}


def measure(seed: int, way: str, cases: int, work: Path) -> dict[str, Any]:
    """Make the twin from the log alone, and compare."""
    from benchmarks.known_logs import seen_ready
    from benchmarks.roundtrip_compare import checks, distance_ratios, footprint_agreement, structure

    case = case_of(seed, cases, work)
    known, before = case.known, time.process_time()
    found = WAYS[way](case)
    cpu_s = time.process_time() - before
    fresh, ours = case.samples(known, seed + 7), case.samples(found, seed + 8)
    ready = seen_ready(known, cases, seed)
    provenance = found.provenance
    return {
        "seed": seed,
        "way": way,
        "cases": cases,
        "special": case.special,
        "tasks": len(known.tasks()),
        "cpu_s": cpu_s,
        "known": structure(known),
        "found": structure(found),
        "footprint": footprint_agreement(fresh[0], ours[0]),
        "ratios": distance_ratios(fresh, ours, METRICS),
        "checks": [asdict(check) for check in checks(known, found, case.log, ready)],
        "choices": {
            choice.what: next((c.name for c in choice.candidates if c.chosen), "")
            for choice in (provenance.choices if provenance else ())
        },
    }


def in_a_line(row: dict[str, Any]) -> str:
    """What a person wants to see of one twin while the rest is computed."""
    missed = [
        f"{c['kind']} {c['where']} {c['known']:.4g} found {c['found']:.4g} ±{c['allowed']:.3g}"
        for c in row["checks"]
        if abs(c["found"] - c["known"]) > c["allowed"]
    ]
    ratios = " ".join(f"{m} {r:.2f}" for m, r in row["ratios"].items())
    shape = "same" if row["known"] == row["found"] else f"differs ({row['footprint']:.2f})"
    return (
        f"{row['seed']} {row['way']} ({', '.join(row['special'])}): structure {shape}; {ratios}; "
        f"{len(row['checks']) - len(missed)} of {len(row['checks'])} inside; {row['cpu_s']:.0f} CPU s; "
        f"{'; '.join(row['choices'].values())}; missed: {'; '.join(missed) or 'none'}"
    )


if __name__ == "__main__":
    main()
