"""Known twins, and what is found of them: makes logs of random processes, builds twins from the logs alone.

    python -m benchmarks.roundtrip [--twins 30] [--cases 1000] [--work build/roundtrip] [--table-only]

Each known twin leaves a log of `cases` orders, cut where the last one arrives. The twin that is built from it
is compared with the known one (see roundtrip_compare.py). Results are appended as one JSON line a twin, with
the code's version, so that a stopped run goes on; docs/roundtrip.md is written at the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from metagraph.model import Metagraph

ROOT = Path(__file__).resolve().parent.parent
TEST_CASES = 250
SAMPLES = 4
"""Fresh logs of the truth, and of the twin."""
METRICS = ("NGD", "AEDD", "CEDD", "REDD", "CTDD")


def main() -> None:
    from benchmarks.keeping import append, rows_of, version

    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--twins", type=int, default=30)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--cases", type=int, default=1000)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "roundtrip")
    options.add_argument("--table-only", action="store_true")
    asked = options.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    results, code = asked.work / "results.jsonl", version(ROOT)
    wanted = range(asked.first, asked.first + asked.twins)
    done = {(row["seed"], row["version"], row["cases"]) for row in rows_of(results)}
    for seed in () if asked.table_only else wanted:
        if (seed, code, asked.cases) not in done:
            row = {"version": code, **measure(seed, asked.cases, asked.work)}
            append(results, row)
            sys.stderr.write(in_a_line(row) + "\n")
    from benchmarks.roundtrip_page import page

    latest = {row["seed"]: row for row in rows_of(results) if row["cases"] == asked.cases}
    (ROOT / "docs" / "roundtrip.md").write_text(page([latest[s] for s in sorted(latest)]), encoding="utf-8")


def measure(seed: int, cases: int, work: Path) -> dict[str, Any]:
    """Make the log, build from it alone, compare."""
    from benchmarks.known_logs import START, log_of, seen_ready, write_log
    from benchmarks.known_twins import random_twin
    from benchmarks.roundtrip_compare import checks, distance_ratios, footprint_agreement, structure
    from calibration.settings import Settings
    from twin.build import BuildRequest, build, fitted
    from twin.source import LogRequest, read_log
    from twin.structures import Recipe

    known, special = random_twin(seed)
    log = log_of(known, cases, seed)
    path = write_log(work / f"known{seed}.csv", log)
    db = work / f"known{seed}.duckdb"
    for old in (db, db.with_name(db.name + ".wal")):
        old.unlink(missing_ok=True)
    before = time.process_time()
    source = read_log(LogRequest(str(path), db=str(db)))
    found = build(source, BuildRequest(f"known {seed}", Settings()))
    cpu_s = time.process_time() - before
    start = START + timedelta(weeks=520)
    fresh = [log_of(known, TEST_CASES, seed + 7, r, cut=False, start=start) for r in range(SAMPLES)]

    def samples(twin: Metagraph) -> list[pd.DataFrame]:
        return [log_of(twin, TEST_CASES, seed + 8, r, cut=False, start=start) for r in range(SAMPLES)]

    ours = samples(found)
    plain = fitted(source.snapshot, Recipe(0.0), Settings(use_batching=True), 0)
    ready = seen_ready(known, cases, seed)
    held = checks(known, plain, log, ready)
    provenance = found.provenance
    return {
        "seed": seed,
        "cases": cases,
        "special": special,
        "tasks": len(known.tasks()),
        "lines": len(log),
        "cpu_s": cpu_s,
        "known": structure(known),
        "found": structure(found),
        "footprint": footprint_agreement(fresh[0], ours[0]),
        "ratios": distance_ratios(fresh, ours, METRICS),
        "checks": [asdict(c) for c in checks(known, found, log, ready)],
        "plain": {
            "ratios": distance_ratios(fresh, samples(plain), METRICS),
            "inside": sum(check.inside for check in held),
            "of": len(held),
        },
        "choices": {
            choice.what: next(c.name for c in choice.candidates if c.chosen)
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
    ratios = " ".join(f"{m} {r:.2f} ({row['plain']['ratios'][m]:.2f})" for m, r in row["ratios"].items())
    shape = "same" if row["known"] == row["found"] else "differs"
    return (
        f"{row['seed']} ({', '.join(row['special'])}): structure {shape} "
        f"(footprint {row['footprint']:.2f}); {ratios}; {len(row['checks']) - len(missed)} of "
        f"{len(row['checks'])} inside; {row['cpu_s']:.0f} CPU s; {row['choices']}; missed: "
        f"{'; '.join(missed) or 'none'}"
    )


if __name__ == "__main__":
    main()
